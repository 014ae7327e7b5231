/**
 * `blockbox device create|ls`: storage devices that volumes lie on; a backup of one holds every volume with a part on
 * it.
 */

import type { Command } from 'commander'
import { createDevice } from '../../src/control/volume-routes.ts'
import { control } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { addList } from '../list-command.ts'

export function add(program: Command): void {
  const device = program.command('device').description('make storage devices that volumes lie on')
  controlOption(device.command('create'))
    .description('make a device')
    .argument('<name>', 'letters, digits, dots, dashes, underscores')
    .addHelpText('after', '\nExample:\n  blockbox device create shelf1 -j nightly.journal\n')
    .action((name: string, options: ControlOptions) =>
      control(options, createDevice, { name }, ({ answer }) => `device ${name}: number ${answer.made}`),
    )
  addList(device, 'devices', 'list the devices and the volumes on them')
}
