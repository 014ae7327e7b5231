/** `blockbox info`: what a journal holds, told from its newest state. */

import type { Command } from 'commander'
import { hex } from '../../src/core/digest.ts'
import { contentsOf } from '../../src/inspect/contents.ts'
import { journalIdentity } from '../../src/journal/identity.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { worldAt } from '../../src/replay/at.ts'
import { contentsTables } from '../contents-table.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalDir, journalOption } from '../journal-option.ts'
import { withJournal } from '../journal-use.ts'
import { escaped, print, table } from '../output.ts'

export function add(program: Command): void {
  journalOption(program.command('info'))
    .description('tell what a journal holds')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox info -j nightly.journal\n')
    .action(async (options: JournalOption & { readonly json?: boolean }) => {
      const about = await withJournal(options, ({ journal }) => tell(journal, journalDir(options)))
      await print(options.json === true ? JSON.stringify({ version: 1, ...about }) : infoText(about))
    })
}

async function tell(journal: Journal, path: string) {
  const { first, last, epoch, head } = journal.bounds()
  const { format, version, id, created } = journalIdentity(path)
  const contents = contentsOf(await worldAt(journal, last, interrupt))
  return {
    journal: path,
    format,
    format_version: version,
    id,
    created,
    events: last - first + 1,
    first,
    last,
    epoch,
    head: { seq: last, hash: hex(head) },
    checkpoints: await checkpointsOf(journal),
    ...contents,
    remarks: journal.remarks,
  }
}

/** Sequence numbers of the checkpoints that verify, ascending. */
async function checkpointsOf(journal: Journal): Promise<number[]> {
  const found: number[] = []
  for (let at: number | undefined = journal.bounds().last; at !== undefined; ) {
    const seq: number | undefined = (await journal.checkpoint(at))?.seq
    if (seq !== undefined) found.unshift(seq)
    at = seq === undefined || seq === 0 ? undefined : seq - 1
  }
  return found
}

function infoText(about: Awaited<ReturnType<typeof tell>>): string {
  const { journal, format, format_version, id, created, first, last, epoch, head } = about
  const lines = [
    ['journal', journal],
    ['format', `${format} ${format_version}`],
    ['id', id],
    ['created', created],
    ['events', last < first ? 'none' : `${first} to ${last}`],
    ['epoch', String(epoch)],
    ['head', `${head.hash}@${head.seq}`],
    ['checkpoints', about.checkpoints.length === 0 ? 'none' : about.checkpoints.join(', ')],
    ['sessions', `${about.sessions} open, ${about.waiting} requests wait`],
    ['backups', `${about.backups_begun} began, ${about.backups.length} run`],
    ...about.remarks.map((text) => ['remark', text]),
  ]
  return [table(lines.map((cells) => cells.map(escaped))), ...contentsTables(about)].join('\n\n')
}
