/** `blockbox inspect restore [N|PAIR]`: the whole story of a restore; without a name, all there were in a line each. */

import type { Command } from 'commander'
import { BlockboxError } from '../../../src/core/errors.ts'
import { type RestoreRecord, restoreRecord } from '../../../src/inspect/restore-record.ts'
import type { RestoreStory } from '../../../src/inspect/restore-story.ts'
import { RestoreWitness } from '../../../src/inspect/restore-witness.ts'
import { formatDuration } from '../../duration.ts'
import { inspected } from '../../inspection.ts'
import { type JournalOption, journalOption } from '../../journal-option.ts'
import { withJournal } from '../../journal-use.ts'
import { escaped, print, table } from '../../output.ts'
import { proofOf } from './restore-proof.ts'
import { restoreText } from './restore-text.ts'

interface RestoreOptions extends JournalOption {
  readonly copies?: boolean
  readonly digest?: boolean
  readonly json?: boolean
}

export function addRestore(inspect: Command): void {
  journalOption(inspect.command('restore'))
    .description('what a restore copied, what waited, what hosts did meanwhile, what became of the clone')
    .argument('[restore]', 'its number, or the name of the pair for the last one of it; without it: a list')
    .option('--copies', 'every copy of an extent in a line of its own')
    .option(
      '--digest',
      'SHA-256 of clone and source before and after; compares a clone outside with what was read',
    )
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox inspect restore -j nightly.journal\n' +
        '  blockbox inspect restore mirror --digest -j nightly.journal\n',
    )
    .action(act)
}

async function act(asked: string | undefined, options: RestoreOptions): Promise<void> {
  const { copies = false, digest = false, json = false } = options
  const text = await withJournal(options, async (open) => {
    const stories = new RestoreWitness(copies)
    const { world, roster, originNs } = await inspected(open, [stories])
    stories.end(world)
    if (asked === undefined) {
      const records = stories.stories.map((story) => restoreRecord(story, roster, originNs))
      return json ? JSON.stringify({ version: 1, restores: records }) : listText(records)
    }
    const story = chosen(stories.stories, asked)
    const record = restoreRecord(story, roster, originNs)
    const proof = digest ? await proofOf(open, story, record) : undefined
    if (json) return JSON.stringify({ version: 1, ...record, ...(proof !== undefined && { proof }) })
    return restoreText(record, proof)
  })
  await print(text)
}

/** By number, else the last one of a pair. Throws USAGE, saying which there are. */
function chosen(stories: readonly RestoreStory[], asked: string): RestoreStory {
  const found = stories.findLast(({ pair }) => pair === asked) ?? stories[Number(asked) - 1]
  if (found !== undefined) return found
  const all = stories.slice(0, 20).map(({ number, pair }) => `${number} (${pair})`)
  const there = all.length === 0 ? 'no restore began in this journal' : `there are ${all.join(', ')}`
  throw new BlockboxError('USAGE', `there is no restore ${asked}: ${there}`)
}

function listText(records: readonly RestoreRecord[]): string {
  if (records.length === 0) return 'no restore began in this journal'
  const titles = ['', 'pair', 'source', 'clone', 'started', '', 'took', 'copied', 'on demand', 'clone']
  const rows = records.map((record) => [
    String(record.number),
    record.pair,
    record.source,
    record.clone,
    record.started.instant,
    record.how,
    formatDuration(record.took_ns),
    String(record.extents.copied_in_background + record.extents.copied_on_demand),
    String(record.extents.copied_on_demand),
    record.clone_hash.unchanged ? 'unchanged' : 'changed',
  ])
  return table([titles, ...rows.map((row) => row.map(escaped))], [0, 6, 7, 8])
}
