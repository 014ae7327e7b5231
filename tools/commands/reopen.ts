/** `blockbox reopen`: has the server that serves a journal open it anew after a failure, and go on recording. */

import type { Command } from 'commander'
import { reopen } from '../../src/control/state-routes.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { withReading } from '../journal-link.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { print } from '../output.ts'

export function add(program: Command): void {
  journalOption(program.command('reopen'))
    .description('have a server whose journal failed open it anew, now, and go on recording')
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox reopen -j nightly.journal\n' +
        '\nAfter a full disk the server goes on by itself, at the latest half a minute after there is room. After an error of\n' +
        'the disk it does so when it is asked to: see to the disk first. Hosts keep their connections.\n',
    )
    .action(async (options: JournalOption & { readonly json?: boolean }) => {
      const told = await withReading(
        options,
        async () => {
          throw new BlockboxError(
            'USAGE',
            'nobody serves this journal: start `blockbox serve`, which opens it',
          )
        },
        (remote) => remote.read(reopen, {}),
      )
      if (options.json === true) return print(JSON.stringify(told))
      const last = told.last_takeover as { readonly seq: number } | null
      await print(last === null ? 'nothing has failed' : `recorded into again, behind event ${last.seq}`)
    })
}
