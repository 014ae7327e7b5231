/** `blockbox inspect extent PAIR:EXTENT`: the bits of an extent over time, its copies and who waited for it. */

import type { Command } from 'commander'
import { BlockboxError } from '../../../src/core/errors.ts'
import { isoNs } from '../../../src/inspect/event-record.ts'
import { ExtentLife } from '../../../src/inspect/extent-life.ts'
import { type FilterOptions, filterOptions, scopeOf } from '../../filter-option.ts'
import { inspected } from '../../inspection.ts'
import { type JournalOption, journalOption } from '../../journal-option.ts'
import { withJournal } from '../../journal-use.ts'
import { escaped, print, table } from '../../output.ts'
import { formatSize } from '../../size.ts'

interface ExtentOptions extends JournalOption, FilterOptions {
  readonly at?: string
  readonly json?: boolean
}

export function addExtent(inspect: Command): void {
  const command = journalOption(inspect.command('extent'))
    .description(
      'the life of one extent of a pair: delta, copying and protected bits, copies, requests that waited',
    )
    .argument('<extent>', 'PAIR:EXTENT, or PAIR:+BYTES for the extent that holds that byte')
    .option('--at <point>', 'the same as --to')
  filterOptions(command, {
    volume: 'only what is about this volume: the source, or the clone',
    host: 'only what this host did, and what became of it',
  })
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox inspect extent mirror:51 -j nightly.journal\n')
    .action(act)
}

async function act(address: string, options: ExtentOptions): Promise<void> {
  const form = /^(.+):(\+?)(\d{1,16})$/.exec(address)
  if (form === null)
    throw new BlockboxError('USAGE', `"${address}" is no extent: write PAIR:EXTENT or PAIR:+BYTES`)
  if ((options.at ?? options.to) !== (options.to ?? options.at))
    throw new BlockboxError('USAGE', '--at and --to say the same: leave one of them out')
  const [, name = '', plus, digits] = form
  const said = await withJournal(options, async (open) => {
    const to = options.at ?? options.to
    const scope = await scopeOf(open, { ...options, ...(to !== undefined && { to }) })
    const number = plus === '+' ? await extentAt(open, name, Number(digits)) : Number(digits)
    const life = new ExtentLife(name, number, scope)
    const { originNs, roster } = await inspected(open, [life], scope.to)
    if (life.range === undefined) {
      const pair = roster.pairNamed(name)
      const why = pair === undefined ? `there is no pair "${name}"` : `pair ${name} has no extent ${number}`
      throw new BlockboxError('USAGE', `${why}: \`blockbox clone ls\` lists them`)
    }
    const steps = life.steps.map(({ seq, at, kind, volume, session, about, note, cdm, cod, prm }) => ({
      seq,
      instant: isoNs(originNs + BigInt(Math.round(at))),
      kind,
      ...(volume > 0 && { volume: roster.volumeName(volume) }),
      ...(session > 0 && { session, host: roster.sessionName(session) }),
      ...(about > 0 && { about }),
      cdm,
      cod,
      prm,
      note,
    }))
    const { reads, writes, range } = life
    return {
      version: 1,
      pair: name,
      extent: number,
      ...range,
      quiet_reads: reads,
      quiet_writes: writes,
      steps,
    }
  })
  await print(options.json === true ? JSON.stringify(said) : textOf(said))
}

/** The extent of a pair that holds a byte. */
async function extentAt(open: Parameters<typeof inspected>[0], name: string, byte: number): Promise<number> {
  const { roster } = await inspected(open, [])
  return Math.floor(byte / (roster.pairNamed(name)?.extent ?? 1))
}

interface Said {
  readonly pair: string
  readonly extent: number
  readonly offset: number
  readonly length: number
  readonly quiet_reads: number
  readonly quiet_writes: number
  readonly steps: readonly {
    readonly seq: number
    readonly instant: string
    readonly kind: string
    readonly volume?: string
    readonly host?: string | undefined
    readonly about?: number
    readonly cdm: boolean
    readonly cod: boolean
    readonly prm: boolean
    readonly note: string
  }[]
}

function textOf({ pair, extent, offset, length, quiet_reads, quiet_writes, steps }: Said): string {
  const head = `extent ${extent} of pair ${pair}: ${formatSize(length)} at offset ${offset}`
  const bit = (is: boolean) => (is ? '1' : '0')
  const rows = steps.map(({ seq, instant, kind, volume = '', host = '', about, cdm, cod, prm, note }) => [
    String(seq),
    instant,
    ...[cdm, cod, prm].map(bit),
    kind,
    volume,
    host,
    about === undefined || note.includes('event') ? note : `${note} (event ${about})`.trim(),
  ])
  const titles = ['event', 'instant', 'CDM', 'COD', 'PRM', 'what', 'volume', 'host', '']
  return [
    escaped(head),
    'CDM: source and clone may differ; COD: a copy is in flight; PRM: hosts wrote here during the restore',
    `besides, ${quiet_reads} reads and ${quiet_writes} writes went there that changed no bit`,
    '',
    table([titles, ...rows.map((row) => row.map(escaped))], [0, 2, 3, 4]),
  ].join('\n')
}
