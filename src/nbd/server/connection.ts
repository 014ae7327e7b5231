/**
 * One connection, from its greeting to its end.
 *
 *     greeting ─▶ options ─▶ [TLS ─▶ options] ─▶ requests ── disconnect, drain ──▶ answering ─▶ closed
 *        └─────────┴── deadline, broken protocol, TLS failed ────────┴── client gone ──────────────▲
 *
 * The socket is read only while there is room: for one option at a time, for so many requests and bytes under way.
 * Nothing a client does is thrown out of here; the worst it gets is its own end.
 */

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ClientMessage, type ClientRequest, ClientStream } from '../protocol/client-stream.ts'
import { command, handshakeFlag } from '../protocol/constant.ts'
import { maxOptions } from '../protocol/limit.ts'
import { greeting, refusalOf } from '../protocol/option-reply.ts'
import { type Credentials, secured } from './credentials.ts'
import type { Catalog, OpenExport } from './exported.ts'
import { Negotiation, type Outcome } from './negotiation.ts'
import { Outlet } from './outlet.ts'
import { type Load, Transmission } from './transmission.ts'

export interface ConnectionLimits {
  /** From the first byte to the first request, milliseconds. */
  readonly negotiationMs: number
  /** Without a byte more of a message that has begun, or of a reply that is to be taken. */
  readonly stallMs: number
  /** Without a request; 0: for ever, as a mounted disk may lie still. */
  readonly idleMs: number
  /** Requests under way. */
  readonly requests: number
  /** Bytes of data under way, replies that were not taken included; one request may always be. */
  readonly bytes: number
  /** The same of all connections together; one that has no request under way may still take one. */
  readonly allBytes: number
}

export interface ConnectionTerms {
  readonly catalog: Catalog
  readonly credentials: Credentials | undefined
  readonly limits: ConnectionLimits
  readonly peer: string
  /** Shared by all connections of a server. */
  readonly load: Load
}

export class Connection {
  /** Resolves when everything is closed, the session included. Never rejects. */
  readonly closed: Promise<void>
  readonly #terms: ConnectionTerms
  readonly #gone = new AbortController()
  readonly #raw: Socket
  #socket: Duplex
  #outlet: Outlet
  #stream = new ClientStream()
  #negotiation: Negotiation | undefined
  #opened: OpenExport | undefined
  #transmission: Transmission | undefined
  #secure = false
  #noZeroes = false
  /** An option is being answered. */
  #answering = false
  #options = 0
  /** No more bytes come. */
  #finished = false
  /** Nothing more is taken; when all is answered the connection ends. */
  #ending = false
  /** The client said that it was done, or the server is stopping: no request is lost by closing. */
  #orderly = false
  #draining = false
  #timer: NodeJS.Timeout | undefined
  #limitMs = 0
  #since = 0
  #setClosed: () => void = () => undefined

  constructor(socket: Socket, terms: ConnectionTerms) {
    this.#terms = terms
    this.#raw = socket
    this.#socket = socket
    this.closed = new Promise((resolve) => {
      this.#setClosed = resolve
    })
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    this.#outlet = this.#attach(socket)
    this.#outlet.send(greeting())
    this.#deadline(terms.limits.negotiationMs)
  }

  /** Requests from now on are turned away; when those under way are answered the connection ends. */
  drain(): void {
    this.#draining = true
    this.#orderly = true
    if (this.#transmission === undefined) this.end()
    else this.#pump()
  }

  /** Ends at once. */
  end(): void {
    this.#raw.destroy()
    this.#socket.destroy()
  }

  #attach(socket: Duplex): Outlet {
    socket.on('data', this.#onData)
    socket.on('drain', this.#onRoom)
    socket.on('end', this.#onEnd)
    socket.on('error', () => this.end())
    socket.on('close', this.#onClose)
    return new Outlet(socket, this.#onRoom)
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#stream.push(bytes)
    this.#pump()
  }

  readonly #onRoom = (): void => this.#pump()

  /** The client sends no more: what it sent is still taken and answered. */
  readonly #onEnd = (): void => {
    this.#finished = true
    this.#pump()
  }

  readonly #onClose = (): void => {
    if (this.#gone.signal.aborted) return
    clearTimeout(this.#timer)
    this.#gone.abort()
    this.#socket.destroy()
    const closing = this.#opened?.close(this.#orderly) ?? Promise.resolve()
    closing.catch(() => undefined).finally(this.#setClosed)
  }

  /** Takes messages while there is room for them. */
  #pump(): void {
    if (this.#gone.signal.aborted) return
    try {
      while (!this.#ending && this.#hasRoom()) {
        const message = this.#stream.next()
        if (message !== undefined) this.#take(message)
        else if (this.#finished) this.#ending = true
        else break
      }
    } catch {
      this.end()
      return
    }
    this.#settle()
  }

  #hasRoom(): boolean {
    const transmission = this.#transmission
    if (transmission === undefined) return !this.#answering
    const { requests, bytes, allBytes } = this.#terms.limits
    const own = transmission.bytes + this.#outlet.waiting
    if (transmission.requests > 0 && this.#terms.load.bytes >= allBytes) return false
    return transmission.requests < requests && own < bytes
  }

  /** After each turn: end when it is time, read on or wait, and set the deadline that fits. */
  #settle(): void {
    const busy = this.#answering || (this.#transmission?.requests ?? 0) > 0
    if ((this.#ending || this.#draining) && !busy) {
      if (this.#socket.writable && !this.#socket.writableEnded) {
        this.#ending = true
        process.nextTick(() => this.#socket.end(() => this.end()))
      }
      this.#deadline(this.#terms.limits.stallMs)
      return
    }
    if (this.#ending || !this.#hasRoom()) this.#socket.pause()
    else this.#socket.resume()
    if (this.#transmission === undefined) return
    const { stallMs, idleMs } = this.#terms.limits
    const waits = this.#outlet.waiting > 0 || (this.#stream.underWay && this.#hasRoom())
    this.#deadline(waits ? stallMs : busy ? 0 : idleMs)
  }

  /** The connection ends unless something happens in time; 0: it may take for ever. The timer is set again only when it rings. */
  #deadline(ms: number): void {
    this.#limitMs = ms
    this.#since = performance.now()
    if (ms > 0) this.#timer ??= setTimeout(this.#ring, ms)
  }

  readonly #ring = (): void => {
    this.#timer = undefined
    if (this.#limitMs === 0) return
    const left = this.#since + this.#limitMs - performance.now()
    if (left <= 0) this.end()
    else this.#timer = setTimeout(this.#ring, Math.ceil(left))
  }

  #take(message: ClientMessage): void {
    switch (message.kind) {
      case 'flags':
        if ((message.flags & ~(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes)) !== 0) return this.end()
        return this.#begin((message.flags & handshakeFlag.noZeroes) !== 0)
      case 'option':
        this.#options++
        if (message.tooLong) {
          this.#outlet.send(refusalOf(message.option, 'tooBig', 'the data of the option is too long'))
          this.#ending = true
        } else if (this.#options > maxOptions) this.#ending = true
        else this.#answer(message.option, message.data)
        return
      case 'request':
        this.#request(message)
    }
  }

  #begin(noZeroes: boolean): void {
    const { catalog, peer, credentials } = this.#terms
    const tls = this.#secure ? 'done' : credentials === undefined ? 'none' : 'required'
    const signal = this.#gone.signal
    this.#negotiation = new Negotiation({ catalog, peer, tls, signal }, noZeroes)
    this.#noZeroes = noZeroes
  }

  #answer(option: number, data: Uint8Array): void {
    this.#answering = true
    this.#negotiation!.take(option, data.slice())
      .then((outcome) => this.#apply(outcome))
      .catch(() => this.end())
  }

  async #apply({ replies, next }: Outcome): Promise<void> {
    if (this.#gone.signal.aborted) {
      if (typeof next === 'object') await next.opened.close(false)
      return
    }
    this.#answering = false
    for (const reply of replies) this.#outlet.send(reply)
    if (next === 'close') this.#ending = true
    else if (next === 'secure') return this.#goSecure()
    else if (next !== undefined) {
      this.#opened = next.opened
      this.#stream.transmit()
      const { load } = this.#terms
      this.#transmission = new Transmission(next.opened, next.agreed, this.#outlet, load)
    }
    this.#pump()
  }

  /** Bytes that came behind STARTTLS were not encrypted: whoever put them there is not believed. */
  async #goSecure(): Promise<void> {
    const plain = this.#raw
    if (this.#stream.underWay) return this.end()
    plain.pause()
    this.#answering = true
    await new Promise<void>((resolve) => process.nextTick(resolve))
    for (const [event, listener] of [
      ['data', this.#onData],
      ['drain', this.#onRoom],
      ['end', this.#onEnd],
    ] as const) {
      plain.off(event, listener)
    }
    const { credentials, limits } = this.#terms
    const secure = await secured(plain, credentials!, limits.negotiationMs)
    this.#secure = true
    this.#answering = false
    this.#socket = secure
    this.#outlet = this.#attach(secure)
    this.#begin(this.#noZeroes)
  }

  #request(request: ClientRequest): void {
    if (request.type === command.disconnect) {
      this.#orderly = true
      this.#ending = true
    } else if (this.#draining) {
      this.#transmission!.refuse(request, 'ESHUTDOWN', 'the server is stopping')
    } else {
      this.#transmission!.take(request)
      if (request.tooLong) this.#ending = true
    }
  }
}
