/** States as checkpoints: the parts of FORMAT.md, and back; and the newest state a journal can give without folding. */

import { Packr, Unpackr } from 'msgpackr'
import { Violation } from '../core/assert.ts'
import { BlockboxError } from '../core/errors.ts'
import type { World } from '../layers/layer.ts'
import { loadWorld, type Page, saveWorld, stateHash } from '../volume/snapshot.ts'
import { newWorld } from '../volume.ts'
import type { Checkpoint, Journal } from './journal.ts'

const cells = 4096
const pageBytes = 16 + cells * 8
const pagesPerPart = 8

const packr = new Packr({ useRecords: false })

/** A checkpoint of a state, but for the hash of its frame, which the journal knows. */
export function checkpointOf(world: World): Omit<Checkpoint, 'frameHash'> {
  const snapshot = saveWorld(world)
  const { low, high } = stateHash(world)
  const parts: Uint8Array[] = [packr.pack(snapshot.plain)]
  let pages: Page[] = []
  for (const page of snapshot.pages) {
    pages.push(page)
    if (pages.length === pagesPerPart) {
      parts.push(encodePages(pages))
      pages = []
    }
  }
  if (pages.length > 0) parts.push(encodePages(pages))
  return { seq: world.seq, stateLow: low, stateHigh: high, parts }
}

/** The state of a checkpoint, which shares no memory with it: what changes later must not change the copy. Undefined when it does not give the hash it should. */
export function worldOf(checkpoint: Checkpoint): World | undefined {
  try {
    const [packed, ...rest] = checkpoint.parts
    const plain: unknown = new Unpackr({ useRecords: false }).unpack(new Uint8Array(packed!))
    const world = loadWorld({ seq: checkpoint.seq, plain, pages: rest.flatMap(decodePages) })
    const { low, high } = stateHash(world)
    return low === checkpoint.stateLow && high === checkpoint.stateHigh ? world : undefined
  } catch {
    return undefined
  }
}

/** The newest state at or before `seq` that needs no folding: a checkpoint, or the state before the first event. */
export async function nearestWorld(journal: Journal, seq: number): Promise<World> {
  const { first } = journal.bounds()
  for (let at = seq; ; ) {
    const checkpoint = await journal.checkpoint(at)
    if (checkpoint === undefined || checkpoint.seq < first - 1) break
    const world = worldOf(checkpoint)
    if (world !== undefined) return world
    at = checkpoint.seq - 1
  }
  return newWorld()
}

/** What it means that the event `world.seq` could not be folded: the journal holds a history that cannot have been. */
export function unfoldable(world: World, error: unknown): BlockboxError {
  if (error instanceof BlockboxError) return error
  const { seq } = world
  const why = error instanceof Error ? error.message : String(error)
  const what = error instanceof Violation ? `breaks rule ${error.rule} (${why})` : `makes no sense (${why})`
  const message = `event ${seq} ${what}: run \`blockbox replay\``
  return new BlockboxError('JOURNAL_CORRUPT', message, { cause: error, seq })
}

function encodePages(pages: readonly Page[]): Uint8Array {
  const bytes = new Uint8Array(pages.length * pageBytes)
  const view = new DataView(bytes.buffer)
  for (const [k, { volume, page, cells: entries }] of pages.entries()) {
    view.setUint32(k * pageBytes, volume, true)
    view.setFloat64(k * pageBytes + 8, page, true)
    bytes.set(new Uint8Array(entries.buffer, entries.byteOffset, entries.byteLength), k * pageBytes + 16)
  }
  return bytes
}

function decodePages(part: Uint8Array): Page[] {
  const pages: Page[] = []
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength)
  for (let at = 0; at + pageBytes <= part.length; at += pageBytes) {
    const entries = new Float64Array(new Uint8Array(part.subarray(at + 16, at + pageBytes)).buffer)
    pages.push({ volume: view.getUint32(at, true), page: view.getFloat64(at + 8, true), cells: entries })
  }
  return pages
}
