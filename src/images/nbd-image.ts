/**
 * Content that another NBD server has: an adapter of the image port. Reads go out as they are asked for, many at once
 * over one connection, each with a deadline.
 *
 *     connected ── the connection is lost, or a reply is late ──▶ connected anew, once, the read asked again
 *                                                                   └── lost again ──▶ the read fails
 */

import { BlockboxError } from '../core/errors.ts'
import type { NbdClient } from '../nbd/client/client.ts'
import { openExport } from '../nbd/client/open-export.ts'
import { type ExportAddress, parseNbdUri } from '../nbd/client/uri.ts'
import type { ExternalImage, OpenImage } from './external.ts'

/** For the connection and for each reply, milliseconds: well within what a guest waits for its disk. */
const limitMs = 10_000
/** Longer reads are asked for in pieces of so many bytes. */
const pieceBytes = 4 * 2 ** 20

/** Connects to the export that an NBD URI names. Throws USAGE for a bad URI, and what `openExport` does. */
export const openNbdImage: OpenImage = async (uri) => {
  const address = parseNbdUri(uri)
  return new NbdImage(uri, address, await openExport(address, limitMs))
}

class NbdImage implements ExternalImage {
  readonly size: number
  readonly #uri: string
  readonly #address: ExportAddress
  #client: Promise<NbdClient>

  constructor(uri: string, address: ExportAddress, client: NbdClient) {
    this.size = client.size
    this.#uri = uri
    this.#address = address
    this.#client = Promise.resolve(client)
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset + length > this.size) {
      throw new BlockboxError('USAGE', `${this.#uri} ends at byte ${this.size}: it became smaller`)
    }
    const asked = this.#client
    try {
      return await readPieces(await asked, offset, length)
    } catch (error) {
      if (!isOfConnection(error)) throw error
      return readPieces(await this.#again(asked), offset, length)
    }
  }

  /** Where the last connection could not be made there is nothing to close. */
  async close(): Promise<void> {
    const client = await this.#client.catch(() => undefined)
    await client?.close()
  }

  /** The next connection, after one that failed: all who met the failure share it. */
  #again(failed: Promise<NbdClient>): Promise<NbdClient> {
    if (this.#client === failed) {
      failed.then(
        (client) => client.destroy(),
        () => undefined,
      )
      this.#client = this.#connect()
      this.#client.catch(() => undefined)
    }
    return this.#client
  }

  async #connect(): Promise<NbdClient> {
    const client = await openExport(this.#address, limitMs)
    if (client.size === this.size) return client
    client.destroy()
    throw new BlockboxError('USAGE', `${this.#uri} had ${this.size} bytes and has ${client.size} now`)
  }
}

async function readPieces(client: NbdClient, offset: number, length: number): Promise<Uint8Array> {
  if (length <= pieceBytes) return client.read(offset, length)
  const bytes = new Uint8Array(length)
  const starts = Array.from({ length: Math.ceil(length / pieceBytes) }, (_, k) => k * pieceBytes)
  await Promise.all(
    starts.map(async (at) => {
      bytes.set(await client.read(offset + at, Math.min(pieceBytes, length - at)), at)
    }),
  )
  return bytes
}

/** True when another connection may do better: the server did not answer this request with an error of its own. */
function isOfConnection(error: unknown): boolean {
  return error instanceof BlockboxError && ['NBD_CLOSED', 'NBD_DEADLINE', 'SOCKET'].includes(error.code)
}
