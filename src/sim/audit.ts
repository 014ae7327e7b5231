/**
 * The audit of a simulated disk: verify, asked about the disk as it lies there, must blame the event that rot harmed
 * first, and where nothing rotted nothing.
 *
 *     frame       its first event                  payload      the event that brought it; of a chunk's header or
 *     checkpoint  the event it is true at                       padding, any event that brought something in the chunk
 */

import type { Finding } from '../check/check.ts'
import { BlockboxError } from '../core/errors.ts'
import { Columns, type Row } from '../events/columns.ts'
import { changes } from '../events/kind.ts'
import { key, numberOf, tables } from '../journal/keys.ts'
import { openStoreJournal } from '../journal/opening.ts'
import type { KvStore } from '../journal/store.ts'
import { isMerged, mergedBytes } from '../layers/sub-block.ts'
import { chunkHeaderBytes, chunkOf, offsetOf, pieceBytes, pieceOf } from '../payload/chunk.ts'
import { openLevelPayload } from '../payload/level-payload.ts'
import { verify } from '../replay/verify.ts'
import type { Disk, Rotten } from './disk.ts'
import type { FaultyHead } from './faulty-head.ts'
import { FaultyLevel } from './faulty-level.ts'

/**
 * Looks at a disk that nobody writes to, whose volumes have blocks of so many bytes. Gives what verify says and should
 * not, or does not say and should.
 */
export async function audit(disk: Disk, head: FaultyHead, block: number): Promise<Finding[]> {
  const found = await verified(disk, head)
  const { rotten } = disk
  if (rotten === undefined) return found.map(({ seq, detail }) => ({ seq, rule: 'audit', detail }))
  const harmed = await harmedBy(rotten, disk, head, block)
  const what = `bit ${rotten.bit} of ${nameOf(rotten.key)} flipped`
  const [first] = found
  if (first === undefined) {
    return harmed.size === 0
      ? []
      : [{ seq: Math.min(...harmed), rule: 'audit', detail: `${what}, verify is silent` }]
  }
  if (harmed.has(first.seq)) return []
  return [
    { seq: first.seq, rule: 'audit', detail: `${what}, verify blames event ${first.seq}: ${first.detail}` },
  ]
}

/** The journal on a disk, opened to be looked at by a reader whom nothing misleads. */
async function opened(disk: Disk, head: FaultyHead) {
  const store = new FaultyLevel(disk.fork()) as unknown as KvStore
  const payload = await openLevelPayload(store)
  return { journal: await openStoreJournal({ store, head: head.fork(), readOnly: true }), payload, store }
}

async function verified(disk: Disk, head: FaultyHead): Promise<readonly Finding[]> {
  try {
    const { journal, payload } = await opened(disk, head)
    return (await verify(journal, payload)).findings
  } catch (error) {
    if (!(error instanceof BlockboxError) || error.seq === undefined) throw error
    return [{ seq: error.seq, rule: error.code, detail: error.message }]
  }
}

/** The events of which one must be blamed for what rotted; none when no event depends on it. */
async function harmedBy(
  { key: at, bit }: Rotten,
  disk: Disk,
  head: FaultyHead,
  block: number,
): Promise<Set<number>> {
  const number = numberOf(at)
  if (at[0] === tables.frame) return new Set([number])
  const { journal, store } = await opened(disk.mended(), head)
  if (at[0] !== tables.payload) {
    return new Set((await store.get(key(tables.checkpoint, number))) === undefined ? [] : [number])
  }
  const inPiece = (bit >> 3) - chunkHeaderBytes
  const offset = inPiece < 0 ? -1 : pieceOf(at) * pieceBytes + inPiece
  const all = new Set<number>()
  const columns = new Columns()
  for await (const frame of journal.read(journal.bounds().first)) {
    const row = frame.open(columns)
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (row.payload === 0 || chunkOf(row.payload) !== number) continue
      const from = offsetOf(row.payload)
      if (from <= offset && offset < from + bytesOf(row, block)) return new Set([row.seq])
      all.add(row.seq)
    }
  }
  return all
}

/** Bytes of payload that a row refers to. */
function bytesOf(row: Row, block: number): number {
  const merged = row.fate === 'passed' && changes(row.op) && isMerged(row, block)
  return merged ? mergedBytes(row, block) : row.length
}

function nameOf(at: Uint8Array): string {
  return `${String.fromCharCode(at[0]!)} ${numberOf(at)}`
}
