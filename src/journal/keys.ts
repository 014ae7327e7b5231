/** Keys of the journal's tables: one letter, then 8-byte big-endian numbers (FORMAT.md). */

export const tables = { frame: 0x66, payload: 0x70, checkpoint: 0x6b, part: 0x63, base: 0x62 } as const

/** The key of a table's entry; `part` only where a table has two numbers. */
export function key(table: number, number: number, part?: number): Uint8Array {
  const bytes = new Uint8Array(part === undefined ? 9 : 17)
  const view = new DataView(bytes.buffer)
  bytes[0] = table
  view.setBigUint64(1, BigInt(number))
  if (part !== undefined) view.setBigUint64(9, BigInt(part))
  return bytes
}

/** The first number of a key. */
export function numberOf(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(1))
}

/** Everything of a table from `number` on. */
export function from(table: number, number: number): { gte: Uint8Array; lt: Uint8Array } {
  return { gte: key(table, number), lt: end(table) }
}

/** Everything of a table before `number`. */
export function before(table: number, number: number): { gte: Uint8Array; lt: Uint8Array } {
  return { gte: Uint8Array.of(table), lt: key(table, number) }
}

function end(table: number): Uint8Array {
  return Uint8Array.of(table + 1)
}
