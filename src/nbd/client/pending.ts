/** A request that waits for its reply, and what has come of it so far. */

import { chunk, type Errno } from '../protocol/constant.ts'
import { protocolBroken, RequestFailed } from '../protocol/nbd-error.ts'
import type { Extent } from '../protocol/reply.ts'
import type { Command } from '../protocol/request.ts'
import { readError, readExtents, readPiece } from '../protocol/server-answer.ts'
import type { ReplyChunk, SimpleReply } from '../protocol/server-stream.ts'

export interface Reply {
  /** Of a read: its bytes. */
  readonly data: Uint8Array
  /** Of a block status. */
  readonly extents: readonly Extent[]
}

const nothing = new Uint8Array(0)

export class Pending {
  readonly type: Command
  readonly offset: number
  readonly length: number
  /** When it is too late for the reply, in the client's own milliseconds. */
  readonly deadline: number
  readonly #context: number | undefined
  readonly #resolve: (reply: Reply) => void
  readonly #reject: (error: Error) => void
  #data: Uint8Array | undefined
  #came = 0
  #extents: readonly Extent[] = []
  #failure: { readonly errno: Errno; readonly why: string } | undefined

  constructor(
    asked: { type: Command; offset: number; length: number; deadline: number; context: number | undefined },
    resolve: (reply: Reply) => void,
    reject: (error: Error) => void,
  ) {
    this.type = asked.type
    this.offset = asked.offset
    this.length = asked.length
    this.deadline = asked.deadline
    this.#context = asked.context
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Takes one message of the reply; true when it was the last. Throws NBD_PROTOCOL. */
  take(message: SimpleReply | ReplyChunk): boolean {
    if (message.kind === 'simple') {
      if (message.error !== undefined) this.#failure = { errno: message.error, why: '' }
      this.#data = message.data
      this.#came = message.data.length
      this.#settle()
      return true
    }
    this.#takeChunk(message)
    if (message.done) this.#settle()
    return message.done
  }

  fail(error: Error): void {
    this.#reject(error)
  }

  #takeChunk({ type, data, done }: ReplyChunk): void {
    if (type >= 0x8000) {
      this.#failure = readError(data)
    } else if (type === chunk.data || type === chunk.hole) this.#takePiece(type, data)
    else if (type === chunk.blockStatus && this.type === 'blockStatus') {
      const { context, extents } = readExtents(data)
      if (context === this.#context) this.#extents = extents
    } else if (type !== chunk.none || !done)
      throw protocolBroken(`a chunk of type ${type} for a ${this.type}`)
  }

  #takePiece(type: number, data: Uint8Array): void {
    const { offset, length, bytes } = readPiece(type, data)
    const at = offset - this.offset
    if (this.type !== 'read' || at < 0 || length === 0 || at + length > this.length) {
      throw protocolBroken('data outside of what was asked for')
    }
    this.#came += length
    if (bytes !== undefined && length === this.length) this.#data = bytes
    else {
      this.#data ??= new Uint8Array(this.length)
      if (bytes !== undefined) this.#data.set(bytes, at)
    }
  }

  /** A read without an error must have brought each of its bytes: fewer, or more, are not to be believed. */
  #settle(): void {
    const what = `${this.type} of ${this.length} bytes at ${this.offset}`
    if (this.#failure !== undefined) {
      return this.#reject(new RequestFailed(this.#failure.errno, what, this.#failure.why))
    }
    if (this.type === 'read' && this.#came !== this.length) {
      return this.#reject(protocolBroken(`${this.#came} bytes came for a ${what}`))
    }
    if (this.type === 'blockStatus' && this.#extents.length === 0) {
      return this.#reject(protocolBroken(`no extents came for a ${what}`))
    }
    this.#resolve({ data: this.#data ?? nothing, extents: this.#extents })
  }
}
