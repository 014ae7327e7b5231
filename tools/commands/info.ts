/** `blockbox info`: what a journal holds, told from its newest state. */

import type { Command } from 'commander'
import { type JournalInfo, journalInfo } from '../../src/control/journal-info.ts'
import { info } from '../../src/control/state-routes.ts'
import { worldAt } from '../../src/replay/at.ts'
import { contentsTables } from '../contents-table.ts'
import { interrupt } from '../interrupt.ts'
import { withReading } from '../journal-link.ts'
import { type JournalOption, journalDir, journalOption } from '../journal-option.ts'
import { escaped, print, table } from '../output.ts'

export function add(program: Command): void {
  journalOption(program.command('info'))
    .description('tell what a journal holds')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox info -j nightly.journal\n')
    .action(async (options: JournalOption & { readonly json?: boolean }) => {
      const folder = journalDir(options)
      const about = await withReading(
        options,
        async ({ journal }) =>
          journalInfo(journal, folder, await worldAt(journal, journal.bounds().last, interrupt)),
        async (remote) => ({ ...(await remote.read(info, {})), journal: folder }) as JournalInfo,
      )
      await print(options.json === true ? JSON.stringify({ version: 1, ...about }) : infoText(about))
    })
}

function infoText(about: JournalInfo): string {
  const { journal, format, format_version, id, created, first, last, epoch, head } = about
  const lines = [
    ['journal', journal],
    ['format', `${format} ${format_version}`],
    ['id', id],
    ['created', created],
    ['events', last < first ? 'none' : `${first} to ${last}`],
    ['epoch', String(epoch)],
    ['head', `${head.hash}@${head.seq}`],
    ['checkpoints', checkpointText(about.checkpoints)],
    ['sessions', `${about.sessions} open, ${about.waiting} requests wait`],
    ['backups', `${about.backups_begun} began, ${about.backups.length} run`],
    ...about.remarks.map((text) => ['remark', text]),
  ]
  return [table(lines.map((cells) => cells.map(escaped))), ...contentsTables(about)].join('\n\n')
}

/** A checkpoint is told by the event that its state is true after. */
function checkpointText(seqs: readonly number[]): string {
  if (seqs.length === 0) return 'none'
  const older = seqs.length > 1 ? `, older ones after ${seqs.slice(0, -1).join(', ')}` : ''
  return `newest after event ${seqs.at(-1)}${older}`
}
