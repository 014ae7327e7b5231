/**
 * What a client says, out of bytes that come in any pieces: its flags, options, then requests.
 *
 *     flags ─▶ option ─▶ option ... ── transmit() ──▶ request [data] ─▶ request [data] ...
 *
 * The next message is taken only when it is asked for, for what it means depends on the answer to the one before.
 * An option or a write longer than its bound is given out without its data and is the last: what follows it in the
 * stream cannot be told from its data without draining it.
 */

import { command, magic } from './constant.ts'
import { u16, u32, u64 } from './field.ts'
import { Intake } from './intake.ts'
import { maxOptionBytes, maxRequestBytes } from './limit.ts'
import { protocolBroken } from './nbd-error.ts'

export interface ClientFlags {
  readonly kind: 'flags'
  readonly flags: number
}

export interface ClientOption {
  readonly kind: 'option'
  readonly option: number
  readonly data: Uint8Array
  /** True when it claims more data than an option may have; `data` is then empty and the stream over. */
  readonly tooLong: boolean
}

export interface ClientRequest {
  readonly kind: 'request'
  readonly flags: number
  readonly type: number
  /** The client's own number of the request, in two words. */
  readonly cookieHigh: number
  readonly cookieLow: number
  /** Bytes; rounded above 2^53. */
  readonly offset: number
  /** Bytes, below 2^32. */
  readonly length: number
  /** Of a write; a view of what came, not to be changed. */
  readonly data: Uint8Array | undefined
  /** True for a write of more than a request may have; it has no data, and the stream is over. */
  readonly tooLong: boolean
}

export type ClientMessage = ClientFlags | ClientOption | ClientRequest

const optionHeaderBytes = 16
const requestHeaderBytes = 28
const nothing = new Uint8Array(0)

export class ClientStream {
  readonly #intake = new Intake()
  #phase: 'flags' | 'options' | 'requests' | 'over' = 'flags'
  #option: { readonly option: number; readonly length: number } | undefined
  /** A write whose data has not all come. */
  #request: { -readonly [Field in keyof ClientRequest]: ClientRequest[Field] } | undefined

  /** True while a message has begun and has not been given out. */
  get underWay(): boolean {
    return this.#intake.length > 0 || this.#option !== undefined || this.#request !== undefined
  }

  /** From here on the client sends requests. */
  transmit(): void {
    this.#phase = 'requests'
  }

  push(bytes: Uint8Array): void {
    this.#intake.push(bytes)
  }

  /** The next message; undefined when it has not all come, or the stream is over. Throws NBD_PROTOCOL. */
  next(): ClientMessage | undefined {
    switch (this.#phase) {
      case 'flags':
        return this.#takeFlags()
      case 'options':
        return this.#takeOption()
      case 'requests':
        return this.#takeRequest()
      default:
        return undefined
    }
  }

  #takeFlags(): ClientFlags | undefined {
    const word = this.#intake.take(4)
    if (word === undefined) return undefined
    this.#phase = 'options'
    return { kind: 'flags', flags: u32(word, 0) }
  }

  #takeOption(): ClientOption | undefined {
    if (this.#option === undefined) {
      const header = this.#intake.take(optionHeaderBytes)
      if (header === undefined) return undefined
      if (u32(header, 0) !== magic.option[0] || u32(header, 4) !== magic.option[1]) {
        throw protocolBroken('no option where one should begin')
      }
      this.#option = { option: u32(header, 8), length: u32(header, 12) }
    }
    const { option, length } = this.#option
    if (length > maxOptionBytes) {
      this.#phase = 'over'
      return { kind: 'option', option, data: nothing, tooLong: true }
    }
    const data = this.#intake.take(length)
    if (data === undefined) return undefined
    this.#option = undefined
    return { kind: 'option', option, data, tooLong: false }
  }

  #takeRequest(): ClientRequest | undefined {
    let request = this.#request
    if (request === undefined) {
      const b = this.#intake.take(requestHeaderBytes)
      if (b === undefined) return undefined
      if (u32(b, 0) !== magic.request) throw protocolBroken('no request where one should begin')
      request = {
        kind: 'request',
        flags: u16(b, 4),
        type: u16(b, 6),
        cookieHigh: u32(b, 8),
        cookieLow: u32(b, 12),
        offset: u64(b, 16),
        length: u32(b, 24),
        data: undefined,
        tooLong: false,
      }
      if (request.type !== command.write) return request
      this.#request = request
    }
    if (request.length > maxRequestBytes) {
      this.#phase = 'over'
      request.tooLong = true
      return request
    }
    request.data = this.#intake.take(request.length)
    if (request.data === undefined) return undefined
    this.#request = undefined
    return request
  }
}
