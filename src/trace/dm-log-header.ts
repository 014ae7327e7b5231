/**
 * The two fixed records of a dm-log-writes log: its super block and the header of an entry.
 *
 * Integers are little-endian, S is the sector size. Super block: magic u64, version u64, entries u64, sector
 * size u32. Header, one sector: sector u64, sectors u64, flags u64, data length u64, then zeros to S, or the
 * text of a mark. Places are counted in units of S.
 * Rules: drivers/md/dm-log-writes.c (Linux), block/blklogwrites.c (QEMU), src/log-writes (xfstests).
 */

import { BlockboxError } from '../core/errors.ts'
import type { TraceFlag, TraceOp } from './event.ts'

/** First eight bytes of a log: the text `rhswfsj` and a zero. */
export const dmLogMagic: Uint8Array = Uint8Array.of(0x72, 0x68, 0x73, 0x77, 0x66, 0x73, 0x6a, 0)

/** Bytes of a super block that say something; zeros follow to S. */
export const dmLogSuperBytes = 28

/** The most payload one entry may have, in bytes. */
export const dmLogMaxPayload = 2 ** 30

const headerBytes = 32
const minSector = 512
const maxSector = 2 ** 24

/** Bits of the flags of an entry. */
export const dmLogBits = { flush: 1, fua: 2, discard: 4, mark: 8, meta: 16 } as const

const { flush, fua, discard, mark, meta } = dmLogBits
const knownFlags = flush | fua | discard | mark | meta

export interface DmLogSuper {
  readonly entries: number
  readonly sectorBytes: number
}

/** An entry but for its payload; `payload` is how many bytes of it follow the header. */
export interface DmLogHeader {
  readonly op: TraceOp
  readonly flags: readonly TraceFlag[]
  readonly offset: number
  readonly length: number
  readonly payload: number
  readonly label: string | undefined
}

/** What a header says that cannot be; `byte` counts from the start of the header. */
export interface DmLogNonsense {
  readonly byte: number
  readonly reason: string
}

const text = new TextDecoder()

/** The error for a log that makes no sense at a byte. */
export function dmLogDamage(byte: number, reason: string): BlockboxError {
  return new BlockboxError('TRACE_FORMAT', `byte ${byte}: ${reason}`)
}

/** Reads the first 28 bytes. Throws TRACE_FORMAT with the byte when they are no super block. */
export function readDmLogSuper(bytes: Uint8Array): DmLogSuper {
  const view = viewOf(bytes)
  if (dmLogMagic.some((byte, k) => byte !== bytes[k])) {
    throw dmLogDamage(0, 'not the magic number of a dm-log-writes log; name the right format')
  }
  const version = view.getBigUint64(8, true)
  if (version !== 1n)
    throw dmLogDamage(8, `version ${version} of the log is unknown; only version 1 can be read`)
  const entries = safe(view, 16)
  if (entries === undefined)
    throw dmLogDamage(16, 'the super block promises more entries than any file holds')
  const sectorBytes = view.getUint32(24, true)
  if (sectorBytes < minSector || sectorBytes >= maxSector || (sectorBytes & (sectorBytes - 1)) !== 0) {
    throw dmLogDamage(
      24,
      `sector size ${sectorBytes} is no power of two from ${minSector} to ${maxSector / 2}`,
    )
  }
  return { entries, sectorBytes }
}

/**
 * Reads the header sector of an entry; its size is that of `bytes`. Undefined for a header without sectors and
 * flags: nothing was ever logged here.
 */
export function readDmLogHeader(bytes: Uint8Array): DmLogHeader | DmLogNonsense | undefined {
  const view = viewOf(bytes)
  const bits = view.getUint32(16, true)
  if (view.getUint32(20, true) !== 0 || bits > knownFlags) {
    return { byte: 16, reason: `flags 0x${view.getBigUint64(16, true).toString(16)} have unknown bits` }
  }
  const length = (safe(view, 8) ?? Infinity) * bytes.length
  if (length === 0 && bits === 0) return undefined
  const offset = (safe(view, 0) ?? Infinity) * bytes.length
  if (offset > Number.MAX_SAFE_INTEGER) return { byte: 0, reason: 'the sector lies beyond 2^53 bytes' }
  if (offset + length > Number.MAX_SAFE_INTEGER)
    return { byte: 8, reason: 'the range ends beyond 2^53 bytes' }
  const op = opOf(bits, length)
  if (op === 'mark' && length > 0) return { byte: 8, reason: 'a mark has no sectors, this one has' }
  const payload = op === 'write' ? length : 0
  if (payload > dmLogMaxPayload) {
    return { byte: 8, reason: `a payload of ${payload} bytes is above the limit of ${dmLogMaxPayload}` }
  }
  const place = op === 'mark' ? bytes.length - headerBytes - 1 : payload
  const dataBytes = view.getBigUint64(24, true)
  if (dataBytes > BigInt(place)) {
    return { byte: 24, reason: `a data length of ${dataBytes} exceeds the ${place} bytes there are for it` }
  }
  const end = headerBytes + (op === 'mark' ? Number(dataBytes) : 0)
  for (let k = end; k < bytes.length; k++) {
    if (bytes[k] !== 0) return { byte: k, reason: 'a header ends with zeros, this one does not' }
  }
  const label = op === 'mark' ? labelOf(bytes.subarray(headerBytes, end)) : undefined
  return { op, flags: flagsOf(bits, op), offset, length, payload, label }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The u64 at `at`; undefined when it is beyond 2^53. */
function safe(view: DataView, at: number): number | undefined {
  const value = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined
}

function opOf(bits: number, length: number): TraceOp {
  if ((bits & mark) !== 0) return 'mark'
  if ((bits & discard) !== 0) return 'discard'
  return (bits & flush) !== 0 && length === 0 ? 'flush' : 'write'
}

function flagsOf(bits: number, op: TraceOp): TraceFlag[] {
  const flags: TraceFlag[] = []
  if ((bits & flush) !== 0 && op !== 'flush') flags.push('FLUSH')
  if ((bits & fua) !== 0) flags.push('FUA')
  if ((bits & meta) !== 0) flags.push('META')
  return flags
}

function labelOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return text.decode(end < 0 ? bytes : bytes.subarray(0, end))
}
