/**
 * A copy as an export of an NBD server: pieces and zeros, several at once, and flushes. What the export holds beyond the
 * end of the volume stays.
 *
 *     connect ─▶ large enough, writable? ─▶ write, zero ... ─▶ flush ─▶ write, zero ... ─▶ flush ─▶ close
 */

import { BlockboxError } from '../core/errors.ts'
import type { NbdClient } from '../nbd/client/client.ts'
import { openExport } from '../nbd/client/open-export.ts'
import { parseNbdUri } from '../nbd/client/uri.ts'
import { transmissionFlag } from '../nbd/protocol/constant.ts'
import type { CopyTarget, TargetAsk } from './copy-target.ts'
import type { Piece } from './export.ts'

/** Requests at once. */
const window = 8
/** The longest request for zeros, in bytes. */
const zeroBytes = 256 * 2 ** 20

/** Connects to an export that can take a volume. Throws USAGE when it cannot, or what the connection throws. */
export async function openNbdTarget({ target, size, from = 0 }: TargetAsk): Promise<CopyTarget> {
  const client = await openExport(parseNbdUri(target))
  if (!client.readOnly && client.size >= size) return new NbdTarget(client, from)
  client.destroy()
  if (client.readOnly) throw new BlockboxError('USAGE', `${target} cannot be written: name another export`)
  const why = `${target} has ${client.size} bytes, the volume ${size}: name a larger export`
  throw new BlockboxError('USAGE', why)
}

class NbdTarget implements CopyTarget {
  readonly #client: NbdClient
  readonly #writer: Writer
  /** Everything before it was written, or is under way. */
  #end: number

  constructor(client: NbdClient, from: number) {
    this.#client = client
    this.#writer = new Writer(client)
    this.#end = from
  }

  async write({ offset, bytes }: Piece): Promise<void> {
    await this.#writer.zeros(this.#end, offset)
    await this.#writer.write(offset, bytes.slice())
    this.#end = offset + bytes.length
  }

  async sync(end: number): Promise<void> {
    await this.#writer.zeros(this.#end, end)
    this.#end = Math.max(this.#end, end)
    await this.#writer.settled()
    if (can(this.#client, transmissionFlag.sendFlush)) await this.#client.flush()
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#client.read(offset, length)
  }

  finish(): Promise<void> {
    return this.#client.close()
  }

  async close(): Promise<void> {
    this.#client.destroy()
  }
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
