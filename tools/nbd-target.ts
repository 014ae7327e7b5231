/**
 * A volume's content written to an export of an NBD server: pieces and zeros, several at once, then a flush. What the
 * export holds beyond the end of the volume stays.
 *
 *     connect ─▶ large enough, writable? ─▶ write, zero ... ─▶ flush ─▶ close
 */

import { BlockboxError } from '../src/core/errors.ts'
import type { Piece } from '../src/images/export.ts'
import type { NbdClient } from '../src/nbd/client/client.ts'
import { openExport } from '../src/nbd/client/open-export.ts'
import { parseNbdUri } from '../src/nbd/client/uri.ts'
import { transmissionFlag } from '../src/nbd/protocol/constant.ts'

/** Requests at once. */
const window = 8
/** The longest request for zeros, in bytes. */
const zeroBytes = 256 * 2 ** 20

/** Connects to an export that can take `size` bytes. Throws USAGE when it cannot, or what the connection throws. */
export async function openNbdTarget(uri: string, size: number): Promise<NbdClient> {
  const client = await openExport(parseNbdUri(uri))
  if (!client.readOnly && client.size >= size) return client
  client.destroy()
  if (client.readOnly) throw new BlockboxError('USAGE', `${uri} cannot be written: name another export`)
  const why = `${uri} has ${client.size} bytes, the volume ${size}: name a larger export`
  throw new BlockboxError('USAGE', why)
}

/** Writes all of `size` bytes, the pieces and zeros between them, and flushes. Throws what the connection throws. */
export async function writeNbdImage(
  client: NbdClient,
  size: number,
  pieces: Iterable<Piece>,
  onPiece: (piece: Piece) => Promise<void>,
): Promise<void> {
  const writer = new Writer(client)
  let end = 0
  for (const piece of pieces) {
    await onPiece(piece)
    if (piece.hole) continue
    await writer.zeros(end, piece.offset)
    await writer.write(piece.offset, piece.bytes.slice())
    end = piece.offset + piece.bytes.length
  }
  await writer.zeros(end, size)
  await writer.settled()
  if (can(client, transmissionFlag.sendFlush)) await client.flush()
}

function can(client: NbdClient, what: number): boolean {
  return ((client.facts.flags ?? 0) & what) !== 0
}

/** Requests under way, as many as the window has room for. */
class Writer {
  readonly #client: NbdClient
  readonly #zeroes: boolean
  readonly #going = new Set<Promise<void>>()
  #failed: Error | undefined

  constructor(client: NbdClient) {
    this.#client = client
    this.#zeroes = can(client, transmissionFlag.sendWriteZeroes)
  }

  write(offset: number, data: Uint8Array): Promise<void> {
    return this.#room(() => this.#client.write(offset, data))
  }

  /** Zeros in [from, to); a server that has no request for them gets them as data. */
  async zeros(from: number, to: number): Promise<void> {
    const most = this.#zeroes ? zeroBytes : 2 ** 20
    for (let offset = from; offset < to; offset += most) {
      const length = Math.min(most, to - offset)
      if (this.#zeroes) await this.#room(() => this.#client.zero(offset, length))
      else await this.write(offset, new Uint8Array(length))
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#going)
    if (this.#failed !== undefined) throw this.#failed
  }

  /** Begins a request once there is room. Throws what one before it met. */
  async #room(request: () => Promise<void>): Promise<void> {
    while (this.#going.size >= window) await Promise.race(this.#going)
    if (this.#failed !== undefined) throw this.#failed
    const going: Promise<void> = request()
      .catch((error: Error) => {
        this.#failed ??= error
      })
      .finally(() => this.#going.delete(going))
    this.#going.add(going)
  }
}
