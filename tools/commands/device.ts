/** `blockbox device create`: storage devices that volumes lie on; a backup of one holds every volume with a part on it. */

import type { Command } from 'commander'
import { type ControlOptions, control, newName } from '../control.ts'
import { journalOption } from '../journal-option.ts'

export function add(program: Command): void {
  const device = program.command('device').description('make storage devices that volumes lie on')
  journalOption(device.command('create'))
    .description('make a device')
    .argument('<name>', 'letters, digits, dots, dashes, underscores')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox device create shelf1 -j nightly.journal\n')
    .action((name: string, options: ControlOptions) =>
      control(
        options,
        () => ({ kind: 'device.create', detail: { name: newName(name) } }),
        ({ made }) => `device ${name}: number ${made}`,
      ),
    )
}
