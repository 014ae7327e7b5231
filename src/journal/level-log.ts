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
    for (const { isChecked, offset } of pieces(source)) {
      if (!isChecked) bad ??= { offset, what: 'a record' }
      else if (bad !== undefined) return bad
    }
    return undefined
  })
}

/** The whole records of a log or manifest, in order; none from the first damage on. */
export function logRecords(path: string): Uint8Array[] {
  return reading(path, (source) => {
    const found: Uint8Array[] = []
    for (const { bytes, isChecked } of records(source)) {
      if (!isChecked) break
      found.push(bytes)
    }
    return found
  })
}

/** What was written to one key: a value, or its removal. */
export interface LogEntry {
  readonly key: Uint8Array
  /** Undefined when the key was removed. */
  readonly value: Uint8Array | undefined
  /** LevelDB's own number of the change: the highest of a key counts. */
  readonly sequence: number
  /** True when the record verified that it lies in. */
  readonly isChecked: boolean
  /** True when it did not and nothing whole lies behind it: torn, as likely as damaged. */
  readonly isTorn: boolean
}

/** The entries of a log: of its whole records, also those behind damage, and of damaged ones what makes sense. */
export function logEntries(path: string): LogEntry[] {
  return reading(path, (source) => {
    const found = [...records(source)]
    const end = found.findLastIndex(({ isChecked }) => isChecked)
    return found.flatMap(({ bytes, isChecked }, k) =>
      Array.from(batch(bytes), (entry) => ({ ...entry, isChecked, isTorn: k > end })),
    )
  })
}

interface Piece {
  readonly offset: number
  readonly type: number
  /** As many as the block has, where it claims more. */
  readonly bytes: Uint8Array
  readonly isChecked: boolean
}

/** The records as they lie, whether they verify or not. */
function* pieces(source: Source): Generator<Piece> {
  for (let start = 0; start < source.size; start += blockBytes) {
    const block = source.bytes(start, blockBytes)
    for (let at = 0; at + headerBytes <= block.length; ) {
      const length = block[at + 4]! | (block[at + 5]! << 8)
      const type = block[at + 6]!
      const end = at + headerBytes + length
      const isChecked = isRecord(block, at, end)
      if (!isChecked && isZero(block.subarray(at))) break
      yield { offset: start + at, type, bytes: block.subarray(at + headerBytes, end), isChecked }
      at = end
    }
  }
}

function isRecord(block: Uint8Array, at: number, end: number): boolean {
  const type = block[at + 6]!
  if (end > block.length || type < whole || type > last) return false
  return crc32c(block.subarray(at + 6, end)) === unmasked(block, at)
}

interface LogRecord {
  readonly bytes: Uint8Array
  readonly isChecked: boolean
}

/** What was written at once, put together. The type of a damaged piece is believed only where it fits. */
function* records(source: Source): Generator<LogRecord> {
  let parts: Uint8Array[] = []
  let isSound = true
  for (const { type, bytes, isChecked } of pieces(source)) {
    const isOpen = parts.length > 0
    if (type === first && (isChecked || !isOpen)) {
      parts = [bytes]
      isSound = isChecked
    } else if (isChecked ? type === whole : !isOpen) {
      parts = []
      yield { bytes, isChecked }
    } else if (isOpen) {
      parts.push(bytes)
      isSound &&= isChecked
      if (type !== last) continue
      yield { bytes: joined(parts), isChecked: isSound }
      parts = []
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

const batchHeaderBytes = 12

function* batch(record: Uint8Array): Generator<Omit<LogEntry, 'isChecked' | 'isTorn'>> {
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
