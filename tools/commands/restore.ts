/** `blockbox restore start|pause|resume|cancel|ls`: puts the content of a clone back onto its source. */

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { openRawFile } from '../../src/images/external.ts'
import type { World } from '../../src/layers/layer.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { type ControlUse, control, pairSaid } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { addList } from '../list-command.ts'
import { wholeNumber } from '../number.ts'

interface CopyOptions extends ControlOptions {
  readonly cloneFile?: string
  readonly owner?: string
}

interface StartOptions extends CopyOptions {
  readonly unprotected?: boolean
  readonly rate: number
}

interface CancelOptions extends CopyOptions {
  readonly force?: boolean
}

const fileOption = ['--clone-file <file>', 'where the file of a clone outside is now'] as const
const ownerOption = ['--owner <name>', 'whose fence the restore goes on behind'] as const

export function add(program: Command): void {
  const restore = program.command('restore').description('restore sources from their clones')
  controlOption(restore.command('start'))
    .description('restore the source of a fractured pair from its clone, and wait for the end')
    .argument('<pair>', 'the name of the pair')
    .option('--unprotected', 'let later writes reach the clone too, so that the pair ends in sync')
    .option('--rate <n>', 'copy at most so many extents a second in the background', wholeNumber(1), 0)
    .option(...fileOption)
    .option(...ownerOption)
    .addHelpText('after', '\nExample:\n  blockbox restore start mirror -j DIR\n')
    .action((pair: string, options: StartOptions) => {
      const { rate, unprotected = false } = options
      const detail = { pair, protected: !unprotected, ...(rate > 0 && { rate }) }
      const { found, use } = imageOf(pair, options)
      return control(
        options,
        (world) => {
          found(world)
          return { kind: 'restore.start', detail }
        },
        (_, world) => pairSaid(world, pair),
        use,
      )
    })
  controlOption(restore.command('pause'))
    .description('stop copying in the background; what hosts need is copied on')
    .argument('<pair>', 'the name of the pair')
    .addHelpText('after', '\nExample:\n  blockbox restore pause mirror -j DIR\n')
    .action((pair: string, options: ControlOptions) =>
      control(
        options,
        () => ({ kind: 'restore.pause', detail: { pair } }),
        (_, world) => pairSaid(world, pair),
      ),
    )
  controlOption(restore.command('resume'))
    .description('go on with a restore that was paused or failed, and wait for the end')
    .argument('<pair>', 'the name of the pair')
    .option(...fileOption)
    .addHelpText('after', '\nExample:\n  blockbox restore resume mirror -j DIR\n')
    .action((pair: string, options: CopyOptions) => {
      const { found, use } = imageOf(pair, options)
      return control(
        options,
        (world) => {
          found(world)
          return { kind: 'restore.resume', detail: { pair } }
        },
        (_, world) => pairSaid(world, pair),
        use,
      )
    })
  controlOption(restore.command('cancel'))
    .description('give a restore up; extents not yet copied show their old content again')
    .argument('<pair>', 'the name of the pair')
    .option('--force', 'although hosts would see old and new content mixed')
    .option(...ownerOption)
    .addHelpText('after', '\nExample:\n  blockbox restore cancel mirror --force -j DIR\n')
    .action((pair: string, options: CancelOptions) =>
      control(
        options,
        () => ({ kind: 'restore.cancel', detail: { pair, force: options.force === true } }),
        (_, world) => pairSaid(world, pair),
        { owner: options.owner },
      ),
    )
  addList(restore, 'restores', 'list the restores that run')
}

/** Where the clone of a pair is read from, when it lives outside and its file is not where the record says. */
function imageOf(
  name: string,
  { cloneFile, owner }: CopyOptions,
): { found: (world: World) => void; use: ControlUse } {
  const moved = new Map<string, string>()
  const found = (world: World) => {
    const pair = [...pairsOf(world).byTag.values()].find((one) => one.name === name)
    if (pair?.external != null && cloneFile !== undefined) moved.set(pair.external.path, resolve(cloneFile))
  }
  return { found, use: { owner, openImage: (path) => openRawFile(moved.get(path) ?? path) } }
}
