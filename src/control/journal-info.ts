/** What a journal is and holds, told from a state: the keys are those of printed JSON. */

import { hex } from '../core/digest.ts'
import { contentsOf } from '../inspect/contents.ts'
import { journalIdentity } from '../journal/identity.ts'
import type { Journal } from '../journal/journal.ts'
import type { World } from '../layers/layer.ts'

/** @param world its newest state. Throws JOURNAL_FOREIGN, and what reading checkpoints throws. */
export async function journalInfo(journal: Journal, folder: string, world: World) {
  const { first, last, epoch, head } = journal.bounds()
  const { format, version, id, created } = journalIdentity(folder)
  return {
    journal: folder,
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
    ...contentsOf(world),
    remarks: journal.remarks,
  }
}

export type JournalInfo = Awaited<ReturnType<typeof journalInfo>>

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
