/**
 * An image restored behind a fence: storage client, storage server and data mover in one process. The messages of the
 * control network are handed over directly; its bytes and those of the data network are counted apart.
 *
 *     client ── control: one line of JSON ──▶ server ─▶ mover ══ data: the image ══▶ engine
 */

import { basename, dirname, resolve } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import type { Engine } from '../engine/engine.ts'
import { advice, type Code } from '../events/code.ts'
import { fenceNamed, fencesOf } from '../layers/fence-state.ts'
import { exportImages } from '../mover/export-images.ts'
import { imageFolder } from '../mover/image-store.ts'
import { Network } from '../mover/network.ts'
import { StorageClient } from '../mover/storage-client.ts'
import { StorageServer } from '../mover/storage-server.ts'
import { isNbdUri } from '../nbd/client/uri.ts'
import { until } from './rest.ts'

export interface Moved {
  /** ok, or why the engine refused. */
  readonly code: Code
  /** The first event of it. */
  readonly since: number
  /** Bytes over each network. */
  readonly dataBytes: number
  readonly controlBytes: number
}

/**
 * Moves an image behind a fence of `session`. Throws USAGE when it cannot be opened.
 *
 * @param path of a raw file, or the URI of an export of an NBD server.
 */
export async function moveBehind(
  engine: Engine,
  fence: string,
  session: number,
  path: string,
  signal: AbortSignal,
): Promise<Moved> {
  const data = new Network('data')
  const control = new Network('control')
  const remote = isNbdUri(path)
  const images = remote ? exportImages : imageFolder(dirname(resolve(path)))
  const server = new StorageServer({ engine, images, data, control })
  const client = new StorageClient((message) => server.handle(message))
  const since = engine.world.seq + 1
  const reply = await client.restore(fence, session, remote ? path : basename(path))
  await server.idle()
  if (reply.code === 'ok') {
    await until(engine, (world) => !isMoving(fenceNamed(fencesOf(world), fence)?.phase), signal)
  }
  const counted = { since, dataBytes: data.bytes, controlBytes: control.bytes }
  if (reply.code in advice) return { code: reply.code as Code, ...counted }
  throw new BlockboxError('USAGE', `${path}: ${reply.message ?? reply.code}`)
}

/** The phases of a fence while an image comes. */
function isMoving(phase: string | undefined): boolean {
  return phase === 'operating' || phase === 'restoring'
}
