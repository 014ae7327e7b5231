/**
 * Content packed with Zstandard, unpacked block by block.
 *
 *     magic ─▶ header ─▶ block head ─▶ block ─▶ ... last ─▶ checksum ─▶ magic          (frames may follow each other)
 *       └── skippable frame ─▶ skipped ─▶ magic
 *
 * The frames are walked here, so that what a library is given at once unpacks to at most 128 KiB, a header that asks
 * for a large window is refused before memory is taken for it, and damage has a place. The blocks are unpacked by
 * fzstd; checksums are passed by, not verified. Rules: RFC 8878.
 */

import { Decompress } from 'fzstd'
import { BlockboxError } from '../core/errors.ts'
import { ByteCutter } from './byte-cutter.ts'
import { littleEndian } from './byte-order.ts'

/** How packed content begins. */
export const zstdMagic: readonly number[] = [0x28, 0xb5, 0x2f, 0xfd]

/** The largest window that is taken memory for, as in zstd itself. */
const maxWindow = 2 ** 27
const maxBlock = 2 ** 17
const frameMagic = 0xfd2fb528
const skippable = 0x184d2a5
const rle = 1
const reserved = 3

type Stage = 'magic' | 'descriptor' | 'header' | 'blockHead' | 'block' | 'checksum' | 'skipSize' | 'skip'

const stageBytes: Readonly<Partial<Record<Stage, number>>> = {
  magic: 4,
  descriptor: 1,
  blockHead: 3,
  checksum: 4,
  skipSize: 4,
}

export class Zstd {
  readonly #cutter = new ByteCutter()
  readonly #library: Decompress
  readonly #content: Uint8Array[] = []
  #stage: Stage = 'magic'
  /** Bytes of the header, of the block, or still to be skipped. */
  #size = 0
  #descriptor = 0
  #last = false
  #frames = 0

  constructor() {
    this.#library = new Decompress((piece) => {
      if (piece.length > 0) this.#content.push(piece)
    })
  }

  /** Takes packed bytes and gives out what they hold, piece by piece. Throws TRACE_FORMAT with the byte. */
  *push(bytes: Uint8Array): Generator<Uint8Array> {
    this.#cutter.push(bytes)
    for (;;) {
      const wanted = stageBytes[this.#stage] ?? this.#wanted()
      const part = this.#cutter.take(wanted)
      if (part === undefined) return
      this.#accept(part)
      yield* this.#content.splice(0)
    }
  }

  /** No more bytes follow. Throws TRACE_FORMAT when they end inside a frame, or before the first. */
  *end(): Generator<Uint8Array> {
    if (this.#stage !== 'magic' || this.#cutter.waiting > 0 || this.#frames === 0) {
      throw this.#damage('ends too early')
    }
    this.#feed(new Uint8Array(0), true)
    yield* this.#content.splice(0)
  }

  #wanted(): number {
    return this.#stage === 'skip' ? Math.min(this.#size, Math.max(1, this.#cutter.waiting)) : this.#size
  }

  #accept(part: Uint8Array): void {
    switch (this.#stage) {
      case 'magic':
        return this.#begin(part)
      case 'descriptor':
        return this.#describe(part)
      case 'header':
        this.#checkWindow(part)
        this.#feed(part)
        this.#stage = 'blockHead'
        return
      case 'blockHead':
        return this.#beginBlock(part)
      case 'block':
        this.#feed(part)
        return this.#endBlock()
      case 'checksum':
        this.#feed(part)
        this.#stage = 'magic'
        return
      case 'skipSize':
        return this.#skip(littleEndian.u32(part, 0))
      case 'skip':
        return this.#skip(this.#size - part.length)
    }
  }

  #begin(part: Uint8Array): void {
    const magic = littleEndian.u32(part, 0)
    if (magic === frameMagic) {
      this.#feed(part)
      this.#frames++
      this.#stage = 'descriptor'
    } else if (magic >>> 4 === skippable) this.#stage = 'skipSize'
    else throw this.#damage('has no frame where one begins')
  }

  #describe(part: Uint8Array): void {
    const descriptor = part[0]!
    if ((descriptor & 8) !== 0) throw this.#damage('has a frame of an unknown kind')
    if ((descriptor & 3) !== 0) throw this.#damage('needs a dictionary, which cannot be given')
    const single = (descriptor & 0x20) !== 0
    const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >>> 6]!
    this.#descriptor = descriptor
    this.#size = (single ? 0 : 1) + sizeBytes
    this.#feed(part)
    this.#stage = 'header'
  }

  #checkWindow(part: Uint8Array): void {
    const single = (this.#descriptor & 0x20) !== 0
    let window = 0
    if (single) for (let k = part.length - 1; k >= 0; k--) window = window * 256 + part[k]!
    else window = 2 ** (10 + (part[0]! >>> 3)) * (1 + (part[0]! & 7) / 8)
    if (window <= maxWindow) return
    throw this.#damage(
      `asks for a window of ${window} bytes, above the limit of ${maxWindow}: unpack it with zstd -d --long=31`,
    )
  }

  #beginBlock(part: Uint8Array): void {
    const head = part[0]! | (part[1]! << 8) | (part[2]! << 16)
    const kind = (head >>> 1) & 3
    const size = head >>> 3
    if (kind === reserved || size > maxBlock) throw this.#damage('has a block that makes no sense')
    this.#last = (head & 1) !== 0
    this.#size = kind === rle ? 1 : size
    this.#feed(part)
    this.#stage = 'block'
    if (this.#size === 0) this.#endBlock()
  }

  #endBlock(): void {
    const checked = (this.#descriptor & 4) !== 0
    this.#stage = !this.#last ? 'blockHead' : checked ? 'checksum' : 'magic'
  }

  #skip(left: number): void {
    this.#size = left
    this.#stage = left === 0 ? 'magic' : 'skip'
    if (left === 0) this.#frames++
  }

  /** The library keeps what it is given, and the bytes here are on loan. */
  #feed(part: Uint8Array, final = false): void {
    try {
      this.#library.push(part.slice(), final)
    } catch (error) {
      throw this.#damage('is damaged', error)
    }
  }

  #damage(what: string, cause?: unknown): BlockboxError {
    const at = this.#cutter.offset + this.#cutter.waiting
    const place = `at or before byte ${cause === undefined ? this.#cutter.offset : at} of the packed file`
    const options = cause === undefined ? {} : { cause }
    return new BlockboxError('TRACE_FORMAT', `the zstd data ${what} ${place}; get a whole copy`, options)
  }
}
