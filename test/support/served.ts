/** A server on a unix socket in front of an engine on a journal folder, for tests: opened, used, closed. */

import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openToWrite } from '../../src/engine/open-folder.ts'
import { type NbdClient, openClient } from '../../src/nbd/client/client.ts'
import { VolumeCatalog } from '../../src/nbd/server/catalog.ts'
import { NbdServer, type ServerOptions } from '../../src/nbd/server/server.ts'

export interface ServeOptions extends Partial<Omit<ServerOptions, 'catalog'>> {
  readonly ack?: 'durable' | 'buffered'
  readonly readOnly?: boolean
  /** Bytes of a block of the volume `vol`. */
  readonly block?: number
  /** Bytes of the volume `vol`. */
  readonly size?: number
}

export async function serve({
  ack = 'durable',
  readOnly = false,
  block = 4096,
  size = 2 ** 20,
  ...rest
}: ServeOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-nbd-'))
  const { engine, journal, payload } = await openToWrite(join(folder, 'a.journal'), { create: true, ack })
  await engine.submit({ kind: 'volume.create', detail: { name: 'vol', size, block } })
  const catalog = new VolumeCatalog({ engine, journal, payload, readOnly })
  const server = new NbdServer({ catalog, ...rest })
  const socket = join(folder, 's')
  await server.listen({ socket })
  const clients: NbdClient[] = []
  return {
    folder,
    socket,
    engine,
    journal,
    payload,
    server,
    /** A client that is closed with everything else. */
    async client(name = 'vol', options = {}): Promise<NbdClient> {
      const client = await openClient({ socket }, name, { limitMs: 5000, ...options })
      clients.push(client)
      return client
    },
    /** A bare connection. */
    raw(): Promise<Socket> {
      const bare = connect(socket)
      bare.on('error', () => undefined)
      return new Promise((resolve) => bare.once('connect', () => resolve(bare)))
    },
    async close(): Promise<void> {
      for (const client of clients) client.destroy()
      await server.close()
      catalog.close()
      await engine.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type Served = Awaited<ReturnType<typeof serve>>

/** Runs `use` with a server, which is closed whatever happens. */
export async function withServer(
  options: ServeOptions,
  use: (served: Served) => Promise<void>,
): Promise<void> {
  const served = await serve(options)
  try {
    await use(served)
  } finally {
    await served.close()
  }
}

/** Resolves when the condition holds. Throws when it does not in time. */
export async function until(holds: () => boolean, what: string, limitMs = 5000): Promise<void> {
  const end = performance.now() + limitMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Resolves with all that comes until the other side closes. Throws when it does not in time. */
export async function remainder(socket: Socket, limitMs = 5000): Promise<Buffer> {
  const parts: Buffer[] = []
  socket.on('data', (bytes) => parts.push(bytes))
  await until(() => socket.closed || socket.readableEnded, 'the connection is closed', limitMs)
  socket.destroy()
  return Buffer.concat(parts)
}
