/**
 * The audit of a simulated disk: verify, asked about the disk as it lies there, must blame every event that was harmed and
 * no other; where nothing was, nothing.
 *
 *     frame       its first event                  payload      each event whose bytes changed or are gone, in the store
 *     checkpoint  the event it is true at                       or in a segment; of a chunk's header or padding, any
 *                                                               event that brought something in the chunk
 *
 * A checkpoint that a power cut tore is harmed too, though nobody was promised it: verify names it, opening passes it over.
 *
 * Behind a frame that rotted verify reads nothing. A reference that rotted takes the whole of its piece along.
 */

import type { Finding } from '../check/check.ts'
import { sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { Columns, type Row } from '../events/columns.ts'
import { key, numberOf, tables } from '../journal/keys.ts'
import { openStoreJournal } from '../journal/opening.ts'
import { segmentedStore } from '../journal/segmented-store.ts'
import type { KvStore } from '../journal/store.ts'
import type { World } from '../layers/layer.ts'
import { isMerged, mergedBytes } from '../layers/sub-block.ts'
import { chunkHeaderBytes, chunkOf, offsetOf, pieceBytes, pieceOf } from '../payload/chunk.ts'
import { openLevelPayload } from '../payload/level-payload.ts'
import { placeUnit } from '../payload/payload.ts'
import { verify } from '../replay/verify.ts'
import type { Disk } from './disk.ts'
import { FaultyFolder } from './faulty-folder.ts'
import type { FaultyHead } from './faulty-head.ts'
import { FaultyLevel } from './faulty-level.ts'
import { pieceUnder } from './pieces.ts'

/**
 * Looks at a disk that nobody writes to, whose volumes are those of `world`. Gives what verify says and should
 * not, or does not say and should.
 */
export async function audit(disk: Disk, head: FaultyHead, world: World): Promise<Finding[]> {
  const found = await verified(disk, head)
  const torn = tornCheckpoints(disk)
  const isSound = !disk.isHarmed && torn.length === 0
  if (isSound) return found.map(({ seq, detail }) => ({ seq, rule: 'audit', detail }))
  const what = harmText(disk)
  const due = [...(await harmedBy(disk, head)), ...(await harmedPayloads(disk, head, world)), ...torn]
  const unjust = found.filter(({ seq }) => !due.some((some) => some.has(seq)))
  const wrong = unjust.map(({ seq, detail }) => ({ seq, text: `verify blames event ${seq}: ${detail}` }))
  for (const some of endsAtFirst(disk) ? due.slice(0, 1) : due) {
    if (found.some(({ seq }) => some.has(seq))) continue
    const seq = Math.min(...some)
    wrong.push({ seq, text: `verify does not blame event ${seq}` })
  }
  return wrong.map(({ seq, text }) => ({ seq, rule: 'audit', detail: `${what}, ${text}` }))
}

/** The journal on a disk, opened to be looked at by a reader whom nothing misleads. */
async function opened(disk: Disk, head: FaultyHead) {
  const own = disk.fork()
  const store = segmentedStore(new FaultyLevel(own) as unknown as KvStore, new FaultyFolder(own.files))
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

/** True when verify reads no further than the frame that rotted. */
function endsAtFirst({ rotten }: Disk): boolean {
  return rotten?.key[0] === tables.frame
}

/** What rotted in the store and is no payload: the events of which one must be blamed, if any event depends on it. */
async function harmedBy(disk: Disk, head: FaultyHead): Promise<Set<number>[]> {
  const at = disk.rotten?.key
  if (at === undefined || at[0] === tables.payload) return []
  const number = numberOf(at)
  if (at[0] === tables.frame) return [new Set([number])]
  const { store } = await opened(disk.mended(), head)
  return (await store.get(key(tables.checkpoint, number))) === undefined ? [] : [new Set([number])]
}

/** The events whose checkpoints a power cut left a part of. */
function tornCheckpoints({ torn }: Disk): Set<number>[] {
  return torn.filter((at) => at[0] === tables.checkpoint).map((at) => new Set([numberOf(at)]))
}

/** A piece as it was, and as it is now. */
interface Piece {
  readonly piece: number
  readonly was: Uint8Array
  readonly is: Uint8Array
}

/**
 * Of payload that is not what it was: each event whose own bytes changed or are gone, and, of a chunk where none did,
 * those that brought something in it.
 */
async function harmedPayloads(disk: Disk, head: FaultyHead, world: World): Promise<Set<number>[]> {
  const chunks = harmedChunks(disk)
  if (chunks.size === 0) return []
  const brought = new Map<number, { readonly seq: number; readonly isChanged: boolean }[]>()
  const seen = new Set<number>()
  const { journal } = await opened(disk.mended(), head)
  const columns = new Columns()
  for await (const frame of journal.read(journal.bounds().first)) {
    const row = frame.open(columns)
    for (row.index = 0; row.index < frame.count; row.index++) {
      const pieces = row.payload === 0 ? undefined : chunks.get(chunkOf(row.payload))
      if (pieces === undefined || seen.has(row.payload)) continue
      const length = bytesOf(row, world)
      for (let unit = 0; unit * placeUnit < length; unit++) seen.add(row.payload + unit)
      const touched = pieces.map((piece) => isChanged(piece, offsetOf(row.payload), length))
      const one = { seq: row.seq, isChanged: touched.includes(true) }
      brought.set(chunkOf(row.payload), [...(brought.get(chunkOf(row.payload)) ?? []), one])
    }
  }
  return [...brought.values()].flatMap((events) => {
    const changed = events.filter((event) => event.isChanged)
    if (changed.length === 0) return [new Set(events.map(({ seq }) => seq))]
    return changed.map(({ seq }) => new Set([seq]))
  })
}

/** The harmed pieces by their chunks. */
function harmedChunks(disk: Disk): Map<number, Piece[]> {
  const mended = disk.mended()
  const keys = disk.harmed.map(({ key }) => key)
  const { rotten } = disk
  if (rotten?.key[0] === tables.payload) keys.push(rotten.key)
  const chunks = new Map<number, Piece[]>()
  for (const at of keys) {
    const piece = { piece: pieceOf(at), was: pieceUnder(mended, at)!, is: pieceUnder(disk, at)! }
    chunks.set(numberOf(at), [...(chunks.get(numberOf(at)) ?? []), piece])
  }
  return chunks
}

/** True when some of so many bytes of a chunk's data from `offset` on lie in the piece and are not what they were. */
function isChanged({ piece, was, is }: Piece, offset: number, length: number): boolean {
  const from = Math.max(0, offset - piece * pieceBytes)
  const to = Math.min(pieceBytes, offset + length - piece * pieceBytes)
  if (from >= to) return false
  const [before, now] = [was, is].map((bytes) =>
    bytes.subarray(chunkHeaderBytes + from, chunkHeaderBytes + to),
  )
  return !sameBytes(before!, now!)
}

/** Bytes of payload that a row refers to. */
function bytesOf(row: Row, world: World): number {
  const volume = world.volumes[row.volume - 1]
  if (volume === undefined || !isMerged(row, volume.block)) return row.length
  return mergedBytes(row, volume.block)
}

function harmText({ rotten, torn, harmed }: Disk): string {
  const rot = rotten === undefined ? [] : [`bit ${rotten.bit} of ${nameOf(rotten.key)} flipped`]
  const pieces = harmed.map(({ key }) => `the segment of ${nameOf(key)} is harmed`)
  return [...rot, ...torn.map((at) => `${nameOf(at)} is torn`), ...pieces].join(', ')
}

function nameOf(at: Uint8Array): string {
  return `${String.fromCharCode(at[0]!)} ${numberOf(at)}`
}
