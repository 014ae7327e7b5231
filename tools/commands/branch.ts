/** `blockbox branch VOL@POINT NEW`: a writable volume that begins as another one was at a moment of its past. */

import type { Command } from 'commander'
import { createBranch } from '../../src/control/branch-routes.ts'
import type { Done } from '../../src/control/route.ts'
import { newName } from '../../src/control/volume-routes.ts'
import { control } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { exitCodes } from '../exit-code.ts'
import { remark } from '../remark.ts'
import { formatSize } from '../size.ts'

const hints = {
  E_BOUND: 'too many branches are in the making, or volumes there: try again later',
}

interface BranchRecord {
  readonly of: string
  readonly at: number
  readonly size: number
  readonly mapped_bytes: number
  readonly runs: number
}

interface BranchFailure {
  readonly code: string
  readonly seq: number
  readonly advice: string
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
      control(options, createBranch, { address, name: newName(name) }, (done) => said(done, name), { hints }),
    )
}

/** What became of the branch. One that was given up is exit code 1. */
function said({ about }: Done, name: string): string {
  const made = about?.branch as BranchRecord | null | undefined
  if (made == null) {
    process.exitCode = exitCodes.error
    const { code, seq, advice } = (about?.failed ?? {}) as Partial<BranchFailure>
    const why = code === undefined ? '' : `, as event ${seq} says: ${code}: ${advice}`
    remark(`the branch could not be made${why}`)
    return `branch ${name}: given up`
  }
  const { of, at, size, mapped_bytes: mapped, runs } = made
  const held = `${formatSize(mapped)} of it mapped in ${runs} runs`
  return `branch ${name}: ${of} after event ${at}, ${formatSize(size)}, ${held}`
}
