/**
 * What an NBD client says to a server, from the first byte of its connection: options, then requests.
 *
 *     flags -> word --"IHAV"--> option -> skip -> word           word --0x25609513--> request -> [data | skip] -> word
 *                                                                word --0x21e41c71--> request with 64-bit length
 *
 * Requests are big-endian: magic u32, flags u16, type u16, cookie u64, offset u64, length u32 (u64). Only a
 * write carries data. The client alone tells when negotiation is over, by its first request. Old-style servers
 * negotiate nothing, so a connection may begin with a request.
 * Rules: doc/proto.md of the NetworkBlockDevice project.
 */

import { command, commandFlag, magic, option } from '../nbd/protocol/constant.ts'
import { ByteCutter } from './byte-cutter.ts'
import { bigEndian } from './byte-order.ts'
import type { TraceEvent, TraceOp } from './event.ts'

/** A request as the stream has it; `begun` is what its first byte came with. */
export interface NbdRequest<Capture> extends Pick<TraceEvent, 'op' | 'offset' | 'length' | 'flags' | 'data'> {
  readonly begun: Capture
}

type Stage = 'flags' | 'word' | 'option' | 'skip' | 'request' | 'data'

const wordBytes = 4
const optionBytes = 12
const requestBytes = 24
const wideRequestBytes = 28
const { request: requestMagic, wideRequest: wideRequestMagic } = magic
const [optionMagic, optionMagicRest] = magic.option
const maxClientFlags = 0xffff

const ops: readonly TraceOp[] = ['read', 'write', 'close', 'flush', 'discard', 'other', 'zero', 'other']
const placeless: ReadonlySet<TraceOp> = new Set(['close', 'flush'])

export class NbdRequests<Capture> {
  readonly #complain: (reason: string, capture: Capture) => Error
  readonly #cutter = new ByteCutter()
  #stage: Stage = 'flags'
  #transmission = false
  #encrypted = false
  #wide = false
  /** Bytes still to come of what is skipped, or of a write's data. */
  #left = 0
  #request: NbdRequest<Capture> | undefined
  #begun: Capture | undefined

  /** @param complain makes the error for a stream that makes no sense */
  constructor(complain: (reason: string, capture: Capture) => Error) {
    this.#complain = complain
  }

  /** What the first byte of the request under way came with; undefined between requests. */
  get begun(): Capture | undefined {
    return this.#begun
  }

  /** Takes the next bytes of the stream and gives out the requests they complete; the data of one is its own. */
  *push(bytes: Uint8Array, capture: Capture): Generator<NbdRequest<Capture>> {
    this.#cutter.push(bytes)
    for (;;) {
      if (this.#stage === 'word' && this.#cutter.waiting > 0) this.#begun ??= capture
      const piece = this.#cutter.take(this.#wanted())
      if (piece === undefined) return
      this.#accept(piece, capture)
      if (this.#request === undefined || this.#stage !== 'word') continue
      const request = this.#request
      this.#request = undefined
      this.#begun = undefined
      yield request
    }
  }

  #wanted(): number {
    switch (this.#stage) {
      case 'option':
        return optionBytes
      case 'request':
        return this.#wide ? wideRequestBytes : requestBytes
      case 'data':
        return this.#left
      case 'skip':
        return Math.max(1, Math.min(this.#left, this.#cutter.waiting))
      default:
        return wordBytes
    }
  }

  #accept(piece: Uint8Array, capture: Capture): void {
    switch (this.#stage) {
      case 'flags':
      case 'word':
        this.#takeWord(bigEndian.u32(piece, 0), capture)
        return
      case 'option':
        if (bigEndian.u32(piece, 0) !== optionMagicRest) {
          throw this.#complain('no NBD option where one begins', capture)
        }
        this.#encrypted ||= bigEndian.u32(piece, 4) === option.startTls
        this.#begun = undefined
        this.#skip(bigEndian.u32(piece, 8))
        return
      case 'request':
        this.#takeRequest(piece, capture)
        return
      case 'data':
        this.#request = { ...this.#request!, data: piece.slice() }
        this.#stage = 'word'
        return
      default:
        this.#skip(this.#left - piece.length)
    }
  }

  #takeWord(word: number, capture: Capture): void {
    const first = this.#stage === 'flags'
    if (first) this.#begun = capture
    if (word === requestMagic || word === wideRequestMagic) {
      this.#wide = word === wideRequestMagic
      this.#transmission = true
      this.#stage = 'request'
    } else if (first && word <= maxClientFlags) {
      this.#begun = undefined
      this.#stage = 'word'
    } else if (!first && !this.#transmission && word === optionMagic) this.#stage = 'option'
    else if (this.#encrypted) {
      throw this.#complain(
        'the connection goes on encrypted (STARTTLS), so its requests cannot be read',
        capture,
      )
    } else {
      const wanted = this.#transmission ? 'request' : first ? 'handshake' : 'option or request'
      throw this.#complain(`no NBD ${wanted} where one begins; is the port one of an NBD server?`, capture)
    }
  }

  #takeRequest(b: Uint8Array, capture: Capture): void {
    const flags = bigEndian.u16(b, 0)
    const type = bigEndian.u16(b, 2)
    const op = ops[type]
    if (op === undefined) throw this.#complain(`a request has the unknown type ${type}`, capture)
    const offset = bigEndian.high(b, 12) * 2 ** 32 + bigEndian.low(b, 12)
    const length = this.#wide ? bigEndian.high(b, 20) * 2 ** 32 + bigEndian.low(b, 20) : bigEndian.u32(b, 20)
    const placed = !placeless.has(op)
    if (placed && offset + length > Number.MAX_SAFE_INTEGER) {
      throw this.#complain('the range of a request ends beyond 2^53 bytes', capture)
    }
    this.#request = {
      op,
      offset: placed ? offset : null,
      length: placed ? length : null,
      flags: (flags & commandFlag.fua) !== 0 ? ['FUA'] : [],
      begun: this.#begun!,
    }
    if (type === command.write) {
      this.#left = length
      this.#stage = 'data'
    } else this.#skip(this.#wide && (flags & commandFlag.payload) !== 0 ? length : 0)
  }

  #skip(bytes: number): void {
    this.#left = bytes
    this.#stage = bytes === 0 ? 'word' : 'skip'
  }
}
