/**
 * Whole numbers in records of a trace, in the byte order of the machine that wrote it.
 */

/** Reads unsigned numbers of one byte order; a 64-bit one is `high * 2^32 + low`. */
export interface ByteOrder {
  u16(bytes: Uint8Array, at: number): number
  u32(bytes: Uint8Array, at: number): number
  /** The upper half of the 64-bit number at `at`. */
  high(bytes: Uint8Array, at: number): number
  /** The lower half of the 64-bit number at `at`. */
  low(bytes: Uint8Array, at: number): number
}

export const littleEndian: ByteOrder = {
  u16: (b, at) => b[at]! | (b[at + 1]! << 8),
  u32: little32,
  high: (b, at) => little32(b, at + 4),
  low: little32,
}

export const bigEndian: ByteOrder = {
  u16: (b, at) => (b[at]! << 8) | b[at + 1]!,
  u32: big32,
  high: big32,
  low: (b, at) => big32(b, at + 4),
}

function little32(b: Uint8Array, at: number): number {
  return (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0
}

function big32(b: Uint8Array, at: number): number {
  return ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0
}
