/** `blockbox NOUN ls`: one list of what a journal holds now, as a table or as JSON. */

import type { Command } from 'commander'
import { lists } from '../src/control/state-routes.ts'
import { type Contents, contentsOf } from '../src/inspect/contents.ts'
import { worldAt } from '../src/replay/at.ts'
import { type Listed, listTable } from './contents-table.ts'
import { interrupt } from './interrupt.ts'
import { withReading } from './journal-link.ts'
import { type JournalOption, journalOption } from './journal-option.ts'
import { print } from './output.ts'

interface ListOptions extends JournalOption {
  readonly json?: boolean
}

/** Adds `ls` to a noun. */
export function addList(noun: Command, listed: Listed, description: string): void {
  journalOption(noun.command('ls'))
    .description(description)
    .option('--json', 'as one JSON object')
    .addHelpText('after', `\nExample:\n  blockbox ${noun.name()} ls -j nightly.journal\n`)
    .action(async (options: ListOptions) => {
      const contents = await withReading<Partial<Contents>>(
        options,
        async ({ journal }) => contentsOf(await worldAt(journal, journal.bounds().last, interrupt)),
        (remote) => remote.read(lists[listed], {}),
      )
      if (options.json === true) await print(JSON.stringify({ version: 1, [listed]: contents[listed] }))
      else await print(listTable(listed, contents[listed]!))
    })
}
