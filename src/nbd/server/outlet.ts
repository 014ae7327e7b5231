/**
 * Bytes on their way to a client: what is sent in one turn leaves as one write, for a write costs more than its bytes.
 * They are put together in memory that is used again and again; made anew for each turn, it would cost more than all else.
 *
 *     room   | written, taken | written, not taken yet | sent in this turn |            |
 *                             ▲ begins anew at the front when all that was written is taken
 */

import type { Duplex } from 'node:stream'

/** What is longer goes out as it is. */
const joinedBytes = 64 * 1024
/** A room holds so many bytes; the first one of a connection, which may never ask for much, fewer. */
const roomBytes = 256 * 1024
const firstBytes = 16 * 1024

interface Room {
  readonly bytes: Buffer
  /** Up to here it was written, and up to here it is filled. */
  written: number
  filled: number
  /** Writes of it that are not taken yet. */
  writes: number
}

export class Outlet {
  readonly #socket: Duplex
  readonly #flushed: () => void
  /** What goes out before what the room has that was not written. */
  #parts: [Uint8Array, Room | undefined][] = []
  #room: Room | undefined
  #bytes = 0
  #asked = false

  /** @param flushed called in the turn after each `send`, when what was sent has gone to the socket or never will. */
  constructor(socket: Duplex, flushed: () => void = () => undefined) {
    this.#socket = socket
    this.#flushed = flushed
  }

  /** Bytes that were sent and that the operating system has not taken. */
  get waiting(): number {
    return this.#bytes + this.#socket.writableLength
  }

  /** Sends `head`, and `data` behind it; what is not long may be changed once this returns. */
  send(head: Uint8Array, data?: Uint8Array): void {
    if (!this.#asked) {
      this.#asked = true
      process.nextTick(this.#flush)
    }
    this.#put(head)
    if (data !== undefined) this.#put(data)
  }

  #put(part: Uint8Array): void {
    this.#bytes += part.length
    if (part.length > joinedBytes) {
      this.#close()
      this.#parts.push([part, undefined])
      return
    }
    let room = this.#room
    if (room === undefined || room.filled + part.length > room.bytes.length) {
      this.#close()
      const size = room === undefined && part.length <= firstBytes ? firstBytes : roomBytes
      room = { bytes: Buffer.allocUnsafeSlow(size), written: 0, filled: 0, writes: 0 }
      this.#room = room
    }
    room.bytes.set(part, room.filled)
    room.filled += part.length
  }

  /** What the room has that was not written is the next part. */
  #close(): void {
    const room = this.#room
    if (room === undefined || room.filled === room.written) return
    this.#parts.push([room.bytes.subarray(room.written, room.filled), room])
    room.written = room.filled
  }

  readonly #flush = (): void => {
    this.#close()
    const parts = this.#parts
    this.#parts = []
    this.#bytes = 0
    this.#asked = false
    if (this.#socket.writable) {
      if (parts.length > 1) this.#socket.cork()
      for (const [part, room] of parts) this.#write(part, room)
      if (parts.length > 1) this.#socket.uncork()
    }
    this.#flushed()
  }

  #write(part: Uint8Array, room: Room | undefined): void {
    if (room === undefined) {
      this.#socket.write(part)
      return
    }
    room.writes++
    this.#socket.write(part, () => {
      room.writes--
      if (room.writes > 0 || room.filled > room.written) return
      room.written = 0
      room.filled = 0
    })
  }
}
