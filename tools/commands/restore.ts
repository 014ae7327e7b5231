/** `blockbox restore start|pause|resume|cancel`: puts the content of a clone back onto its source. */

import type { Command } from 'commander'
import { type ControlOptions, control, pairSaid } from '../control.ts'
import { journalOption } from '../journal-option.ts'

interface StartOptions extends ControlOptions {
  readonly unprotected?: boolean
}

interface CancelOptions extends ControlOptions {
  readonly force?: boolean
}

const verbs = {
  pause: 'stop copying in the background; what hosts need is copied on',
  resume: 'go on with a restore that was paused or failed',
} as const

export function add(program: Command): void {
  const restore = program.command('restore').description('restore sources from their clones')
  journalOption(restore.command('start'))
    .description('restore the source of a fractured pair from its clone, and wait for the end')
    .argument('<pair>', 'the name of the pair')
    .option('--unprotected', 'let later writes reach the clone too, so that the pair ends in sync')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox restore start mirror -j DIR\n')
    .action((pair: string, options: StartOptions) =>
      control(
        options,
        () => ({ kind: 'restore.start', detail: { pair, protected: options.unprotected !== true } }),
        (_, world) => pairSaid(world, pair),
      ),
    )
  for (const verb of ['pause', 'resume'] as const) {
    journalOption(restore.command(verb))
      .description(verbs[verb])
      .argument('<pair>', 'the name of the pair')
      .option('--json', 'as one JSON object')
      .addHelpText('after', `\nExample:\n  blockbox restore ${verb} mirror -j DIR\n`)
      .action((pair: string, options: ControlOptions) =>
        control(
          options,
          () => ({ kind: `restore.${verb}`, detail: { pair } }),
          (_, world) => pairSaid(world, pair),
        ),
      )
  }
  journalOption(restore.command('cancel'))
    .description('give a restore up; extents not yet copied show their old content again')
    .argument('<pair>', 'the name of the pair')
    .option('--force', 'although content is mixed')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox restore cancel mirror --force -j DIR\n')
    .action((pair: string, options: CancelOptions) =>
      control(
        options,
        () => ({ kind: 'restore.cancel', detail: { pair, force: options.force === true } }),
        (_, world) => pairSaid(world, pair),
      ),
    )
}
