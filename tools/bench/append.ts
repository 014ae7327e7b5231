/**
 * Durable appending, paired: our journal, a blocking append with fdatasync of the same bytes, and better-sqlite3. Small
 * events are host requests without payload, 63 bytes a row and 144 a frame; the others carry 4 KiB each.
 */

import { join } from 'node:path'
import { FileSide } from './append-file.ts'
import { type Group, openJournalSide } from './append-journal.ts'
import { SqliteSide, sqlite } from './append-sqlite.ts'
import { withFolder } from './folder.ts'
import type { Line, Target } from './line.ts'
import { type Contender, collectGarbage, medians, microseconds, type Rounds } from './rounds.ts'

const anchor = 'append + fdatasync'
const peer = 'better-sqlite3 WAL, FULL'

export interface AppendOptions {
  readonly groups: readonly number[]
  /** How many rounds a group of that many events is given. */
  readonly rounds: (events: number) => number
}

/** The lines of all groups. Throws when a side cannot be opened or fails. */
export async function appendLines({ groups, rounds }: AppendOptions): Promise<Line[]> {
  const lines: Line[] = []
  for (const payload of [0, 4096]) {
    for (const events of groups) {
      const group = { events, payload }
      const times = rounds(events)
      lines.push(
        ...(await withFolder((folder) =>
          groupLines(folder, group, { rounds: times, warmup: Math.ceil(times / 2) }),
        )),
      )
      collectGarbage()
    }
  }
  return lines
}

async function groupLines(folder: string, group: Group, rounds: Rounds): Promise<Line[]> {
  const journal = await openJournalSide(join(folder, 'journal'), group)
  const bytes = await journal.commit()
  const file = new FileSide(join(folder, 'file'), bytes)
  const open = await sqlite()
  const database = open?.(join(folder, 'sqlite'))
  const table = database && new SqliteSide(database, group.events, Math.round(bytes / group.events))
  const contenders: Contender[] = [
    { name: anchor, go: () => microseconds(() => file.commit()) },
    { name: 'blockbox journal', go: () => microseconds(() => journal.commit()) },
  ]
  if (table !== undefined) contenders.push({ name: peer, go: () => microseconds(table.commit) })
  try {
    return linesOf(group, await medians(contenders, rounds))
  } finally {
    table?.close()
    file.close()
    await journal.close()
  }
}

function linesOf({ events, payload }: Group, taken: ReadonlyMap<string, number>): Line[] {
  const size = payload === 0 ? 'small' : `${payload / 1024} KiB`
  const group = `append ${size} x ${events}`
  const target: Target | undefined =
    payload === 0 && (events === 1 || events === 64) ? { ratioAtLeast: 0.6 } : undefined
  const lines = [...taken].map(([name, value]): Line => {
    const line = { group, name, value, unit: 'us', ratio: taken.get(anchor)! / value }
    return name === 'blockbox journal' && target !== undefined ? { ...line, target } : line
  })
  if (!taken.has(peer))
    lines.push({ group, name: peer, value: undefined, unit: 'us', remark: 'not installed, or not whole' })
  return lines
}
