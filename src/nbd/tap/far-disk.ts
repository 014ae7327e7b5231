/**
 * The far disk: the export of another server that a tap stands before, as one connection that all hosts share. What
 * overlaps goes one after the other (turns.ts); of the rest so many requests are sent at once, the others wait.
 *
 *     open ── the server goes, is late, or breaks the protocol ──▶ lost: whatever is asked fails with the reason
 *       └── close() ──▶ closed
 */

import { BlockboxError } from '../../core/errors.ts'
import { Fifo } from '../../core/fifo.ts'
import type { Range } from '../../core/range.ts'
import type { ExternalImage } from '../../images/external.ts'
import type { NbdClient } from '../client/client.ts'
import { openExport } from '../client/open-export.ts'
import type { Reply } from '../client/pending.ts'
import { parseNbdUri } from '../client/uri.ts'
import { allocation, transmissionFlag as bit } from '../protocol/constant.ts'
import type { ExportDescription } from '../protocol/export-description.ts'
import { maxRequestBytes } from '../protocol/limit.ts'
import type { Extent } from '../protocol/reply.ts'
import type { Command } from '../protocol/request.ts'
import { Turns } from './turns.ts'

/** For the connection and each reply, milliseconds: a flush of a slow disk takes its time. */
const limitMs = 60_000
/** Requests sent and not answered. */
const sentMost = 1024
/** How often it is asked what became of one trim: its extents may be many. */
const statusMost = 16

/** What a far server may say of its export, that hosts are told as well. */
const passed =
  bit.readOnly |
  bit.sendFlush |
  bit.sendFua |
  bit.sendTrim |
  bit.sendWriteZeroes |
  bit.canMultiConn |
  bit.sendFastZero

/** What is about writing, and what is this side's own. */
const writing = bit.sendFua | bit.sendTrim | bit.sendWriteZeroes | bit.sendFastZero
const own = bit.hasFlags | bit.sendDontFragment

export interface FarRequest extends Range {
  readonly type: Command
  /** Bits of `commandFlag`. */
  readonly flags: number
  readonly changes: boolean
  readonly data?: Uint8Array
}

export interface FarReply extends Reply {
  /** Of a trim: true when the server says that the range reads as zeros now. */
  readonly zeros?: boolean
}

/** Connects to the export that an NBD URI names. Throws USAGE for a bad URI, and what `openExport` does. */
export async function openFarDisk(uri: string, deadlineMs = limitMs): Promise<FarDisk> {
  return new FarDisk(uri, await openExport(parseNbdUri(uri), deadlineMs))
}

export class FarDisk {
  readonly uri: string
  /** Resolves with the reason when the connection is over. */
  readonly over: Promise<Error>
  readonly #client: NbdClient
  readonly #turns = new Turns()
  readonly #ready = new Fifo<() => void>()
  #sent = 0

  constructor(uri: string, client: NbdClient) {
    this.uri = uri
    this.#client = client
    this.over = client.over
  }

  get size(): number {
    return this.#client.size
  }

  /** Requests that are not answered. */
  get going(): number {
    return this.#turns.going
  }

  /** What hosts are told of it, under the name that it has here; where nobody is to write, that. */
  describe(name: string, mayWrite = true): ExportDescription {
    const { flags = 0, minimumBlock = 1, preferredBlock = 4096, maximumBlock } = this.#client.facts
    return {
      name,
      description: `recorded on its way to ${this.uri}`,
      size: this.size,
      readOnly: this.#client.readOnly || !mayWrite,
      minimumBlock,
      preferredBlock,
      maximumBlock: Math.min(maximumBlock ?? maxRequestBytes, maxRequestBytes),
      flags: (mayWrite ? flags & passed : (flags & passed & ~writing) | bit.readOnly) | own,
    }
  }

  /** Asks it, after what overlaps and came before. Throws RequestFailed when it refuses, NBD_* when it is lost. */
  ask({ type, flags, changes, data, offset, length }: FarRequest): Promise<FarReply> {
    return new Promise((resolve, reject) => {
      const send = () => {
        this.#sent++
        const asked = this.#client.request(type, {
          ...{ offset, length, flags },
          ...(data !== undefined && { data }),
        })
        const answered = type === 'trim' ? asked.then((reply) => this.#trimmed(reply, offset, length)) : asked
        answered.then(resolve, reject).finally(() => this.#answered(() => this.#turns.done(turn)))
      }
      const turn = this.#turns.take({ offset, length }, changes, () => this.#soon(send))
      this.#pump()
    })
  }

  /** What lies in a range, as far as it tells; such a request changes nothing and waits for no turn. */
  async extents(offset: number, length: number, most: number): Promise<readonly Extent[]> {
    if (!this.#client.knowsAllocation) return [{ length, state: 0 }]
    const found = await this.#client.blockStatus(offset, length, { one: most === 1 })
    return found.slice(0, most)
  }

  /** The disk as content outside, read over the same connection: not every server takes a second one. */
  image(): ExternalImage {
    const read = async (offset: number, length: number) =>
      (await this.ask({ type: 'read', offset, length, flags: 0, changes: false })).data
    return { size: this.size, read, close: () => Promise.resolve() }
  }

  /** Says goodbye, once all is answered. */
  async close(): Promise<void> {
    await this.#client.close()
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#client.destroy()
  }

  /** What a server makes of a trim is its own affair: asked while nobody else may change the range, it may say. */
  async #trimmed(reply: Reply, offset: number, length: number): Promise<FarReply> {
    return { ...reply, zeros: await this.#isZeros(offset, offset + length).catch(() => false) }
  }

  async #isZeros(from: number, end: number): Promise<boolean> {
    if (!this.#client.knowsAllocation) return false
    let at = from
    for (let asked = 0; at < end && asked < statusMost; asked++) {
      for (const { length, state } of await this.#client.blockStatus(at, end - at)) {
        if ((state & allocation.zero) === 0) return false
        at += length
      }
    }
    return at >= end
  }

  #soon(send: () => void): void {
    this.#ready.push(send)
  }

  #answered(done: () => void): void {
    this.#sent--
    done()
    this.#pump()
  }

  #pump(): void {
    while (this.#sent < sentMost) {
      const send = this.#ready.shift()
      if (send === undefined) return
      send()
    }
  }
}

/** A size that no volume has. Throws USAGE. @param block bytes of a block of the volume */
export function wholeBlocksOf({ uri, size }: FarDisk, block: number): void {
  if (size > 0 && size % block === 0) return
  const why = `${uri} has ${size} bytes, which are no whole blocks of ${block}`
  throw new BlockboxError(
    'USAGE',
    `${why}: name others with --block, or put nbdkit's truncate filter before it`,
  )
}
