/**
 * SHA-256, the one door through which pure code reaches node:crypto.
 *
 * Shapes: a digest is 32 bytes as a Uint8Array; its short form is the first 8 bytes as two 32-bit numbers
 * (big-endian halves), which is what a row of a frame has room for.
 */

import { createHash, hash } from 'node:crypto'

/** Bytes of a digest. */
export const digestBytes = 32

/** The digest of nothing before the first frame: 32 zero bytes. */
export const noDigest: Uint8Array = new Uint8Array(digestBytes)

/** SHA-256 of `bytes` in one call. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = hash('sha256', bytes, 'buffer')
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.byteLength)
}

/** SHA-256 of several parts as if they were joined. */
export function sha256Parts(parts: Iterable<Uint8Array>): Uint8Array {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return new Uint8Array(digest.digest())
}

/** Incremental SHA-256 for streams whose whole is never held. */
export interface DigestStream {
  update(bytes: Uint8Array | string): void
  hex(): string
}

export function digestStream(): DigestStream {
  const digest = createHash('sha256')
  return { update: (bytes) => void digest.update(bytes), hex: () => digest.digest('hex') }
}

/** Lower-case hexadecimal of bytes. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Bytes of a hexadecimal text; undefined when it is not one of `length` bytes. */
export function fromHex(text: string, length = digestBytes): Uint8Array | undefined {
  if (text.length !== length * 2 || !/^[0-9a-f]*$/i.test(text)) return undefined
  return new Uint8Array(Buffer.from(text, 'hex'))
}

/** True when two byte runs are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false
  return true
}

/** The first four bytes as a number. */
export function shortHigh(digest: Uint8Array): number {
  return ((digest[0]! << 24) | (digest[1]! << 16) | (digest[2]! << 8) | digest[3]!) >>> 0
}

/** Bytes four to seven as a number. */
export function shortLow(digest: Uint8Array): number {
  return ((digest[4]! << 24) | (digest[5]! << 16) | (digest[6]! << 8) | digest[7]!) >>> 0
}
