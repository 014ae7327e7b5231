/**
 * What a server says, out of bytes that come in any pieces.
 *
 *     greeting ─▶ option reply ─▶ option reply ... ── transmit() ──▶ reply or chunk ─▶ reply or chunk ...
 *
 * The data of a simple reply is as long as its request said, so the stream asks for that by the number of the request.
 */

import { chunk, chunkDone, type Errno, errnoName, magic } from './constant.ts'
import { u16, u32, u64 } from './field.ts'
import { Intake } from './intake.ts'
import { maxExtents, maxOptionReplyBytes, maxRequestBytes } from './limit.ts'
import { protocolBroken } from './nbd-error.ts'

export interface Greeting {
  readonly kind: 'greeting'
  readonly flags: number
}

export interface OptionReply {
  readonly kind: 'option'
  readonly option: number
  readonly type: number
  readonly data: Uint8Array
}

export interface SimpleReply {
  readonly kind: 'simple'
  readonly cookie: number
  readonly error: Errno | undefined
  readonly data: Uint8Array
}

export interface ReplyChunk {
  readonly kind: 'chunk'
  readonly cookie: number
  readonly type: number
  /** True for the last chunk of the reply. */
  readonly done: boolean
  readonly data: Uint8Array
}

export type ServerMessage = Greeting | OptionReply | SimpleReply | ReplyChunk

const nothing = new Uint8Array(0)
const maxOtherChunk = Math.max(64 * 1024, 4 + 8 * maxExtents)

export class ServerStream {
  readonly #intake = new Intake()
  readonly #dataOf: (cookie: number) => number
  #phase: 'greeting' | 'options' | 'replies' = 'greeting'
  #option: { readonly option: number; readonly type: number; readonly length: number } | undefined
  /** The first four bytes of a reply, which tell its form. */
  #form: number | undefined
  #simple: { readonly cookie: number; readonly error: Errno | undefined; readonly length: number } | undefined
  #chunk: (Omit<ReplyChunk, 'data'> & { readonly length: number }) | undefined

  /** @param dataOf how many bytes a simple reply brings when the request of that number succeeded */
  constructor(dataOf: (cookie: number) => number) {
    this.#dataOf = dataOf
  }

  /** True while a message has begun and has not been given out. */
  get underWay(): boolean {
    const begun = this.#option ?? this.#form ?? this.#simple ?? this.#chunk
    return this.#intake.length > 0 || begun !== undefined
  }

  /** From here on the server answers requests. */
  transmit(): void {
    this.#phase = 'replies'
  }

  push(bytes: Uint8Array): void {
    this.#intake.push(bytes)
  }

  /** The next message; undefined when it has not all come. Throws NBD_PROTOCOL. */
  next(): ServerMessage | undefined {
    switch (this.#phase) {
      case 'greeting':
        return this.#takeGreeting()
      case 'options':
        return this.#takeOption()
      case 'replies':
        return this.#takeReply()
    }
  }

  #takeGreeting(): Greeting | undefined {
    const b = this.#intake.take(18)
    if (b === undefined) return undefined
    if (!isMagic(b, 0, magic.greeting)) throw protocolBroken('no NBD server answers here')
    if (!isMagic(b, 8, magic.option)) throw protocolBroken('the server negotiates in the old style')
    this.#phase = 'options'
    return { kind: 'greeting', flags: u16(b, 16) }
  }

  #takeOption(): OptionReply | undefined {
    if (this.#option === undefined) {
      const b = this.#intake.take(20)
      if (b === undefined) return undefined
      if (!isMagic(b, 0, magic.optionReply))
        throw protocolBroken('no reply to an option where one should begin')
      this.#option = { option: u32(b, 8), type: u32(b, 12), length: u32(b, 16) }
      if (this.#option.length > maxOptionReplyBytes) {
        throw protocolBroken(`a reply to an option of ${this.#option.length} bytes`)
      }
    }
    const { option, type, length } = this.#option
    const data = this.#intake.take(length)
    if (data === undefined) return undefined
    this.#option = undefined
    return { kind: 'option', option, type, data }
  }

  #takeReply(): SimpleReply | ReplyChunk | undefined {
    if (this.#simple !== undefined) return this.#endSimple(this.#simple)
    if (this.#chunk !== undefined) return this.#endChunk(this.#chunk)
    if (this.#form === undefined) {
      const word = this.#intake.take(4)
      if (word === undefined) return undefined
      this.#form = u32(word, 0)
    }
    if (this.#form === magic.simpleReply) return this.#takeSimple()
    if (this.#form === magic.structuredReply) return this.#takeChunk()
    throw protocolBroken('no reply where one should begin')
  }

  #takeSimple(): SimpleReply | undefined {
    const b = this.#intake.take(12)
    if (b === undefined) return undefined
    this.#form = undefined
    const cookie = u64(b, 4)
    const error = u32(b, 0) === 0 ? undefined : errnoName(u32(b, 0))
    this.#simple = { cookie, error, length: error === undefined ? this.#dataOf(cookie) : 0 }
    return this.#endSimple(this.#simple)
  }

  #endSimple(simple: { cookie: number; error: Errno | undefined; length: number }): SimpleReply | undefined {
    const { cookie, error, length } = simple
    const data = length === 0 ? nothing : this.#intake.take(length)
    if (data === undefined) return undefined
    this.#simple = undefined
    return { kind: 'simple', cookie, error, data }
  }

  #takeChunk(): ReplyChunk | undefined {
    const b = this.#intake.take(16)
    if (b === undefined) return undefined
    this.#form = undefined
    const type = u16(b, 2)
    const length = u32(b, 12)
    if (length > (type === chunk.data ? maxRequestBytes + 8 : maxOtherChunk)) {
      throw protocolBroken(`a chunk of ${length} bytes`)
    }
    this.#chunk = { kind: 'chunk', cookie: u64(b, 4), type, done: (u16(b, 0) & chunkDone) !== 0, length }
    return this.#endChunk(this.#chunk)
  }

  #endChunk({ length, ...head }: Omit<ReplyChunk, 'data'> & { length: number }): ReplyChunk | undefined {
    const data = this.#intake.take(length)
    if (data === undefined) return undefined
    this.#chunk = undefined
    return { ...head, data }
  }
}

function isMagic(b: Uint8Array, at: number, [high, low]: readonly [number, number]): boolean {
  return u32(b, at) === high && u32(b, at + 4) === low
}
