/** `blockbox mark`: a named point of a volume in the journal, for `VOL@mark:LABEL`. */

import type { Command } from 'commander'
import { type ControlOptions, control, volumeId } from '../control.ts'
import { journalOption } from '../journal-option.ts'

export function add(program: Command): void {
  journalOption(program.command('mark'))
    .description('put a named point of a volume into a journal')
    .argument('<volume>', 'the volume')
    .argument('<label>', 'what the point is to be called')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox mark vol before-upgrade -j DIR\n')
    .action((volume: string, label: string, options: ControlOptions) =>
      control(
        options,
        (world) => ({ kind: 'mark', volume: volumeId(world, volume), detail: { label } }),
        ({ seq }) => `mark ${label}: event ${seq}`,
      ),
    )
}
