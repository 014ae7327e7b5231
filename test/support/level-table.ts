/** LevelDB's tables, logs and manifests made by hand, with the right checksums whatever they hold. */

import { crc32c } from '../../src/core/crc32c.ts'

/** A checksum as LevelDB stores it. */
export function sum(bytes: Uint8Array): Buffer {
  const crc = crc32c(bytes)
  const four = Buffer.alloc(4)
  four.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0)
  return four
}

function number(value: number): number[] {
  const bytes: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left]
    bytes.push((left % 128) + 128)
  }
}

/** An entry of a block. */
export const entry = (shared: number, key: Uint8Array, value: Uint8Array) =>
  Buffer.concat([
    Buffer.from([...number(shared), ...number(key.length), ...number(value.length)]),
    key,
    value,
  ])

/** A block as it lies in a table: entries, where they begin, its type, its checksum. */
export function block(entries: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([...entries, Buffer.from([0, 0, 0, 0, 1, 0, 0, 0, 0])])
  return Buffer.concat([body, sum(body)])
}

export interface Handle {
  readonly offset: number
  readonly length: number
}

const handle = ({ offset, length }: Handle) => Buffer.from([...number(offset), ...number(length)])

/** A table of one data block, an index of these handles, a list of these filters; the footer and checksums are right. */
export function table(data: Buffer, index: readonly Handle[], filters: readonly Handle[] = []): Buffer {
  const list = (handles: readonly Handle[]) =>
    block(handles.map((one, k) => entry(0, Buffer.from(String(k).padStart(9, '0')), handle(one))))
  const [meta, places] = [list(filters), list(index)]
  const footer = Buffer.alloc(48)
  const ends = Buffer.concat([
    handle({ offset: data.length, length: meta.length - 5 }),
    handle({ offset: data.length + meta.length, length: places.length - 5 }),
  ])
  ends.copy(footer)
  Buffer.from([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]).copy(footer, 40)
  return Buffer.concat([data, meta, places, footer])
}

/** A record of a log or manifest, its checksum right. */
export function record(body: Uint8Array): Buffer {
  const typed = Buffer.concat([Buffer.from([1]), body])
  return Buffer.concat([sum(typed), Buffer.from([body.length & 255, body.length >> 8]), typed])
}
