/** `blockbox restore start|pause|resume|cancel|ls`: puts the content of a clone back onto its source. */

import type { Command } from 'commander'
import { openExternal, recordedName } from '../../src/images/open-external.ts'
import type { World } from '../../src/layers/layer.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { worldAt } from '../../src/replay/at.ts'
import { type ControlUse, control, pairSaid } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { interrupt } from '../interrupt.ts'
import { withJournal } from '../journal-use.ts'
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

const fileOption = ['--clone-file <file>', 'where a clone outside is now: a file, or an NBD URI'] as const
const ownerOption = ['--owner <name>', 'whose fence the restore goes on behind'] as const

const hints = {
  E_FENCED: 'a fence keeps others out: name its owner with --owner, or wait until it is lowered',
}

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
    .action(async (pair: string, options: StartOptions) => {
      const { rate, unprotected = false } = options
      const detail = { pair, protected: !unprotected, ...(rate > 0 && { rate }) }
      await control(
        options,
        () => ({ kind: 'restore.start', detail }),
        (_, world) => pairSaid(world, pair),
        await useOf(pair, options),
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
    .action(async (pair: string, options: CopyOptions) =>
      control(
        options,
        (world) => (goesOn(world, pair) ? undefined : { kind: 'restore.resume', detail: { pair } }),
        (_, world) => pairSaid(world, pair),
        await useOf(pair, options),
      ),
    )
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
        { owner: options.owner, hints },
      ),
    )
  addList(restore, 'restores', 'list the restores that run')
}

/** Where the clone of a pair is read from, when it lives outside and its file is not where the record says. */
async function useOf(name: string, options: CopyOptions): Promise<ControlUse> {
  const { cloneFile, owner } = options
  if (cloneFile === undefined) return { owner, hints }
  const world = await withJournal(options, ({ journal }) =>
    worldAt(journal, journal.bounds().last, interrupt),
  )
  const recorded = [...pairsOf(world).byTag.values()].find((one) => one.name === name)?.external?.path
  const moved = recordedName(cloneFile)
  return { owner, hints, openImage: (path) => openExternal(path === recorded ? moved : path) }
}

/** True when the restore of a pair copies by itself, as it does after a restart. */
function goesOn(world: World, name: string): boolean {
  const pair = [...pairsOf(world).byTag.values()].find((one) => one.name === name)
  const restore = restoresOf(world).byTag.get(pair?.tag ?? 0)
  return restore?.background === true && !restore.paused
}
