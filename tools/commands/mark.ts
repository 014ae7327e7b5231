/** `blockbox mark`: a named point of a volume in the journal, for `VOL@mark:LABEL`; `mark ls` lists them. */

import type { Command } from 'commander'
import { marks } from '../../src/control/state-routes.ts'
import { createMark } from '../../src/control/volume-routes.ts'
import { isoNs } from '../../src/inspect/event-record.ts'
import { worldAt } from '../../src/replay/at.ts'
import { type Mark, marksOf } from '../../src/replay/marks.ts'
import { control, gathered } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { interrupt } from '../interrupt.ts'
import { withReading } from '../journal-link.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { wholeNumber } from '../number.ts'
import { escaped, print } from '../output.ts'

interface MarkOptions extends ControlOptions {
  readonly quiesce?: boolean
  readonly also?: readonly string[]
  readonly allVolumes?: boolean
  readonly deadlineMs?: number
}

interface ListOptions extends JournalOption {
  readonly json?: boolean
}

export function add(program: Command): void {
  const mark = controlOption(program.command('mark'))
    .description('put a named point of a volume into a journal')
    .argument('<volume>', 'the volume')
    .argument('<label>', 'what the point is to be called')
    .option('--quiesce', 'wait for an instant when no write to the volume is in flight')
    .option('--also <volume>', 'with --quiesce: nor one to this volume; may be given several times', gathered)
    .option('--all-volumes', 'with --quiesce: nor one to any volume')
    .option('--deadline-ms <n>', 'with --quiesce: wait at most so long (default: 10000)', wholeNumber(0))
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox mark vol before-upgrade -j DIR\n' +
        '  blockbox mark vol settled --quiesce --also log --deadline-ms 60000 -j DIR\n' +
        '\nA write is in flight while a backup holds it or it waits for a copy. Nobody is held up by --quiesce.\n',
    )
    .action((volume: string, label: string, options: MarkOptions) => {
      const { quiesce = false, also, allVolumes = false, deadlineMs } = options
      const more = {
        ...(also !== undefined && { also: [...also] }),
        ...(deadlineMs !== undefined && { deadline_ms: deadlineMs }),
      }
      const input = { volume, label, quiesce, all_volumes: allVolumes, ...more }
      return control(options, createMark, input, ({ answer }) => `mark ${label}: event ${answer.seq}`)
    })
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
