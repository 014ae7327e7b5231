/** `blockbox restore start|pause|resume|cancel|ls`: puts the content of a clone back onto its source. */

import type { Command } from 'commander'
import { cancelRestore, pauseRestore, resumeRestore, startRestore } from '../../src/control/clone-routes.ts'
import { BlockboxError } from '../../src/core/errors.ts'
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
      const input = { pair, protected: !unprotected, rate, wait: true, ...(owner !== undefined && { owner }) }
      const use = await useOf(pair, options)
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
    .action(async (pair: string, options: CopyOptions) =>
      control(
        options,
        resumeRestore,
        { pair, wait: true },
        (done) => pairSaid(done, pair),
        await useOf(pair, options),
      ),
    )
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

/**
 * Where the clone of a pair is read from, when it lives outside and its file is not where the record says. That is for
 * whoever opens the journal. Throws JOURNAL_LOCKED when another process has it open.
 */
async function useOf(name: string, options: CopyOptions): Promise<ControlUse> {
  const { cloneFile } = options
  if (cloneFile === undefined) return { hints }
  const world = await withReading(
    options,
    ({ journal }) => worldAt(journal, journal.bounds().last, interrupt),
    () => {
      const message =
        'the process that has the journal open reads the file where the record says: move it back there'
      throw new BlockboxError('JOURNAL_LOCKED', message)
    },
  )
  const recorded = named(pairsOf(world), name)?.external?.path
  const moved = recordedName(cloneFile)
  return { hints, openImage: (path) => openExternal(path === recorded ? moved : path) }
}
