/** `blockbox inspect ...`: questions an investigator asks of a journal, one file of tools/commands/inspect each. */

import type { Command } from 'commander'
import { addBlock } from './inspect/block.ts'
import { addRestore } from './inspect/restore.ts'

export function add(program: Command): void {
  const inspect = program
    .command('inspect')
    .description('what happened: to a restore, a block, an extent, a host, to what waited')
  addRestore(inspect)
  addBlock(inspect)
}
