/**
 * An image restored behind a fence: storage client, storage server and data mover in one process, joined by the control
 * network (TCP on loopback) and the data network, whose bytes are counted apart.
 *
 *     client ══ control: one line of JSON ══▶ server ─▶ mover ══ data: the image ══▶ engine
 */

import type { AddressInfo } from 'node:net'
import { basename, dirname, resolve } from 'node:path'
import { BlockboxError } from '../src/core/errors.ts'
import type { Engine } from '../src/engine/engine.ts'
import { advice, type Code } from '../src/events/code.ts'
import { connectControl, listenControl } from '../src/mover/control-link.ts'
import { imageFolder } from '../src/mover/image-store.ts'
import { Network } from '../src/mover/network.ts'
import { StorageClient } from '../src/mover/storage-client.ts'
import { StorageServer } from '../src/mover/storage-server.ts'

export interface Moved {
  /** ok, or why the engine refused. */
  readonly code: Code
  /** Bytes over each network. */
  readonly dataBytes: number
  readonly controlBytes: number
}

/** Moves the raw image at `path` behind a fence of `session`. Throws USAGE when the image cannot be opened. */
export async function moveBehind(
  engine: Engine,
  fence: string,
  session: number,
  path: string,
): Promise<Moved> {
  const data = new Network('data')
  const control = new Network('control')
  const images = imageFolder(dirname(resolve(path)))
  const server = new StorageServer({ engine, images, data, control })
  const listening = await listenControl(server)
  const link = await connectControl((listening.address() as AddressInfo).port)
  try {
    const reply = await new StorageClient(link.channel).restore(fence, session, basename(path))
    await server.idle()
    await engine.settled()
    const counted = { dataBytes: data.bytes, controlBytes: control.bytes }
    if (reply.code in advice) return { code: reply.code as Code, ...counted }
    throw new BlockboxError('USAGE', `${path}: ${reply.message ?? reply.code}`)
  } finally {
    link.close()
    await new Promise((done) => listening.close(done))
  }
}
