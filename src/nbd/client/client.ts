/**
 * A client of one export: connected, negotiated, many requests at once.
 *
 *     open ── close() ──▶ leaving: no more requests, replies are waited for ──▶ closed
 *       └── the server goes, breaks the protocol, or is late ─────────────────▶ failed: who waits gets the reason
 */

import type { Socket } from 'node:net'
import { BlockboxError } from '../../core/errors.ts'
import { commandFlag, transmissionFlag } from '../protocol/constant.ts'
import { maxRequestBytes } from '../protocol/limit.ts'
import { protocolBroken } from '../protocol/nbd-error.ts'
import type { Extent } from '../protocol/reply.ts'
import { type Command, requestHead } from '../protocol/request.ts'
import type { ExportFacts, ListedExport } from '../protocol/server-answer.ts'
import { ServerStream } from '../protocol/server-stream.ts'
import { Agreement } from './agreement.ts'
import { type ClientTls, dial, type ServerAddress } from './dial.ts'
import { Pending, type Reply } from './pending.ts'

export interface ClientOptions {
  readonly tls?: ClientTls
  /** For each step of the negotiation and for each reply, milliseconds. */
  readonly limitMs?: number
}

const defaultLimitMs = 30_000
/** Requests at once. */
const maxPending = 4096
const nothing = new Uint8Array(0)

/** Connects to an export. Throws SOCKET, NBD_REFUSED, NBD_PROTOCOL, NBD_CLOSED, NBD_DEADLINE. */
export async function openClient(
  address: ServerAddress,
  name: string,
  { tls, limitMs = defaultLimitMs }: ClientOptions = {},
): Promise<NbdClient> {
  const waiting = new Map<number, Pending>()
  const stream = new ServerStream((cookie) => {
    const pending = waiting.get(cookie)
    return pending?.type === 'read' ? pending.length : 0
  })
  const agreement = new Agreement(await dial(address, limitMs), stream, limitMs)
  try {
    await agreement.begin(tls)
    const structured = await agreement.structured()
    const allocation = structured ? await agreement.allocation(name) : undefined
    const facts = await agreement.go(name)
    stream.transmit()
    return new NbdClient(agreement.socket, stream, waiting, { facts, allocation, limitMs })
  } catch (error) {
    agreement.socket.destroy()
    throw error
  }
}

/** The exports of a server. Throws as `openClient` does. */
export async function listExports(
  address: ServerAddress,
  { tls, limitMs = defaultLimitMs }: ClientOptions = {},
): Promise<ListedExport[]> {
  const agreement = new Agreement(await dial(address, limitMs), new ServerStream(() => 0), limitMs)
  try {
    await agreement.begin(tls)
    return await agreement.list()
  } finally {
    agreement.socket.destroy()
  }
}

interface Agreed {
  readonly facts: ExportFacts
  readonly allocation: number | undefined
  readonly limitMs: number
}

export class NbdClient {
  readonly #socket: Socket
  readonly #stream: ServerStream
  readonly #waiting: Map<number, Pending>
  readonly #agreed: Agreed
  readonly #watch: NodeJS.Timeout
  /** Resolves with the reason when the connection is over, whoever ended it. */
  readonly over: Promise<Error>
  #cookies = 0
  #ended: Error | undefined
  #setOver: (reason: Error) => void = () => undefined
  #closing: Promise<void> | undefined

  /** See `openClient`. */
  constructor(socket: Socket, stream: ServerStream, waiting: Map<number, Pending>, agreed: Agreed) {
    this.#socket = socket
    this.#stream = stream
    this.#waiting = waiting
    this.#agreed = agreed
    this.over = new Promise((resolve) => {
      this.#setOver = resolve
    })
    this.#watch = setInterval(() => this.#checkDeadline(), Math.max(10, agreed.limitMs / 8))
    socket.on('data', (bytes) => this.#onData(bytes))
    socket.on('error', (cause) => this.#fail(new BlockboxError('NBD_CLOSED', cause.message, { cause })))
    socket.on('close', () => this.#fail(new BlockboxError('NBD_CLOSED', 'the server closed the connection')))
    socket.resume()
  }

  /** Bytes. */
  get size(): number {
    return this.#agreed.facts.size!
  }

  get facts(): Readonly<ExportFacts> {
    return this.#agreed.facts
  }

  get readOnly(): boolean {
    return ((this.#agreed.facts.flags ?? 0) & transmissionFlag.readOnly) !== 0
  }

  /** True when `blockStatus` can be asked. */
  get knowsAllocation(): boolean {
    return this.#agreed.allocation !== undefined
  }

  /** Requests that wait for their replies. */
  get pending(): number {
    return this.#waiting.size
  }

  /** The bytes of [offset, offset + length). Throws RequestFailed, NBD_CLOSED, NBD_DEADLINE, NBD_PROTOCOL; so do all. */
  async read(offset: number, length: number, flags = 0): Promise<Uint8Array> {
    return (await this.request('read', { offset, length, flags })).data
  }

  async write(offset: number, data: Uint8Array, { fua = false } = {}): Promise<void> {
    await this.request('write', { offset, length: data.length, flags: fua ? commandFlag.fua : 0, data })
  }

  async flush(): Promise<void> {
    await this.request('flush', { offset: 0, length: 0 })
  }

  async trim(offset: number, length: number): Promise<void> {
    await this.request('trim', { offset, length })
  }

  async zero(offset: number, length: number, flags = 0): Promise<void> {
    await this.request('writeZeroes', { offset, length, flags })
  }

  /** What lies in a range, from its beginning on; the answer may end before the range does. */
  async blockStatus(offset: number, length: number, { one = false } = {}): Promise<readonly Extent[]> {
    const flags = one ? commandFlag.reqOne : 0
    return (await this.request('blockStatus', { offset, length, flags })).extents
  }

  /** One request as it is. Its data must not be changed before the answer. */
  request(
    type: Command,
    asked: { offset: number; length: number; flags?: number; data?: Uint8Array },
  ): Promise<Reply> {
    const { offset, length, flags = 0, data = nothing } = asked
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    if (this.#waiting.size >= maxPending || data.length > maxRequestBytes) {
      const why = `at most ${maxPending} requests at once, of at most ${maxRequestBytes} bytes`
      return Promise.reject(new BlockboxError('USAGE', why))
    }
    const cookie = ++this.#cookies
    const deadline = performance.now() + this.#agreed.limitMs
    const context = this.#agreed.allocation
    return new Promise((resolve, reject) => {
      this.#waiting.set(cookie, new Pending({ type, offset, length, deadline, context }, resolve, reject))
      this.#socket.cork()
      this.#socket.write(requestHead({ type, flags, cookie, offset, length }))
      if (data.length > 0) this.#socket.write(data)
      process.nextTick(() => this.#socket.uncork())
    })
  }

  /** Waits for what is under way, says goodbye and closes. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Closes at once; who waits gets NBD_CLOSED. */
  destroy(): void {
    this.#fail(new BlockboxError('NBD_CLOSED', 'the connection was closed on this side'))
  }

  async #close(): Promise<void> {
    while (this.#waiting.size > 0 && this.#ended === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    if (this.#ended !== undefined) return
    const closed = new Promise((resolve) => this.#socket.once('close', resolve))
    const cookie = ++this.#cookies
    this.#socket.end(requestHead({ type: 'disconnect', flags: 0, cookie, offset: 0, length: 0 }))
    const late = setTimeout(() => this.#socket.destroy(), this.#agreed.limitMs)
    await closed
    clearTimeout(late)
  }

  #onData(bytes: Uint8Array): void {
    this.#stream.push(bytes)
    try {
      for (;;) {
        const message = this.#stream.next()
        if (message === undefined) return
        if (message.kind !== 'simple' && message.kind !== 'chunk')
          throw protocolBroken('no reply to a request')
        const pending = this.#waiting.get(message.cookie)
        if (pending === undefined) throw protocolBroken('a reply to a request that was not made')
        if (pending.take(message)) this.#waiting.delete(message.cookie)
      }
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  /** Replies come in any order, but each has the same time: who waits longest comes first. */
  #checkDeadline(): void {
    const [oldest] = this.#waiting.values()
    if (oldest === undefined || performance.now() < oldest.deadline) return
    this.#fail(new BlockboxError('NBD_DEADLINE', `no reply within ${this.#agreed.limitMs} ms`))
  }

  #fail(error: Error): void {
    if (this.#ended !== undefined) return
    this.#ended = error
    clearInterval(this.#watch)
    this.#socket.destroy()
    for (const pending of this.#waiting.values()) pending.fail(error)
    this.#waiting.clear()
    this.#setOver(error)
  }
}
