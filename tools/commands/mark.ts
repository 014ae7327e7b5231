/** `blockbox mark`: a named point of a volume in the journal, for `VOL@mark:LABEL`; `mark ls` lists them. */

import type { Command } from 'commander'
import { isoNs } from '../../src/inspect/event-record.ts'
import { worldAt } from '../../src/replay/at.ts'
import { type Mark, marksOf } from '../../src/replay/marks.ts'
import { control, volumeId } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { withJournal } from '../journal-use.ts'
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
      control(
        options,
        (world) => ({ kind: 'mark', volume: volumeId(world, volume), detail: { label } }),
        ({ seq }) => `mark ${label}: event ${seq}`,
      ),
    )
  journalOption(mark.command('ls'))
    .description('list the marks, oldest first')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', '\nExample:\n  blockbox mark ls -j nightly.journal\n')
    .action((_: ListOptions, command: Command) => list(command.optsWithGlobals()))
}

async function list(options: ListOptions): Promise<void> {
  await withJournal(options, async ({ journal }) => {
    const { volumes } = await worldAt(journal, journal.bounds().last, interrupt)
    const name = (id: number) => volumes[id - 1]?.name ?? ''
    if (options.json !== true) await print(cells('seq', 'instant', 'volume', 'mark'))
    for await (const marks of marksOf(journal, interrupt)) {
      if (marks.length === 0) continue
      const lines = marks.map((one) => (options.json === true ? json(one, name) : line(one, name)))
      await print(lines.join('\n'))
    }
  })
}

function json({ seq, atNs, volume, label }: Mark, name: (id: number) => string): string {
  return JSON.stringify({ seq, instant: isoNs(atNs), volume: name(volume), label })
}

/** As wide as an event's number, an instant and most names: lines come before all of them are known. */
function cells(seq: string, instant: string, volume: string, label: string): string {
  return `${seq.padStart(7)}  ${instant.padEnd(30)}  ${volume.padEnd(12)}  ${label}`
}

function line({ seq, atNs, volume, label }: Mark, name: (id: number) => string): string {
  return escaped(cells(String(seq), isoNs(atNs), name(volume), label))
}
