/**
 * Replies to requests: simple ones, and the chunks of structured ones. What is put together here is the head of a
 * reply; data follows it as it is.
 */

import { chunk, chunkDone, type Errno, errno, magic } from './constant.ts'
import { FieldWriter } from './field.ts'

/** The request a reply belongs to, by the client's own number. */
export interface Cookie {
  readonly cookieHigh: number
  readonly cookieLow: number
}

/** A stretch of an export and its state, bits of `allocation`. */
export interface Extent {
  /** Bytes, below 2^32. */
  readonly length: number
  readonly state: number
}

function put32(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 24
  b[at + 1] = value >>> 16
  b[at + 2] = value >>> 8
  b[at + 3] = value
}

/** A simple reply; the data of a read follows it. */
export function simpleReply({ cookieHigh, cookieLow }: Cookie, error?: Errno): Uint8Array {
  const b = new Uint8Array(16)
  put32(b, 0, magic.simpleReply)
  if (error !== undefined) put32(b, 4, errno[error])
  put32(b, 8, cookieHigh)
  put32(b, 12, cookieLow)
  return b
}

/** The head of a chunk with room for `room` of its own bytes; `more` bytes follow behind those. */
function chunkHead(cookie: Cookie, type: number, done: boolean, room: number, more: number): Uint8Array {
  const b = new Uint8Array(20 + room)
  put32(b, 0, magic.structuredReply)
  b[5] = done ? chunkDone : 0
  b[6] = type >>> 8
  b[7] = type
  put32(b, 8, cookie.cookieHigh)
  put32(b, 12, cookie.cookieLow)
  put32(b, 16, room + more)
  return b
}

function putOffset(b: Uint8Array, at: number, offset: number): void {
  put32(b, at, Math.floor(offset / 2 ** 32))
  put32(b, at + 4, offset)
}

/** The head of a chunk of `length` bytes that lie at `offset`; they follow it. */
export function dataChunk(cookie: Cookie, offset: number, length: number, done: boolean): Uint8Array {
  const b = chunkHead(cookie, chunk.data, done, 8, length)
  putOffset(b, 20, offset)
  return b
}

/** A chunk that says: zeros. */
export function holeChunk(cookie: Cookie, offset: number, length: number, done: boolean): Uint8Array {
  const b = chunkHead(cookie, chunk.hole, done, 12, 0)
  putOffset(b, 20, offset)
  put32(b, 28, length)
  return b
}

/** The last chunk of a request that failed, with a word for people. */
export function errorChunk(cookie: Cookie, error: Errno, why: string): Uint8Array {
  const words = new TextEncoder().encode(why.slice(0, 500))
  const data = new FieldWriter().u32(errno[error]).u16(words.length).bytes(words).done()
  return new FieldWriter()
    .bytes(chunkHead(cookie, chunk.error, true, 0, data.length))
    .bytes(data)
    .done()
}

/** The only chunk of a reply that says which stretches hold what. */
export function blockStatusChunk(cookie: Cookie, context: number, extents: readonly Extent[]): Uint8Array {
  const b = chunkHead(cookie, chunk.blockStatus, true, 4 + extents.length * 8, 0)
  put32(b, 20, context)
  for (const [k, { length, state }] of extents.entries()) {
    put32(b, 24 + k * 8, length)
    put32(b, 28 + k * 8, state)
  }
  return b
}
