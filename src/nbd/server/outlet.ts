/**
 * Bytes on their way to a client: what is sent in one turn leaves as one write, for a write costs more than its bytes.
 */

import type { Duplex } from 'node:stream'

/** Up to this many bytes are put together before they are written. */
const joinedBytes = 64 * 1024

export class Outlet {
  readonly #socket: Duplex
  readonly #flushed: () => void
  #parts: Uint8Array[] = []
  #bytes = 0

  /** @param flushed called each time after what was sent has gone to the socket. */
  constructor(socket: Duplex, flushed: () => void = () => undefined) {
    this.#socket = socket
    this.#flushed = flushed
  }

  /** Bytes that were sent and that the operating system has not taken. */
  get waiting(): number {
    return this.#bytes + this.#socket.writableLength
  }

  send(...parts: readonly Uint8Array[]): void {
    if (this.#parts.length === 0) process.nextTick(() => this.#flush())
    for (const part of parts) {
      this.#parts.push(part)
      this.#bytes += part.length
    }
  }

  #flush(): void {
    const parts = this.#parts
    const bytes = this.#bytes
    this.#parts = []
    this.#bytes = 0
    if (!this.#socket.writable) return
    if (parts.length === 1) this.#socket.write(parts[0]!)
    else if (bytes <= joinedBytes) this.#socket.write(Buffer.concat(parts, bytes))
    else {
      this.#socket.cork()
      for (const part of parts) this.#socket.write(part)
      this.#socket.uncork()
    }
    this.#flushed()
  }
}
