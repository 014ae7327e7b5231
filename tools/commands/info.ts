/** `blockbox info`: what a journal holds, told from its newest state. */

import type { Command } from 'commander'
import { hex } from '../../src/core/digest.ts'
import { type Contents, contentsOf } from '../../src/inspect/contents.ts'
import { journalIdentity } from '../../src/journal/identity.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { worldAt } from '../../src/replay/at.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalDir, journalOption } from '../journal-option.ts'
import { withJournal } from '../journal-use.ts'
import { escaped, print, table } from '../output.ts'
import { formatSize } from '../size.ts'

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
    ...about.remarks.map((text) => ['remark', text]),
  ]
  return [table(lines.map((cells) => cells.map(escaped))), ...contentsText(about)].join('\n\n')
}

/** Tables of what there is any of. Names in a journal are checked: they need no escaping. */
function contentsText({ volumes, pairs, backups, backups_begun, restores }: Contents): string[] {
  const tables: [string[][], number[]][] = [
    [
      [
        ['volume', 'size', 'block', 'mapped'],
        ...volumes.map(({ name, size, block, mapped_bytes }) => [
          name,
          formatSize(size),
          formatSize(block),
          formatSize(mapped_bytes),
        ]),
      ],
      [1, 2, 3],
    ],
    [
      [
        ['pair', 'source', 'clone', 'extent', 'phase', 'differing extents'],
        ...pairs.map(({ name, source, clone, extent, phase, differing_extents }) => [
          name,
          source,
          clone,
          formatSize(extent),
          phase,
          String(differing_extents),
        ]),
      ],
      [3, 5],
    ],
    [
      [
        [`running backup (${backups_begun} began)`, 'phase', 'volumes', 'writes held'],
        ...backups.map(({ name, phase, volumes: covered, held_writes }) => [
          name,
          phase,
          covered.join(','),
          String(held_writes),
        ]),
      ],
      [3],
    ],
    [
      [
        ['restore of pair', 'protected', 'extents to copy', 'background'],
        ...restores.map(({ pair, protected: kept, remaining_extents, background }) => [
          pair,
          kept ? 'yes' : 'no',
          String(remaining_extents),
          background ? 'copying' : 'gave up',
        ]),
      ],
      [2],
    ],
  ]
  return tables.filter(([rows]) => rows.length > 1).map(([rows, right]) => table(rows, right))
}
