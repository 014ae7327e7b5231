/** `blockbox restore start`: puts the content of a clone back onto its source, protected, and waits for its end. */

import type { Command } from 'commander'
import { type ControlOptions, control, pairSaid } from '../control.ts'
import { journalOption } from '../journal-option.ts'

export function add(program: Command): void {
  const restore = program.command('restore').description('restore sources from their clones')
  journalOption(restore.command('start'))
    .description('restore the source of a fractured pair from its clone; the clone stays as it is')
    .argument('<pair>', 'the name of the pair')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox restore start mirror -j DIR\n')
    .action((pair: string, options: ControlOptions) =>
      control(
        options,
        () => ({ kind: 'restore.start', detail: { pair, protected: true } }),
        (_, world) => pairSaid(world, pair),
      ),
    )
}
