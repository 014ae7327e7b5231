/**
 * The requests of one connection on its export: each is checked, asked, and answered when its answer comes, whatever
 * the order. What is under way is bounded by the connection, which takes no further request meanwhile.
 */

import type { ClientRequest } from '../protocol/client-stream.ts'
import { command, commandFlag, type Errno } from '../protocol/constant.ts'
import { maxExtents, maxRequestBytes } from '../protocol/limit.ts'
import {
  blockStatusChunk,
  type Cookie,
  dataChunk,
  errorChunk,
  holeChunk,
  simpleReply,
} from '../protocol/reply.ts'
import type { DiskAnswer, DiskAsker, OpenExport } from './exported.ts'
import { type Failure, failureFrom, failureOf } from './failure.ts'
import type { Agreed } from './negotiation.ts'
import type { Outlet } from './outlet.ts'
import { stretches } from './zeros.ts'

/** Flags that each kind of request may have. */
const allowedFlags: Readonly<Record<number, number>> = {
  [command.read]: commandFlag.fua | commandFlag.dontFragment,
  [command.write]: commandFlag.fua,
  [command.disconnect]: 0,
  [command.flush]: commandFlag.fua,
  [command.trim]: commandFlag.fua,
  [command.cache]: commandFlag.fua,
  [command.writeZeroes]: commandFlag.fua | commandFlag.noHole | commandFlag.fastZero,
  [command.blockStatus]: commandFlag.fua | commandFlag.reqOne,
}

const kindOf = {
  [command.read]: 'io.read',
  [command.write]: 'io.write',
  [command.flush]: 'io.flush',
  [command.trim]: 'io.discard',
  [command.writeZeroes]: 'io.zeroes',
} as const

/** What all connections of a server carry together, in bytes of data. */
export interface Load {
  bytes: number
}

export class Transmission {
  readonly #opened: OpenExport
  readonly #agreed: Agreed
  readonly #outlet: Outlet
  readonly #load: Load
  #requests = 0
  #bytes = 0

  /** Each answer goes to `outlet`, which says when it went: there is room for another request then. */
  constructor(opened: OpenExport, agreed: Agreed, outlet: Outlet, load: Load) {
    this.#opened = opened
    this.#agreed = agreed
    this.#outlet = outlet
    this.#load = load
  }

  /** Requests that are not answered yet. */
  get requests(): number {
    return this.#requests
  }

  /** Bytes of data that requests under way carry or will be answered with. */
  get bytes(): number {
    return this.#bytes
  }

  /** Takes a request other than a disconnect. */
  take(request: ClientRequest): void {
    const wrong = this.#wrong(request)
    if (wrong !== undefined) return this.#fail(request, wrong)
    switch (request.type) {
      case command.cache:
        return this.#done(request)
      case command.blockStatus:
        return this.#blockStatus(request)
      default:
        this.#ask(request)
    }
  }

  /** Refuses a request without asking anybody. */
  refuse(request: ClientRequest, errno: Errno, why: string): void {
    this.#fail(request, { errno, why })
  }

  #wrong(request: ClientRequest): Failure | undefined {
    const { type, flags, offset, length, tooLong } = request
    const allowed = allowedFlags[type]
    if (allowed === undefined) return invalid(`request type ${type} is not known here`)
    if ((flags & ~allowed) !== 0)
      return invalid(`flags ${flags & ~allowed} mean nothing to request type ${type}`)
    if (tooLong || (type === command.read && length > maxRequestBytes)) {
      return invalid(`${length} bytes are more than ${maxRequestBytes}: split the request`)
    }
    const changes = type === command.write || type === command.trim || type === command.writeZeroes
    const { readOnly, size } = this.#opened.description
    if (changes && readOnly) return failureOf('E_READ_ONLY', true)
    if (type === command.flush) return undefined
    if (length === 0) return invalid('the request is about no bytes')
    if (type !== command.cache && type !== command.blockStatus) return undefined
    if (offset > size - length) return failureOf('E_RANGE', false)
    if (type === command.cache || this.#agreed.allocation !== undefined) return undefined
    return invalid('base:allocation was not agreed on')
  }

  #ask(request: ClientRequest): void {
    const { type, flags, offset, length, data } = request
    const kind = kindOf[type as keyof typeof kindOf]
    const bytes = type === command.read || data !== undefined ? length : 0
    const fua = (flags & commandFlag.fua) !== 0
    const noHole = (flags & commandFlag.noHole) !== 0
    const fastZero = (flags & commandFlag.fastZero) !== 0
    this.#begin(bytes)
    const asker = new Carried(request, bytes, this.#answered, this.#failed)
    this.#opened.submit({ kind, offset, length, fua, noHole, fastZero, data }, asker)
  }

  /** Counts a request among those under way, which it is until it is answered. */
  #begin(bytes: number): void {
    this.#requests++
    this.#bytes += bytes
    this.#load.bytes += bytes
  }

  #end(bytes: number): void {
    this.#requests--
    this.#bytes -= bytes
    this.#load.bytes -= bytes
  }

  readonly #answered = (request: ClientRequest, bytes: number, answer: DiskAnswer): void => {
    const { code, data, failure } = answer
    this.#end(bytes)
    const { type } = request
    if (code !== 'ok') {
      const grows = type === command.write || type === command.writeZeroes
      this.#fail(request, failure ?? failureOf(code, grows))
    } else if (type === command.read) this.#sendRead(request, data!)
    else this.#done(request)
  }

  readonly #failed = (request: ClientRequest, bytes: number, error: unknown): void => {
    this.#end(bytes)
    this.#fail(request, failureFrom(error))
  }

  #sendRead(request: ClientRequest, data: Uint8Array): void {
    const { offset, length, flags } = request
    if (!this.#agreed.structured) return this.#outlet.send(simpleReply(request), data)
    if ((flags & commandFlag.dontFragment) !== 0) {
      return this.#outlet.send(dataChunk(request, offset, length, true), data)
    }
    for (const { from, to, zero } of stretches(data)) {
      const done = to === length
      if (zero) this.#outlet.send(holeChunk(request, offset + from, to - from, done))
      else this.#outlet.send(dataChunk(request, offset + from, to - from, done), data.subarray(from, to))
    }
  }

  #blockStatus(request: ClientRequest): void {
    const { offset, length, flags } = request
    const one = (flags & commandFlag.reqOne) !== 0
    this.#begin(0)
    this.#opened.extents(offset, length, one ? 1 : maxExtents).then(
      (found) => {
        this.#end(0)
        const extents = found.length > 0 ? found : [{ length, state: 0 }]
        this.#outlet.send(blockStatusChunk(request, this.#agreed.allocation!, extents))
      },
      (error: unknown) => this.#failed(request, 0, error),
    )
  }

  #done(cookie: Cookie): void {
    this.#outlet.send(simpleReply(cookie))
  }

  #fail(request: ClientRequest, { errno, why }: Failure): void {
    this.#outlet.send(this.#agreed.structured ? errorChunk(request, errno, why) : simpleReply(request, errno))
  }
}

/** A request under way: where its answer comes. One object a request, for there are many. */
class Carried implements DiskAsker {
  readonly #request: ClientRequest
  readonly #bytes: number
  readonly #answered: (request: ClientRequest, bytes: number, answer: DiskAnswer) => void
  readonly #failed: (request: ClientRequest, bytes: number, error: unknown) => void

  constructor(
    request: ClientRequest,
    bytes: number,
    answered: (request: ClientRequest, bytes: number, answer: DiskAnswer) => void,
    failed: (request: ClientRequest, bytes: number, error: unknown) => void,
  ) {
    this.#request = request
    this.#bytes = bytes
    this.#answered = answered
    this.#failed = failed
  }

  resolve(answer: DiskAnswer): void {
    this.#answered(this.#request, this.#bytes, answer)
  }

  reject(error: unknown): void {
    this.#failed(this.#request, this.#bytes, error)
  }
}

function invalid(why: string): Failure {
  return { errno: 'EINVAL', why }
}
