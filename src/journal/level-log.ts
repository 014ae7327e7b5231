/**
 * LevelDB's logs and manifests, each record checked against its checksum. Format: doc/log_format.md of LevelDB 1.20; what
 * a log's record holds: db/write_batch.cc.
 *
 *     file     blocks of 32 KiB of records:  checksum (4) length (2) type (1) bytes
 *     batch    sequence (8) count (4) of entries:  1 key value, or 0 key;  each with its length in front
 */

import { crc32c } from '../core/crc32c.ts'
import { type FileFault, isZero, Numbers, reading, type Source, unmasked } from './level-file.ts'

const blockBytes = 32 * 1024
const headerBytes = 7
/** Types of record: all of what was written at once, and the first and last part of it. */
const whole = 1
const first = 2
const last = 4

/** The damage in a log or manifest that has whole records behind it; what is torn at the end is no damage. */
export function logFault(path: string): FileFault | undefined {
  return reading(path, (source) => {
    let bad: FileFault | undefined
    for (const piece of pieces(source)) {
      if ('fault' in piece) bad ??= piece.fault
      else if (bad !== undefined) return bad
    }
    return undefined
  })
}

/** The whole records of a log or manifest, in order; none from the first damage on. */
export function logRecords(path: string): Uint8Array[] {
  return reading(path, (source) => {
    const records: Uint8Array[] = []
    for (const record of joined(pieces(source))) {
      if (record === undefined) break
      records.push(record)
    }
    return records
  })
}

/** What was written to one key: a value, or its removal. */
export interface LogEntry {
  readonly key: Uint8Array
  /** Undefined when the key was removed. */
  readonly value: Uint8Array | undefined
  /** LevelDB's own number of the change: the highest of a key counts. */
  readonly sequence: number
}

/** The entries of all whole records of a log, also of those behind damage. */
export function logEntries(path: string): LogEntry[] {
  return reading(path, (source) => {
    const entries: LogEntry[] = []
    for (const record of joined(pieces(source))) if (record !== undefined) entries.push(...batch(record))
    return entries
  })
}

type Piece = { readonly type: number; readonly bytes: Uint8Array } | { readonly fault: FileFault }

/** The records as they lie, those that do not verify as faults. */
function* pieces(source: Source): Generator<Piece> {
  for (let start = 0; start < source.size; start += blockBytes) {
    const block = source.bytes(start, blockBytes)
    for (let at = 0; at + headerBytes <= block.length; ) {
      const length = block[at + 4]! | (block[at + 5]! << 8)
      const type = block[at + 6]!
      const end = at + headerBytes + length
      if (isRecord(block, at, end)) yield { type, bytes: block.subarray(at + headerBytes, end) }
      else if (isZero(block.subarray(at))) break
      else yield { fault: { offset: start + at, what: 'a record' } }
      at = end
    }
  }
}

function isRecord(block: Uint8Array, at: number, end: number): boolean {
  const type = block[at + 6]!
  if (end > block.length || type < whole || type > last) return false
  return crc32c(block.subarray(at + 6, end)) === unmasked(block, at)
}

/** What was written at once, put together; undefined for each damage. */
function* joined(all: Iterable<Piece>): Generator<Uint8Array | undefined> {
  let parts: Uint8Array[] | undefined
  for (const piece of all) {
    if ('fault' in piece) {
      parts = undefined
      yield undefined
      continue
    }
    const { type, bytes } = piece
    if (type === whole || type === first) parts = []
    parts?.push(bytes)
    if (parts === undefined || (type !== whole && type !== last)) continue
    yield parts.length === 1 ? parts[0] : Buffer.concat(parts)
    parts = undefined
  }
}

const batchHeaderBytes = 12

function* batch(record: Uint8Array): Generator<LogEntry> {
  if (record.length < batchHeaderBytes) return
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  let sequence = Number(view.getBigUint64(0, true))
  const numbers = new Numbers(record, batchHeaderBytes)
  const next = () => {
    const length = numbers.number()
    const bytes = record.subarray(numbers.at, numbers.at + length)
    numbers.at += length
    return bytes
  }
  for (; numbers.at < record.length; sequence++) {
    const isValue = record[numbers.at++] === 1
    const key = next()
    const value = isValue ? next() : undefined
    if (numbers.at > record.length) return
    yield { key, value, sequence }
  }
}
