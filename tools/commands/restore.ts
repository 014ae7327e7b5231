/** `blockbox restore start|pause|resume|cancel|ls`: puts the content of a clone back onto its source. */

import type { Command } from 'commander'
import { cancelRestore, pauseRestore, resumeRestore, startRestore } from '../../src/control/clone-routes.ts'
import { openExternal, recordedName } from '../../src/images/open-external.ts'
import { named, pairsOf } from '../../src/layers/pair-state.ts'
import { worldAt } from '../../src/replay/at.ts'
import { type ControlUse, control, pairSaid } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { interrupt } from '../interrupt.ts'
import { withReading } from '../journal-link.ts'
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
      const { rate, unprotected = false, owner } = options
      const { use, moved } = await movedClone(pair, options)
      const by = owner === undefined ? {} : { owner }
      const input = { pair, protected: !unprotected, rate, wait: true, ...by, ...moved }
      await control(options, startRestore, input, (done) => pairSaid(done, pair), use)
    })
  controlOption(restore.command('pause'))
    .description('stop copying in the background; what hosts need is copied on')
    .argument('<pair>', 'the name of the pair')
    .addHelpText('after', '\nExample:\n  blockbox restore pause mirror -j DIR\n')
    .action((pair: string, options: ControlOptions) =>
      control(options, pauseRestore, { pair, wait: true }, (done) => pairSaid(done, pair)),
    )
  controlOption(restore.command('resume'))
    .description('go on with a restore that was paused or failed, and wait for the end')
    .argument('<pair>', 'the name of the pair')
    .option(...fileOption)
    .addHelpText('after', '\nExample:\n  blockbox restore resume mirror -j DIR\n')
    .action(async (pair: string, options: CopyOptions) => {
      const { use, moved } = await movedClone(pair, options)
      await control(
        options,
        resumeRestore,
        { pair, wait: true, ...moved },
        (done) => pairSaid(done, pair),
        use,
      )
    })
  controlOption(restore.command('cancel'))
    .description('give a restore up; extents not yet copied show their old content again')
    .argument('<pair>', 'the name of the pair')
    .option('--force', 'although hosts would see old and new content mixed')
    .option(...ownerOption)
    .addHelpText('after', '\nExample:\n  blockbox restore cancel mirror --force -j DIR\n')
    .action((pair: string, options: CancelOptions) => {
      const { force = false, owner } = options
      const input = { pair, force, wait: true, ...(owner !== undefined && { owner }) }
      return control(options, cancelRestore, input, (done) => pairSaid(done, pair), { hints })
    })
  addList(restore, 'restores', 'list the restores that run')
}

/** Where a clone outside is now: for who opens the journal here, or for the process that has it open. */
interface MovedClone {
  readonly use: ControlUse
  readonly moved: { readonly clone_file?: string }
}

/** A restore goes on when the journal is opened, so that must know where the clone is. */
async function movedClone(name: string, options: CopyOptions): Promise<MovedClone> {
  const { cloneFile } = options
  if (cloneFile === undefined) return { use: { hints }, moved: {} }
  const file = recordedName(cloneFile)
  await (await openExternal(file)).close()
  const world = await withReading(
    options,
    ({ journal }) => worldAt(journal, journal.bounds().last, interrupt),
    async () => undefined,
  )
  if (world === undefined) return { use: { hints }, moved: { clone_file: file } }
  const recorded = named(pairsOf(world), name)?.external?.path
  return { use: { hints, openImage: (path) => openExternal(path === recorded ? file : path) }, moved: {} }
}
