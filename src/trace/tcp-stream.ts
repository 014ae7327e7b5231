/**
 * One direction of a TCP connection put back in order: segments in, as captured; bytes out, as sent.
 *
 *     |<- delivered ->|   hole   |<- waiting ->|  hole |<- waiting ->|
 *                     next
 *
 * A byte that was captured twice counts as captured first. Bytes after a hole wait until it is filled; a hole
 * is final when the connection or the capture ends, or when more waits than any window holds.
 * Rules: RFC 9293, sequence numbers modulo 2^32.
 */

/** A run of bytes of the stream, with the capture it came from. */
export interface StreamPart<Capture> {
  /** Place in the stream. */
  readonly offset: number
  readonly bytes: Uint8Array
  readonly capture: Capture
}

export interface Hole<Capture> {
  /** Place of the first missing byte, and how many are missing. */
  readonly offset: number
  readonly bytes: number
  /** The first capture after it. */
  readonly before: Capture
}

/** More than this cannot be on its way past a hole. */
const maxWaitingBytes = 64 * 2 ** 20

export class TcpStream<Capture> {
  readonly #firstSequence: number
  #next = 0
  #waiting: StreamPart<Capture>[] = []
  #waitingBytes = 0
  #end: { offset: number; capture: Capture } | undefined

  /** @param firstSequence the sequence number of the first byte */
  constructor(firstSequence: number) {
    this.#firstSequence = firstSequence
  }

  /** Whether a connection request with that number is this connection's own, sent again. */
  startsAt(firstSequence: number): boolean {
    return this.#firstSequence === firstSequence
  }

  /** Takes a segment and gives out the parts that are in order now. The bytes need to last until then only. */
  *take(sequence: number, bytes: Uint8Array, capture: Capture): Generator<StreamPart<Capture>> {
    const offset = this.#place(sequence)
    if (offset === this.#next && this.#waiting.length === 0) {
      this.#next += bytes.length
      yield { offset, bytes, capture }
      return
    }
    this.#wait({ offset, bytes, capture })
    let next = this.#next
    const blocked = this.#waiting.findIndex((part) => {
      const follows = part.offset === next
      if (follows) next += part.bytes.length
      return !follows
    })
    const ready = this.#waiting.splice(0, blocked < 0 ? this.#waiting.length : blocked)
    this.#waitingBytes -= next - this.#next
    this.#next = next
    yield* ready
  }

  /** The sender says that its stream ends with the byte before `sequence`. */
  finish(sequence: number, capture: Capture): void {
    this.#end ??= { offset: this.#place(sequence), capture }
  }

  /** Whether all that the sender sent is given out, up to its end. */
  get isOver(): boolean {
    return this.#end !== undefined && this.#end.offset <= this.#next
  }

  /** The first hole that cannot be waited for any more; `last`: nothing comes any more. */
  hole(last: boolean): Hole<Capture> | undefined {
    if (!last && this.#waitingBytes <= maxWaitingBytes) return undefined
    const after = this.#waiting[0] ?? this.#end
    if (after === undefined || after.offset <= this.#next) return undefined
    return { offset: this.#next, bytes: after.offset - this.#next, before: after.capture }
  }

  /** Place in the stream of a sequence number, as near to the next byte as it can be. */
  #place(sequence: number): number {
    const expected = (this.#firstSequence + this.#next) >>> 0
    return this.#next + ((sequence - expected) | 0)
  }

  /** Keeps what of a part is neither delivered nor waiting already. */
  #wait(part: StreamPart<Capture>): void {
    const end = part.offset + part.bytes.length
    let from = Math.max(part.offset, this.#next)
    const last = this.#waiting.at(-1)
    if (last === undefined || last.offset + last.bytes.length <= from) {
      if (from < end) this.#keep(part, from, end, this.#waiting.length)
      return
    }
    const gaps: [from: number, to: number][] = []
    for (const { offset, bytes } of this.#waiting) {
      if (from >= end) break
      if (offset > from) gaps.push([from, Math.min(offset, end)])
      from = Math.max(from, offset + bytes.length)
    }
    if (from < end) gaps.push([from, end])
    for (const [start, stop] of gaps) {
      const at = this.#waiting.findIndex(({ offset }) => offset > start)
      this.#keep(part, start, stop, at < 0 ? this.#waiting.length : at)
    }
  }

  #keep({ offset, bytes, capture }: StreamPart<Capture>, from: number, to: number, at: number): void {
    this.#waiting.splice(at, 0, { offset: from, bytes: bytes.slice(from - offset, to - offset), capture })
    this.#waitingBytes += to - from
  }
}
