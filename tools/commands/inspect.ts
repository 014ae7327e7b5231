/** `blockbox inspect ...`: questions an investigator asks of a journal, one file of tools/commands/inspect each. */

import type { Command } from 'commander'
import { addBlock } from './inspect/block.ts'
import { addChanged } from './inspect/changed.ts'
import { addExtent } from './inspect/extent.ts'
import { addQueue } from './inspect/queue.ts'
import { addRestore } from './inspect/restore.ts'
import { addSession } from './inspect/session.ts'
import { addTimeline } from './inspect/timeline.ts'

export function add(program: Command): void {
  const inspect = program
    .command('inspect')
    .description('what happened: to a restore, a block, an extent, a host; what waited, what changed')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox inspect timeline -j nightly.journal\n' +
        '  blockbox inspect restore mirror -j nightly.journal\n' +
        '  blockbox inspect block vol:+1048576 -j nightly.journal\n',
    )
  addTimeline(inspect)
  addRestore(inspect)
  addBlock(inspect)
  addExtent(inspect)
  addSession(inspect)
  addQueue(inspect)
  addChanged(inspect)
}
