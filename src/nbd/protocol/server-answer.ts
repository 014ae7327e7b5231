/** What the data of a server's messages says: exports, infos, extents, errors. Each throws NBD_PROTOCOL. */

import { chunk, type Errno, errnoName, info, optionError } from './constant.ts'
import { FieldReader } from './field.ts'
import { maxExtents, maxOptionReplyBytes, maxStringBytes } from './limit.ts'
import { protocolBroken } from './nbd-error.ts'
import type { Extent } from './reply.ts'

export interface ListedExport {
  readonly name: string
  readonly description: string
}

export function readListed(data: Uint8Array): ListedExport {
  const fields = new FieldReader(data)
  const name = fields.text(fields.u32(), maxStringBytes)
  return { name, description: fields.text(fields.left, maxOptionReplyBytes) }
}

/** What a server told of an export so far. */
export interface ExportFacts {
  size?: number
  /** Bits of `transmissionFlag`. */
  flags?: number
  minimumBlock?: number
  preferredBlock?: number
  maximumBlock?: number
}

/** Adds what one info says; those that are not known say nothing. */
export function readInfo(data: Uint8Array, facts: ExportFacts): void {
  const fields = new FieldReader(data)
  const what = fields.u16()
  if (what === info.export) {
    facts.size = fields.u64()
    facts.flags = fields.u16()
    if (!Number.isSafeInteger(facts.size)) throw protocolBroken('an export of more than 2^53 bytes')
    fields.end()
  } else if (what === info.blockSize) {
    facts.minimumBlock = fields.u32()
    facts.preferredBlock = fields.u32()
    facts.maximumBlock = fields.u32()
    fields.end()
  }
}

export interface ContextGiven {
  readonly id: number
  readonly name: string
}

export function readContext(data: Uint8Array): ContextGiven {
  const fields = new FieldReader(data)
  return { id: fields.u32(), name: fields.text(fields.left, maxStringBytes) }
}

/** A refusal of an option in words. */
export function refusalText(type: number, data: Uint8Array): string {
  const known =
    Object.entries(optionError).find(([, number]) => number === type)?.[0] ?? `error ${type - 2 ** 31}`
  const said = new FieldReader(data).text(data.length, maxOptionReplyBytes)
  return said === '' ? known : `${known}: ${said}`
}

/** A stretch of the data of a read, as its chunk brings it: bytes, or a length of zeros. */
export interface ReadPiece {
  readonly offset: number
  readonly length: number
  readonly bytes: Uint8Array | undefined
}

export function readPiece(type: number, data: Uint8Array): ReadPiece {
  const fields = new FieldReader(data)
  const offset = fields.u64()
  if (type === chunk.data) return { offset, length: fields.left, bytes: data.subarray(8) }
  const length = fields.u32()
  fields.end()
  return { offset, length, bytes: undefined }
}

export interface ContextExtents {
  readonly context: number
  readonly extents: readonly Extent[]
}

export function readExtents(data: Uint8Array): ContextExtents {
  const fields = new FieldReader(data)
  const context = fields.u32()
  if (fields.left === 0 || fields.left % 8 !== 0 || fields.left > maxExtents * 8) {
    throw protocolBroken(`a block status of ${data.length} bytes`)
  }
  const extents: Extent[] = []
  while (fields.left > 0) {
    const extent = { length: fields.u32(), state: fields.u32() }
    if (extent.length === 0) throw protocolBroken('an extent of no bytes')
    extents.push(extent)
  }
  return { context, extents }
}

/** The error of an error chunk, and what the server says about it. */
export function readError(data: Uint8Array): { readonly errno: Errno; readonly why: string } {
  const fields = new FieldReader(data)
  const errno = errnoName(fields.u32())
  return { errno, why: fields.text(fields.u16(), maxStringBytes) }
}
