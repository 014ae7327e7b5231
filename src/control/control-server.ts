/**
 * The control API of an open engine, listening: on a unix socket that its owner alone may open, or on a port of this
 * machine with a token.
 *
 *     listening ── close() ──▶ nobody is let in, streams end, requests under way are answered or cut ──▶ closed
 *         └─ pause() ─▶ streams and copies are cut, requests wait ─ goOn() ─▶ listening, in front of the engine of now
 */

import { rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BlockboxError } from '../core/errors.ts'
import { fileReason } from '../core/file-reason.ts'
import type { Engine } from '../engine/engine.ts'
import { Pause } from '../engine/pause.ts'
import type { Heir, Succession } from '../engine/succession.ts'
import type { Places } from '../images/places.ts'
import type { Journal } from '../journal/journal.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { appOf } from './app.ts'
import { controlSocket, makeWay, shortest } from './control-socket.ts'
import { Copies } from './copies.ts'
import { type HttpLimits, httpLimits, httpServer } from './http-server.ts'
import { Metrics } from './metrics.ts'
import { Owners } from './owners.ts'
import type { Controlled } from './route.ts'
import { routes } from './routes.ts'

export interface ControlOptions {
  /** The folder of the journal. */
  readonly folder: string
  /** A unix socket; `control.sock` in the folder when neither is named. */
  readonly path?: string
  /** A port on 127.0.0.1; 0 takes a free one. It needs a token. */
  readonly port?: number
  /** At least 16 characters, visible ASCII. */
  readonly token?: string
  /** Where the engine looks for clones outside, when they may be said to be elsewhere. */
  readonly places?: Places
  readonly limits?: Partial<HttpLimits>
  /** Where engines take over from each other: what is told of that, and asked for. Add the server to its heirs. */
  readonly succession?: Succession
}

export interface ControlServer extends Heir {
  /** The socket, or the port on 127.0.0.1. */
  readonly address: { readonly path: string } | { readonly port: number }
  close(): Promise<void>
}

/** How long a stop waits for requests under way, milliseconds. */
const drainMs = 5000
const tokenForm = /^[\x21-\x7e]{16,256}$/

/**
 * Serves the API in front of an engine. Close it before the engine. Throws USAGE for a port without a token, or a path
 * too long for a socket; SOCKET when the address cannot be had.
 */
export async function serveControl(
  engine: Engine,
  journal: Journal,
  payload: PayloadStore,
  { folder, path, port, token, places, limits = {}, succession }: ControlOptions,
): Promise<ControlServer> {
  if (path !== undefined && port !== undefined)
    throw new BlockboxError('USAGE', 'a socket or a port, not both')
  if (port !== undefined && !tokenForm.test(token ?? '')) {
    throw new BlockboxError('USAGE', 'a port needs a token of 16 to 256 visible ASCII characters')
  }
  const metrics = new Metrics({ engine, journal }, succession)
  const copies = new Copies()
  const owners = new Owners(engine)
  const pause = new Pause()
  let controlled: Controlled = {
    ...{ engine, journal, payload, folder, owners, copies, places, metrics, succession },
  }
  const now = () => pause.over().then(() => controlled)
  const handler = appOf(routes, now, port === undefined ? undefined : token)
  const { server, stop } = httpServer(handler, { ...httpLimits, ...limits })
  const socket = path ?? controlSocket(folder)
  try {
    if (port === undefined) await listenOnSocket(server, socket)
    else await listening(server, () => server.listen(port, '127.0.0.1'), `127.0.0.1 port ${port}`)
  } catch (error) {
    metrics.close()
    throw error
  }
  const bound = server.address() as AddressInfo | string
  let closing: Promise<unknown> | undefined
  return {
    address: typeof bound === 'string' ? { path: socket } : { port: bound.port },
    async pause() {
      const reason = new BlockboxError('STALLED', 'the journal is being opened anew: ask again')
      pause.begin(reason)
      stop(reason)
      await copies.cut(new BlockboxError('STALLED', 'the journal was opened anew in the middle of the copy'))
    },
    async goOn(reign) {
      controlled = { ...controlled, ...reign, owners: new Owners(reign.engine) }
      metrics.goOn(reign)
      pause.end()
    },
    async close() {
      stop(new BlockboxError('ENGINE_STOPPED', 'the server is stopping'))
      closing ??= Promise.all([copies.close(), close(server)]).finally(() => {
        metrics.close()
        if (port === undefined) rmSync(socket, { force: true })
      })
      await closing
    },
  }
}

/** The socket is made with its rights: at no moment may others open it. */
async function listenOnSocket(server: Server, path: string): Promise<void> {
  await makeWay(path)
  const listen = () => {
    const before = process.umask(0o177)
    try {
      server.listen(shortest(path))
    } finally {
      process.umask(before)
    }
  }
  await listening(server, listen, `socket ${path}`)
}

function listening(server: Server, listen: () => void, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new BlockboxError(
          'SOCKET',
          `cannot listen on ${what}: ${fileReason(cause, 'write') ?? cause.message}`,
          { cause },
        ),
      ),
    )
    server.once('listening', () => {
      server.removeAllListeners('error')
      server.on('error', () => undefined)
      resolve()
    })
    listen()
  })
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const late = setTimeout(() => server.closeAllConnections(), drainMs)
  await closed
  clearTimeout(late)
}
