/**
 * A server: it listens, keeps its connections apart and counted, and ends them in order.
 *
 *     listening ── close() ──▶ draining: nobody is let in, requests under way are answered ──▶ closed
 */

import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { type Address, bind, unbind } from './address.ts'
import { Connection, type ConnectionLimits } from './connection.ts'
import type { Credentials } from './credentials.ts'
import type { Catalog } from './exported.ts'

export interface ServerOptions {
  readonly catalog: Catalog
  /** With certificates nothing is served without TLS. */
  readonly credentials?: Credentials
  /** Connections at once; more are turned away. */
  readonly connections?: number
  readonly limits?: Partial<ConnectionLimits>
  /** How long a stop waits for requests under way, milliseconds. */
  readonly drainMs?: number
}

const defaults: ConnectionLimits = {
  negotiationMs: 10_000,
  stallMs: 60_000,
  idleMs: 0,
  requests: 256,
  bytes: 64 * 2 ** 20,
  allBytes: 256 * 2 ** 20,
}
const defaultConnections = 64
const defaultDrainMs = 10_000

export class NbdServer {
  readonly #options: ServerOptions
  readonly #limits: ConnectionLimits
  readonly #listening: NetServer
  readonly #connections = new Set<Connection>()
  readonly #load = { bytes: 0 }
  #accepted = 0
  #closing: Promise<void> | undefined
  #bound: Address | undefined

  constructor(options: ServerOptions) {
    this.#options = options
    this.#limits = { ...defaults, ...options.limits }
    this.#listening = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) =>
      this.#accept(socket),
    )
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.size
  }

  /** Resolves with the address, the port filled in, once clients may come. Throws SOCKET when it is taken. */
  async listen(address: Address): Promise<Address> {
    this.#bound = await bind(this.#listening, address)
    this.#listening.on('error', () => undefined)
    return this.#bound
  }

  /** Lets nobody in any more, answers what is under way, and closes. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #accept(socket: Socket): void {
    if (
      this.#closing !== undefined ||
      this.#connections.size >= (this.#options.connections ?? defaultConnections)
    ) {
      socket.on('error', () => undefined)
      socket.destroy()
      return
    }
    const { catalog, credentials } = this.#options
    const peer = `nbd-${++this.#accepted}${peerOf(socket)}`
    const connection = new Connection(socket, {
      catalog,
      credentials,
      limits: this.#limits,
      peer,
      load: this.#load,
    })
    this.#connections.add(connection)
    connection.closed.then(
      () => this.#connections.delete(connection),
      () => undefined,
    )
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listening.close(() => resolve()))
    const all = [...this.#connections]
    for (const connection of all) connection.drain()
    const late = setTimeout(() => {
      for (const connection of all) connection.end()
    }, this.#options.drainMs ?? defaultDrainMs)
    await Promise.all(all.map((connection) => connection.closed))
    clearTimeout(late)
    await closed
    if (this.#bound !== undefined) await unbind(this.#bound)
  }
}

/** What a session's name says of the other side: its address where it has one. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined) return ''
  return `-${remoteAddress.replace(/[^A-Za-z0-9.]/g, '_').slice(0, 40)}-${remotePort}`
}
