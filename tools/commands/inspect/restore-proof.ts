/** The proof of what a restore did and left alone: digests of the contents themselves, which costs reading the volumes. */

import type { OpenFolder } from '../../../src/engine/open-folder.ts'
import { imageDigest } from '../../../src/images/export.ts'
import { openRawFile } from '../../../src/images/external.ts'
import type { RestoreRecord } from '../../../src/inspect/restore-record.ts'
import type { RestoreStory } from '../../../src/inspect/restore-story.ts'
import { cloneUnchanged } from '../../../src/replay/clone-unchanged.ts'
import { volumeAt } from '../../../src/replay/volume-at.ts'
import { interrupt } from '../../interrupt.ts'

/** SHA-256 in hexadecimal; or, of a clone outside, what was compared with the file as it is now. */
export interface Proof {
  readonly clone_before?: string
  readonly clone_after?: string
  readonly source_before?: string
  readonly source_after?: string
  readonly outside?: {
    readonly extents: number
    readonly bytes: number
    readonly findings: readonly string[]
  }
}

/** Throws what an image outside throws that cannot be opened. */
export async function proofOf(open: OpenFolder, story: RestoreStory, record: RestoreRecord): Promise<Proof> {
  const { journal, payload } = open
  const digestAt = async (name: string, seq: number) => {
    const { volume } = await volumeAt(journal, name, { by: 'seq', number: seq }, interrupt)
    return imageDigest(volume, payload)
  }
  const before = story.started.seq - 1
  const after = story.ended?.seq ?? journal.bounds().last
  const source_before = await digestAt(record.source, before)
  if (story.clone === 0) {
    const image = await openRawFile(story.path)
    try {
      const { extents, bytes, findings } = await cloneUnchanged(journal, story.tag, image)
      const outside = { extents, bytes, findings: findings.map(({ detail }) => detail) }
      const known = story.how === 'completed' ? { source_after: await digestAt(record.source, after) } : {}
      return { source_before, ...known, outside }
    } finally {
      await image.close()
    }
  }
  return {
    clone_before: await digestAt(record.clone, before),
    clone_after: await digestAt(record.clone, after),
    source_before,
    source_after: await digestAt(record.source, after),
  }
}
