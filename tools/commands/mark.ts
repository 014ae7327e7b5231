/** `blockbox mark`: a named point of a volume in the journal, for `VOL@mark:LABEL`; `mark ls` lists them. */

import type { Command } from 'commander'
import { marks } from '../../src/control/state-routes.ts'
import { createMark } from '../../src/control/volume-routes.ts'
import { isoNs } from '../../src/inspect/event-record.ts'
import { worldAt } from '../../src/replay/at.ts'
import { type Mark, marksOf } from '../../src/replay/marks.ts'
import { control } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { interrupt } from '../interrupt.ts'
import { withReading } from '../journal-link.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { escaped, print } from '../output.ts'

interface ListOptions extends JournalOption {
  readonly json?: boolean
}

export function add(program: Command): void {
  const mark = controlOption(program.command('mark'))
    .description('put a named point of a volume into a journal')
    .argument('<volume>', 'the volume')
    .argument('<label>', 'what the point is to be called')
    .addHelpText('after', '\nExample:\n  blockbox mark vol before-upgrade -j DIR\n')
    .action((volume: string, label: string, options: ControlOptions) =>
      control(options, createMark, { volume, label }, ({ answer }) => `mark ${label}: event ${answer.seq}`),
    )
  journalOption(mark.command('ls'))
    .description('list the marks, oldest first')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', '\nExample:\n  blockbox mark ls -j nightly.journal\n')
    .action((_: ListOptions, command: Command) => list(command.optsWithGlobals()))
}

async function list(options: ListOptions): Promise<void> {
  const asJson = options.json === true
  const heads = async () => {
    if (!asJson) await print(cells('seq', 'instant', 'volume', 'mark'))
  }
  const told = (found: readonly Told[]) => print(found.map(asJson ? json : line).join('\n'))
  await withReading(
    options,
    async ({ journal }) => {
      const { volumes } = await worldAt(journal, journal.bounds().last, interrupt)
      await heads()
      const found = ({ seq, atNs, volume, label }: Mark): Told => ({
        ...{ seq, instant: isoNs(atNs), volume: volumes[volume - 1]?.name ?? '', label },
      })
      for await (const some of marksOf(journal, interrupt)) {
        if (some.length > 0) await told(some.map(found))
      }
    },
    async (remote) => {
      await heads()
      const found = (await remote.read(marks, {})).marks as readonly Told[]
      if (found.length > 0) await told(found)
    },
  )
}

interface Told {
  readonly seq: number
  readonly instant: string
  readonly volume: string
  readonly label: string
}

function json({ seq, instant, volume, label }: Told): string {
  return JSON.stringify({ seq, instant, volume, label })
}

/** As wide as an event's number, an instant and most names: lines come before all of them are known. */
function cells(seq: string, instant: string, volume: string, label: string): string {
  return `${seq.padStart(7)}  ${instant.padEnd(30)}  ${volume.padEnd(12)}  ${label}`
}

function line({ seq, instant, volume, label }: Told): string {
  return escaped(cells(String(seq), instant, volume, label))
}
