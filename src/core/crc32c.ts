/**
 * CRC-32C (Castagnoli), the checksum inside LevelDB's files: reflected polynomial 0x82f63b78, eight bytes a step.
 */

const tables = makeTables()

/** The checksum of `bytes` behind those whose checksum is `before`; an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const t = tables
  let crc = ~before
  let at = 0
  for (const end = bytes.length - 7; at < end; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      t[1792 + (crc & 255)]! ^
      t[1536 + ((crc >>> 8) & 255)]! ^
      t[1280 + ((crc >>> 16) & 255)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + bytes[at + 4]!]! ^
      t[512 + bytes[at + 5]!]! ^
      t[256 + bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!
  }
  for (; at < bytes.length; at++) crc = t[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Eight tables of 256, the k-th for a byte with k zero bytes behind it. */
function makeTables(): Int32Array {
  const t = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    t[byte] = crc
  }
  for (let k = 256; k < t.length; k++) t[k] = t[t[k - 256]! & 255]! ^ (t[k - 256]! >>> 8)
  return t
}
