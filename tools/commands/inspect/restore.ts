/** `blockbox inspect restore [N|PAIR]`: the whole story of a restore; without a name, all there were in a line each. */

import type { Command } from 'commander'
import { BlockboxError } from '../../../src/core/errors.ts'
import { type RestoreRecord, restoreRecord } from '../../../src/inspect/restore-record.ts'
import type { RestoreStory } from '../../../src/inspect/restore-story.ts'
import { RestoreWitness } from '../../../src/inspect/restore-witness.ts'
import type { Scope } from '../../../src/inspect/scope.ts'
import { formatDuration } from '../../duration.ts'
import { type FilterOptions, filterOptions, scopeOf } from '../../filter-option.ts'
import { inspected } from '../../inspection.ts'
import { type JournalOption, journalOption } from '../../journal-option.ts'
import { withJournal } from '../../journal-use.ts'
import { escaped, print, table } from '../../output.ts'
import { proofOf } from './restore-proof.ts'
import { restoreText } from './restore-text.ts'

interface RestoreOptions extends JournalOption, FilterOptions {
  readonly copies?: boolean
  readonly digest?: boolean
  readonly json?: boolean
}

export function addRestore(inspect: Command): void {
  const command = journalOption(inspect.command('restore'))
    .description('what a restore copied, what waited, what hosts did meanwhile, what became of the clone')
    .argument('[restore]', 'its number, or the name of the pair for the last one of it; without it: a list')
    .option('--copies', 'every copy of an extent in a line of its own')
    .option(
      '--digest',
      'SHA-256 of clone and source before and after; compares a clone outside with what was read',
    )
  filterOptions(command, {
    volume: 'only restores of this volume or clone, and requests of it',
    host: 'only requests of this host, and restores that it met',
  })
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
    const scope = await scopeOf(open, options)
    const stories = new RestoreWitness(copies, scope)
    const { world, roster, originNs } = await inspected(open, [stories])
    stories.end(world)
    if (asked === undefined) {
      const records = stories.stories
        .filter((story) => lasted(story, scope))
        .map((story) => restoreRecord(story, roster, originNs))
        .filter((record) => meets(record, options))
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

/** True for one that ran in the stretch. */
function lasted({ started, ended }: RestoreStory, { from, to }: Scope): boolean {
  return started.seq <= to && (ended?.seq ?? Number.POSITIVE_INFINITY) >= from
}

/** True for one of the volume, or its clone, and with requests of the host. */
function meets({ source, clone, hosts }: RestoreRecord, { volume, host }: FilterOptions): boolean {
  const isOf = volume === undefined || source === volume || clone === volume
  return isOf && (host === undefined || hosts.length > 0)
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
  if (records.length === 0) return 'no such restore began in this journal'
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
    cloneText(record.clone_hash.unchanged),
  ])
  return table([titles, ...rows.map((row) => row.map(escaped))], [0, 6, 7, 8])
}

function cloneText(unchanged: boolean | null): string {
  if (unchanged === null) return 'unknown'
  return unchanged ? 'unchanged' : 'changed'
}
