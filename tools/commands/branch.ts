/** `blockbox branch VOL@POINT NEW`: a writable volume that begins as another one was at a moment of its past. */

import type { Command } from 'commander'
import { branchesOf } from '../../src/layers/branch-state.ts'
import { volumeOf, type World } from '../../src/layers/layer.ts'
import { branchCommand } from '../../src/replay/branch-origin.ts'
import { parseAddress } from '../../src/replay/point.ts'
import { control, newName } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { exitCodes } from '../exit-code.ts'
import { interrupt } from '../interrupt.ts'
import { remark } from '../remark.ts'
import { formatSize } from '../size.ts'

const hints = {
  E_BOUND: 'too many branches are in the making, or volumes there: try again later',
}

export function add(program: Command): void {
  controlOption(program.command('branch'))
    .description('make a writable volume from any moment of the past; no bytes are copied')
    .argument('<address>', 'VOL or VOL@POINT; POINT is seq:N, time:ISO, mark:LABEL, backup:NAME or source:K')
    .argument('<name>', 'of the new volume: letters, digits, dots, dashes, underscores')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox branch disk0@mark:before-upgrade disk0-before -j nightly.journal\n' +
        '  blockbox branch disk0@seq:1200 look -j nightly.journal --json\n' +
        '\nA volume that is deleted can be branched as it was before.\n',
    )
    .action((address: string, name: string, options: ControlOptions) =>
      control(
        options,
        (_, { journal }) => branchCommand(journal, parseAddress(address), newName(name), interrupt),
        (_, world) => {
          const made = outcome(world, name)
          if (made === undefined) return `branch ${name}: failed`
          const { of, at, size, mapped, runs } = made
          return `branch ${name}: ${of} after event ${at}, ${formatSize(size)}, ${formatSize(mapped)} of it mapped in ${runs} runs`
        },
        {
          hints,
          told: (world) => {
            const { of, at, size, mapped: mapped_bytes, runs } = outcome(world, name) ?? {}
            return { name, finished: of !== undefined, of, at, size, mapped_bytes, runs }
          },
        },
      ),
    )
}

/** What became of the branch; undefined when it failed, which is exit code 1. */
function outcome(world: World, name: string) {
  const volume = world.volumes.findLast((one) => one.name === name)
  const one = branchesOf(world).byVolume.get(volume?.id ?? 0)
  if (one === undefined || volume === undefined || volumeOf(world, volume.id) === undefined) {
    process.exitCode = exitCodes.error
    remark('the branch could not be made: `blockbox log` says why in its branch.failed')
    return undefined
  }
  const of = world.volumes[one.from - 1]!.name
  const { size, block, map } = volume
  return { of, at: one.seq, size, mapped: map.mapped * block, runs: one.runs }
}
