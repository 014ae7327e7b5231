/**
 * Bytes that came and are not yet understood, from pieces of any size.
 *
 * What lies inside one piece is handed out as a view of it; what spans pieces is copied once. Memory grows with the
 * bytes that really came, never with a length that a header claims: pieces too small to be worth an object of their
 * own are gathered.
 */

/** Pieces shorter than this are copied behind each other into slabs. */
const smallPiece = 1024
const slabBytes = 64 * 1024

export class Intake {
  readonly #pieces: Uint8Array[] = []
  #first = 0
  /** How much of the first piece is taken. */
  #at = 0
  #length = 0
  /** The last piece while small ones are gathered in it, with the room behind it. */
  #slab: Uint8Array | undefined

  /** Bytes that have come and are not taken. */
  get length(): number {
    return this.#length
  }

  /** Takes over a piece, which must not be changed from now on. */
  push(piece: Uint8Array): void {
    if (piece.length === 0) return
    this.#length += piece.length
    if (piece.length >= smallPiece || this.#length === piece.length) {
      this.#pieces.push(piece)
      this.#slab = undefined
      return
    }
    const last = this.#pieces.at(-1)!
    const room = this.#slab
    if (room !== undefined && last.length + piece.length <= room.length) {
      room.set(piece, last.length)
      this.#pieces[this.#pieces.length - 1] = room.subarray(0, last.length + piece.length)
      return
    }
    this.#slab = new Uint8Array(slabBytes)
    this.#slab.set(piece)
    this.#pieces.push(this.#slab.subarray(0, piece.length))
  }

  /** The next `size` bytes; undefined, and nothing taken, when they have not all come. */
  take(size: number): Uint8Array | undefined {
    if (size > this.#length) return undefined
    this.#length -= size
    const first = this.#pieces[this.#first]
    if (first === undefined) return new Uint8Array(0)
    if (first.length - this.#at >= size) {
      const taken = first.subarray(this.#at, this.#at + size)
      this.#advance(size)
      return taken
    }
    const taken = new Uint8Array(size)
    for (let filled = 0; filled < size; ) {
      const piece = this.#pieces[this.#first]!
      const part = piece.subarray(this.#at, this.#at + size - filled)
      taken.set(part, filled)
      filled += part.length
      this.#advance(part.length)
    }
    return taken
  }

  #advance(bytes: number): void {
    this.#at += bytes
    if (this.#at < this.#pieces[this.#first]!.length) return
    this.#first++
    this.#at = 0
    if (this.#first === this.#pieces.length) {
      this.#pieces.length = 0
      this.#first = 0
      this.#slab = undefined
    } else if (this.#first >= 64) {
      this.#pieces.splice(0, this.#first)
      this.#first = 0
    }
  }
}
