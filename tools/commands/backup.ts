/** `blockbox backup start|stop`: a backup holds the writes of its volumes until it is stopped or its deadline passes. */

import type { Command } from 'commander'
import { holdQueueOf } from '../../src/layers/hold-queue.ts'
import type { World } from '../../src/layers/layer.ts'
import { type ControlOptions, control, gathered, newName, volumeId } from '../control.ts'
import { journalOption } from '../journal-option.ts'
import { wholeNumber } from '../number.ts'

interface StartOptions extends ControlOptions {
  readonly volume: readonly string[]
  readonly deadlineMs: number
  readonly scope: string
  readonly mode: string
  readonly policy: string
}

export function add(program: Command): void {
  const backup = program.command('backup').description('start and stop backups')
  journalOption(backup.command('start'))
    .description('hold the writes of volumes and fix a point in time')
    .argument('<name>', 'letters, digits, dots, dashes, underscores')
    .requiredOption('--volume <name>', 'a volume to cover; may be given several times', gathered)
    .option('--deadline-ms <n>', 'when to give up, counted from now; 0 for the default', wholeNumber(0), 0)
    .option('--scope <scope>', 'which writes to hold: all, metadata or blocks', 'all')
    .option('--mode <mode>', 'logical or physical', 'logical')
    .option(
      '--policy <policy>',
      'at a bound or deadline: abort-backup, error-writes or backpressure',
      'abort-backup',
    )
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox backup start nightly --volume vol --deadline-ms 60000 -j DIR\n',
    )
    .action((name: string, options: StartOptions) =>
      control(
        options,
        (world) => {
          const { deadlineMs, scope, mode, policy } = options
          const volumes = options.volume.map((one) => volumeId(world, one))
          const terms = { deadlineMs, maxEntries: 0, maxBytes: 0, scope, mode, policy }
          return { kind: 'backup.start', detail: { name: newName(name), volumes, ...terms } }
        },
        (_, world) => phaseSaid(world, name),
      ),
    )
  journalOption(backup.command('stop'))
    .description('release what is held, in order')
    .argument('<name>', 'the name of the backup')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox backup stop nightly -j DIR\n')
    .action((name: string, options: ControlOptions) =>
      control(
        options,
        () => ({ kind: 'backup.stop', detail: { name } }),
        () => `backup ${name}: stopped`,
      ),
    )
}

function phaseSaid(world: World, name: string): string {
  const active = [...holdQueueOf(world).backups.values()].find((one) => one.name === name)
  return `backup ${name}: ${active?.phase ?? 'ended'}`
}
