/** `blockbox backup start|stop|run|ls`: a backup holds the writes of its volumes until it is stopped or its deadline passes. */

import { type Command, Option } from 'commander'
import { startBackup, stopBackup } from '../../src/control/backup-routes.ts'
import { crashes, modes, policies, scopes } from '../../src/layers/backup.ts'
import { control, gathered } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { addList } from '../list-command.ts'
import { wholeNumber } from '../number.ts'
import { parseSize } from '../size.ts'
import { addRun } from './backup-run.ts'

interface StartOptions extends ControlOptions {
  readonly volume: readonly string[]
  readonly device: readonly string[]
  readonly deadlineMs: number
  readonly maxEntries: number
  readonly maxBytes: number
  readonly scope: (typeof scopes)[number]
  readonly mode: (typeof modes)[number]
  readonly policy: (typeof policies)[number]
  readonly crash: (typeof crashes)[number]
  readonly owner?: string
}

export function add(program: Command): void {
  const backup = program.command('backup').description('start, stop and run backups')
  controlOption(backup.command('start'))
    .description('hold the writes of volumes and fix a point in time')
    .argument('<name>', 'letters, digits, dots, dashes, underscores')
    .option('--volume <name>', 'a volume to cover; may be given several times', gathered, [])
    .option(
      '--device <name>',
      'a device to cover with all volumes on it; may be given several times',
      gathered,
      [],
    )
    .option('--deadline-ms <n>', 'when to give up, counted from now; 0 for the default', wholeNumber(0), 0)
    .option('--max-entries <n>', 'hold at most so many writes; 0 for the default', wholeNumber(0), 0)
    .option('--max-bytes <size>', 'hold at most so many bytes; 0 for the default', parseSize, 0)
    .addOption(new Option('--scope <scope>', 'which writes to hold').choices(scopes).default(scopes[0]))
    .addOption(new Option('--mode <mode>', 'what to keep still').choices(modes).default(modes[0]))
    .addOption(
      new Option('--policy <policy>', 'at a bound or deadline').choices(policies).default(policies[0]),
    )
    .addOption(
      new Option('--crash <what>', 'what a restart does to held writes').choices(crashes).default(crashes[0]),
    )
    .option('--owner <name>', 'whose fenced volumes may be covered')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox backup start nightly --volume vol --deadline-ms 60000 -j DIR\n',
    )
    .action((name: string, options: StartOptions) =>
      control(
        options,
        startBackup,
        inputOf(name, options),
        ({ about }) => `backup ${name}: ${(about?.backup as { phase: string } | null)?.phase ?? 'ended'}`,
      ),
    )
  controlOption(backup.command('stop'))
    .description('release what is held, in order')
    .argument('<name>', 'the name of the backup')
    .addHelpText('after', '\nExample:\n  blockbox backup stop nightly -j DIR\n')
    .action((name: string, options: ControlOptions) =>
      control(options, stopBackup, { backup: name }, () => `backup ${name}: stopped`),
    )
  addRun(backup)
  addList(backup, 'backups', 'list the backups that run')
}

function inputOf(name: string, options: StartOptions) {
  const { volume, device, deadlineMs, maxEntries, maxBytes, scope, mode, policy, crash, owner } = options
  return {
    ...{ name, volumes: [...volume], devices: [...device], scope, mode, policy, crash },
    ...{ deadline_ms: deadlineMs, max_entries: maxEntries, max_bytes: maxBytes },
    ...(owner !== undefined && { owner }),
  }
}
