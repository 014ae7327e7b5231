/**
 * Frames: the journal's stored unit, the entries of one group commit. Layout and rules: FORMAT.md.
 *
 * Decoding never trusts the bytes: lengths are checked before anything is read by them, the hash before anything is
 * believed, numbers and details before a reducer sees them.
 */

import { Packr, Unpackr } from 'msgpackr'
import { assert } from '../core/assert.ts'
import { digestBytes, sameBytes, sha256 } from '../core/digest.ts'
import { BlockboxError, type ErrorCode } from '../core/errors.ts'
import { Columns, Row, rowBytes } from '../events/columns.ts'
import { type Detail, detailFault, noDetail } from '../events/detail.ts'
import { kindNames } from '../events/kind.ts'
import { rowsFault } from '../events/rows.ts'

export const headerBytes = 112
const magic = 0x31464242
const version = 1
/** No frame is longer. */
export const maxFrameBytes = 2 ** 30

export const frameFlags = { buffered: 1, closing: 2 } as const

const packr = new Packr({ useRecords: false })

export interface FrameHead {
  /** Sequence number of the first event. */
  readonly first: number
  readonly count: number
  readonly epoch: number
  /** Nanoseconds since the Unix epoch when the frame was sealed. */
  readonly instantNs: bigint
  /** When the frame before it became durable; 0n: not known. */
  readonly durableNs: bigint
  /** Every write up to this sequence number had been answered when the frame was sealed. */
  readonly replied: number
  readonly flags: number
  readonly stateLow: number
  readonly stateHigh: number
}

/** What a new frame is made of. */
export interface FrameParts extends Omit<FrameHead, 'count' | 'epoch'> {
  readonly columns: Columns
  /** Details by row. */
  readonly details: ReadonlyMap<number, Detail>
  /** SHA-256 of the payloads, in the order of the rows that have one. */
  readonly digests: readonly Uint8Array[]
}

/** A frame as stored, its head read and its hash verified. */
export class Frame implements FrameHead {
  readonly bytes: Uint8Array
  readonly first: number
  readonly count: number
  readonly epoch: number
  readonly instantNs: bigint
  readonly durableNs: bigint
  readonly replied: number
  readonly flags: number
  readonly stateLow: number
  readonly stateHigh: number
  readonly #payloads: number
  readonly #detailBytes: number

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.bytes = bytes
    this.first = Number(view.getBigUint64(8, true))
    this.count = view.getUint32(16, true)
    this.epoch = view.getUint32(20, true)
    this.instantNs = view.getBigInt64(24, true)
    this.durableNs = view.getBigInt64(32, true)
    this.replied = Number(view.getBigUint64(40, true))
    this.flags = view.getUint32(48, true)
    this.#payloads = view.getUint32(52, true)
    this.#detailBytes = view.getUint32(56, true)
    this.stateLow = view.getInt32(64, true)
    this.stateHigh = view.getInt32(68, true)
  }

  /** Sequence number of the last event. */
  get last(): number {
    return this.first + this.count - 1
  }

  get hash(): Uint8Array {
    return this.bytes.subarray(this.bytes.length - digestBytes)
  }

  get previous(): Uint8Array {
    return this.bytes.subarray(72, 72 + digestBytes)
  }

  /** SHA-256 of the k-th payload of the frame. */
  digest(k: number): Uint8Array {
    const at = headerBytes + rowBytes * this.count + digestBytes * k
    return this.bytes.subarray(at, at + digestBytes)
  }

  get payloads(): number {
    return this.#payloads
  }

  /**
   * The cursor over the events. Give `columns` to use the same memory for frame after frame: the cursor is then
   * good until the next frame is opened into them.
   */
  open(columns: Columns = new Columns(this.count)): Row {
    columns.load(this.bytes, headerBytes, this.count)
    return new Row(columns, this.first, this.#details())
  }

  #details(): ReadonlyMap<number, Detail> {
    if (this.#detailBytes === 0) return noDetails
    const at = this.bytes.length - digestBytes - this.#detailBytes
    const packed = this.bytes.subarray(at, at + this.#detailBytes)
    try {
      const list = new Unpackr({ useRecords: false }).unpack(packed) as [number, Detail][]
      if (!sameBytes(packr.pack(list), packed)) throw new Error('packed again, the details differ')
      const details = new Map<number, Detail>()
      let before = -1
      for (const [row, detail] of list) {
        if (!Number.isInteger(row) || row <= before || row >= this.count) throw new Error(`no row ${row}`)
        details.set(row, detail)
        before = row
      }
      return details
    } catch (cause) {
      throw corrupt(this.first, 'its details make no sense', cause)
    }
  }
}

const noDetails: ReadonlyMap<number, Detail> = new Map()

/** The stored bytes of a new frame: packs, chains to `previous`, hashes. */
export function encodeFrame(parts: FrameParts, epoch: number, previous: Uint8Array): Frame {
  const { columns, digests } = parts
  const list = [...parts.details].sort(([a], [b]) => a - b)
  const details = list.length === 0 ? new Uint8Array(0) : packr.pack(list)
  const total = headerBytes + rowBytes * columns.count + digestBytes * (digests.length + 1) + details.length
  assert(total <= maxFrameBytes, `a frame has at most ${maxFrameBytes} bytes`)
  const bytes = new Uint8Array(total)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic, true)
  view.setUint16(4, version, true)
  view.setUint16(6, headerBytes, true)
  view.setBigUint64(8, BigInt(parts.first), true)
  view.setUint32(16, columns.count, true)
  view.setUint32(20, epoch, true)
  view.setBigInt64(24, parts.instantNs, true)
  view.setBigInt64(32, parts.durableNs, true)
  view.setBigUint64(40, BigInt(parts.replied), true)
  view.setUint32(48, parts.flags, true)
  view.setUint32(52, digests.length, true)
  view.setUint32(56, details.length, true)
  view.setUint32(60, total, true)
  view.setInt32(64, parts.stateLow, true)
  view.setInt32(68, parts.stateHigh, true)
  bytes.set(previous, 72)
  let at = headerBytes + columns.store(bytes, headerBytes)
  for (const digest of digests) {
    bytes.set(digest, at)
    at += digestBytes
  }
  bytes.set(details, at)
  bytes.set(sha256(bytes.subarray(0, total - digestBytes)), total - digestBytes)
  return new Frame(bytes)
}

/**
 * Reads a stored frame: its shape, its version, its hash, and that it is the one whose key says `first`.
 * Throws JOURNAL_CORRUPT, JOURNAL_GAP or JOURNAL_VERSION naming `first`, the first sequence number that cannot be trusted.
 */
export function decodeFrame(bytes: Uint8Array, first: number): Frame {
  if (bytes.length < headerBytes + rowBytes + digestBytes || bytes.length > maxFrameBytes)
    throw corrupt(first, `it has ${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== magic) throw corrupt(first, 'it does not begin like a frame')
  const found = view.getUint16(4, true)
  const end = bytes.length - digestBytes
  const honest = sameBytes(sha256(bytes.subarray(0, end)), bytes.subarray(end))
  if (honest && found > version) {
    throw new BlockboxError(
      'JOURNAL_VERSION',
      `frame ${first} has format version ${found}: use a newer blockbox`,
      {
        seq: first,
      },
    )
  }
  if (!honest) throw corrupt(first, 'its hash does not match its bytes')
  const frame = new Frame(bytes)
  const { count } = frame
  const size = headerBytes + rowBytes * count + digestBytes * (frame.payloads + 1) + view.getUint32(56, true)
  const shaped = view.getUint16(6, true) === headerBytes && view.getUint32(60, true) === bytes.length
  if (!shaped || count === 0 || size !== bytes.length)
    throw corrupt(first, 'its lengths contradict each other')
  if (frame.first > first)
    throw damage('JOURNAL_GAP', first, `events ${first} to ${frame.first - 1} are missing`)
  if (frame.first < first) throw corrupt(first, `it says that it begins with event ${frame.first}`)
  return frame
}

/** For each kind, whether its rows must have a detail. */
const detailed = Uint8Array.from(kindNames, (kind) =>
  kind !== undefined && detailFault(kind, noDetail) !== undefined ? 1 : 0,
)

/** Checks every row and detail of an opened frame against the vocabulary; throws JOURNAL_CORRUPT. */
export function checkRows(frame: Frame, row: Row): void {
  const fault = rowsFault(row.columns, frame.first)
  if (fault !== undefined) throw corrupt(frame.first + fault.row, fault.text)
  const kinds = row.columns.kind
  for (let index = 0; index < frame.count; index++) {
    const kind = kinds[index]!
    if (detailed[kind] === 0 || row.details.has(index)) continue
    throw corrupt(frame.first + index, `${kindNames[kind]} has no detail`)
  }
  for (const [index, detail] of row.details) {
    const text = detailFault(kindNames[row.columns.kind[index]!]!, detail)
    if (text !== undefined) throw corrupt(frame.first + index, text)
  }
}

function corrupt(seq: number, why: string, cause?: unknown): BlockboxError {
  return damage('JOURNAL_CORRUPT', seq, `the frame of event ${seq} is damaged: ${why}`, cause)
}

/** An error about a journal that cannot be trusted from `seq` on. */
export function damage(code: ErrorCode, seq: number, message: string, cause?: unknown): BlockboxError {
  return new BlockboxError(code, message, cause === undefined ? { seq } : { seq, cause })
}
