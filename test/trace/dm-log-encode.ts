/** Writes dm-log-writes logs for tests, byte for byte as the format says, and things that are nearly such logs. */

/** One entry as a test names it: places in sectors, `flags` as the bits on disk. */
export interface RawEntry {
  readonly sector: number
  readonly sectors: number
  readonly flags: number
  readonly data?: Uint8Array
  readonly label?: string
  readonly dataLength?: number
}

export const bit = { flush: 1, fua: 2, discard: 4, mark: 8, meta: 16 } as const

/** The log of `entries`; `promised` is the count in the super block. */
export function encodeLog(
  entries: readonly RawEntry[],
  sectorBytes = 512,
  promised = entries.length,
): Uint8Array {
  const parts = [
    encodeSuper(sectorBytes, promised),
    ...entries.flatMap((entry) => encodeEntry(entry, sectorBytes)),
  ]
  return new Uint8Array(Buffer.concat(parts))
}

export function encodeSuper(sectorBytes: number, promised: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(sectorBytes, 512))
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, 0x006a736677736872n, true)
  view.setBigUint64(8, 1n, true)
  view.setBigUint64(16, BigInt(promised), true)
  view.setUint32(24, sectorBytes, true)
  return bytes
}

/** The header sector and, but for discards and marks, the payload. */
export function encodeEntry(entry: RawEntry, sectorBytes: number): Uint8Array[] {
  const header = new Uint8Array(sectorBytes)
  const view = new DataView(header.buffer)
  const text = new TextEncoder().encode(entry.label ?? '')
  view.setBigUint64(0, BigInt(entry.sector), true)
  view.setBigUint64(8, BigInt(entry.sectors), true)
  view.setBigUint64(16, BigInt(entry.flags), true)
  view.setBigUint64(24, BigInt(entry.dataLength ?? text.length), true)
  header.set(text, 32)
  if ((entry.flags & (bit.discard | bit.mark)) !== 0) return [header]
  return [header, entry.data ?? new Uint8Array(entry.sectors * sectorBytes)]
}
