/**
 * A little replayer of dm-log-writes logs for tests, written from the description of the format and sharing nothing
 * with the reader under test.
 */

import { createHash } from 'node:crypto'

export interface ReplayedLog {
  readonly entries: number
  readonly sectorBytes: number
  /** SHA-256 of the image after the first `count` entries. */
  imageAfter(count: number): string
  /** Labels of marks, by the number of their entry. */
  readonly marks: ReadonlyMap<number, string>
}

/** Walks the log and replays any prefix of it onto a volume of zeros. */
export function replayedLog(log: Buffer, volumeBytes: number): ReplayedLog {
  if (log.readBigUInt64LE(0) !== 0x006a736677736872n || log.readBigUInt64LE(8) !== 1n)
    throw new Error('no log')
  const entries = Number(log.readBigUInt64LE(16))
  const sectorBytes = log.readUInt32LE(24)
  const places: { at: number; offset: number; length: number; flags: number }[] = []
  const marks = new Map<number, string>()
  let at = sectorBytes
  for (let k = 0; k < entries; k++) {
    const offset = Number(log.readBigUInt64LE(at)) * sectorBytes
    const length = Number(log.readBigUInt64LE(at + 8)) * sectorBytes
    const flags = Number(log.readBigUInt64LE(at + 16))
    const dataLength = Number(log.readBigUInt64LE(at + 24))
    if (flags & 8) marks.set(k, log.toString('utf8', at + 32, at + 32 + dataLength))
    else if (log[at + 32] !== 0) throw new Error(`entry ${k}: the header is not padded with zeros`)
    places.push({ at: at + sectorBytes, offset, length, flags })
    at += sectorBytes + (flags & 4 ? 0 : length)
  }
  if (at !== log.length) throw new Error(`the log has ${log.length - at} bytes behind its entries`)
  return {
    entries,
    sectorBytes,
    marks,
    imageAfter(count) {
      const image = Buffer.alloc(volumeBytes)
      for (const { at: from, offset, length, flags } of places.slice(0, count)) {
        if (flags & 4) image.fill(0, offset, offset + length)
        else log.copy(image, offset, from, from + length)
      }
      return createHash('sha256').update(image).digest('hex')
    },
  }
}
