/** Whether bytes are nothing but zeros. Asked of every piece that is copied or moved, so eight bytes are looked at at once. */

/** True for nothing but zeros, and for nothing at all. */
export function isZeros(bytes: Uint8Array): boolean {
  const start = Math.min(bytes.length, (8 - (bytes.byteOffset & 7)) & 7)
  const words = Math.floor((bytes.length - start) / 8)
  for (let k = 0; k < start; k++) if (bytes[k] !== 0) return false
  for (let k = start + words * 8; k < bytes.length; k++) if (bytes[k] !== 0) return false
  if (words === 0) return true
  const pairs = new Uint32Array(bytes.buffer, bytes.byteOffset + start, words * 2)
  for (let k = 0; k < pairs.length; k += 2) if ((pairs[k]! | pairs[k + 1]!) !== 0) return false
  return true
}
