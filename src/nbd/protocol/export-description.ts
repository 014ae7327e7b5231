/**
 * What a client learns of an export: its size, what may be asked of it, and which sizes of request suit it.
 */

import { transmissionFlag as bit, info } from './constant.ts'
import { FieldWriter } from './field.ts'
import { maxRequestBytes } from './limit.ts'

export interface ExportDescription {
  readonly name: string
  /** For people. */
  readonly description: string
  /** Bytes. */
  readonly size: number
  readonly readOnly: boolean
  /** Requests are multiples of this many bytes, and do best as multiples of `preferredBlock`. */
  readonly minimumBlock: number
  readonly preferredBlock: number
  /** The longest read or write in bytes, where it is shorter than what this side takes. */
  readonly maximumBlock?: number
  /** What may be asked, bits of `transmissionFlag`, where another server says so. */
  readonly flags?: number
}

/** The flags of an export. Writes, flushes and views of several connections are one disk, so many may be opened. */
export function transmissionFlags({ readOnly, flags }: ExportDescription): number {
  if (flags !== undefined) return flags
  const common =
    bit.hasFlags | bit.sendFlush | bit.sendFua | bit.sendDontFragment | bit.canMultiConn | bit.sendCache
  const writable = bit.sendTrim | bit.sendWriteZeroes | bit.sendFastZero
  return common | (readOnly ? bit.readOnly : writable)
}

/** The data of the reply that tells one thing about an export; undefined for what there is nothing to tell of. */
export function infoData(about: ExportDescription, what: number): Uint8Array | undefined {
  const fields = new FieldWriter().u16(what)
  switch (what) {
    case info.export:
      return fields.u64(about.size).u16(transmissionFlags(about)).done()
    case info.name:
      return fields.text(about.name).done()
    case info.description:
      return fields.text(about.description).done()
    case info.blockSize: {
      const { minimumBlock, preferredBlock, maximumBlock = maxRequestBytes } = about
      return fields.u32(minimumBlock).u32(preferredBlock).u32(maximumBlock).done()
    }
    default:
      return undefined
  }
}
