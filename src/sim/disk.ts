/**
 * A disk under test: what a key-value store keeps, what of it is durable, and what a crash may leave.
 *
 *     write ─▶ visible at once ─▶ unsynced, in order ── a synced write completes ─▶ durable
 *                                       └── power fails: some first part of it survives, the rest is gone
 *
 * That is LevelDB's own promise: one log, written in order, a synced put carries all puts before it (`sync: true` never
 * lost an acknowledged put in any power cut that was measured). What it does not promise is asked for by name: a batch
 * torn in the middle, a sync that lies, a bit that rots where it lies.
 *
 * The disk has files too (files.ts), whose durability is their own. What became of a piece of payload in one of them is
 * known by the key that refers to it.
 */

import sorted from 'sorted-btree'
import { allLost, type FileLoss, Files } from './files.ts'
import { pieceAt, referrers } from './pieces.ts'

/** One put, or a removal where `value` is undefined. */
export interface Change {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** Writes that are visible and may still be lost; `changes` become durable together. */
interface Unsynced {
  readonly changes: readonly Change[]
  /** True when somebody was told that they are durable. */
  promised: boolean
}

/** Where a write was torn: so many changes whole, and so many bytes of the value behind them. */
export interface Tear {
  readonly changes: number
  readonly bytes: number
}

/** A value that rotted: its key, what it was, and which bit of it flipped. */
export interface Rotten {
  readonly key: Uint8Array
  readonly was: Uint8Array
  readonly bit: number
}

/** A piece of payload in a file that is not what it was: its key, and the piece as it was. */
export interface HarmedPiece {
  readonly key: Uint8Array
  readonly was: Uint8Array
}

type Content = sorted.default<Uint8Array, Uint8Array>

const whole: Tear = { changes: 0, bytes: 0 }

export class Disk {
  #content: Content = new sorted.default<Uint8Array, Uint8Array>(undefined, compareBytes)
  #durable: Content = this.#content.clone()
  #unsynced: Unsynced[] = []
  #rotten: Rotten | undefined
  /** What a power cut left of values, and may bring back when what was written over it is lost. */
  #torn: readonly { readonly key: Uint8Array; readonly part: Uint8Array }[] = []
  #files = new Files()
  #harmed: readonly HarmedPiece[] = []

  /** What a reader sees now: not to be changed. */
  get content(): Content {
    return this.#content
  }

  /** Writes that power loss may take. */
  get unsynced(): number {
    return this.#unsynced.length
  }

  /** The value that rotted last, as long as nothing was written over it. */
  get rotten(): Rotten | undefined {
    return this.#rotten
  }

  /** The keys of values that a power cut left a part of, as long as nothing was written over them. */
  get torn(): readonly Uint8Array[] {
    return this.#torn.filter(({ key, part }) => this.#content.get(key) === part).map(({ key }) => key)
  }

  get files(): Files {
    return this.#files
  }

  /** Pieces in files that rotted, or were lost though somebody was told that they are durable. */
  get harmed(): readonly HarmedPiece[] {
    return this.#harmed
  }

  /** True when something that can be read is not what was written. */
  get isHarmed(): boolean {
    return this.#rotten !== undefined || this.#harmed.length > 0
  }

  /** What was stored under a key, whatever rotted or was lost since: of a harmed piece the piece, not the reference. */
  sound(key: Uint8Array): Uint8Array | undefined {
    const piece = this.#harmed.find((one) => compareBytes(one.key, key) === 0)
    if (piece !== undefined) return piece.was
    const rotten = this.#rotten
    return rotten !== undefined && compareBytes(rotten.key, key) === 0 ? rotten.was : this.#content.get(key)
  }

  /** Changes of the `index`-th unsynced write; 0 when there is none. */
  changesOf(index: number): number {
    return this.#unsynced[index]?.changes.length ?? 0
  }

  /** The disk as it is at this moment, on its own from now on. */
  fork(): Disk {
    const fork = new Disk()
    fork.#content = this.#content.clone()
    fork.#durable = this.#durable.clone()
    fork.#unsynced = [...this.#unsynced]
    fork.#rotten = this.#rotten
    fork.#torn = this.#torn
    fork.#files = this.#files.fork()
    fork.#harmed = this.#harmed
    return fork
  }

  /** The disk as it would be had nothing rotted and no promise been broken; pieces that were lost lie in the store. */
  mended(): Disk {
    const mended = this.fork()
    if (this.#rotten !== undefined) mended.write([{ key: this.#rotten.key, value: this.#rotten.was }])
    for (const { key, was } of this.#harmed) mended.write([{ key, value: was }])
    return mended
  }

  /** Makes changes visible, together. Returns what `sync` is given. */
  write(changes: readonly Change[]): Unsynced {
    for (const { key } of changes) this.#overwritten(key)
    apply(this.#content, changes)
    const written = { changes, promised: false }
    this.#unsynced.push(written)
    return written
  }

  /** `written` and all that was written before it is durable. */
  sync(written: Unsynced): void {
    const upTo = this.#unsynced.indexOf(written)
    for (const { changes } of this.#unsynced.slice(0, upTo + 1)) apply(this.#durable, changes)
    this.#unsynced = this.#unsynced.slice(upTo + 1)
  }

  /** A sync that lies: whoever wrote this believes that it is durable. */
  lie(written: Unsynced): void {
    written.promised = true
  }

  /**
   * Power fails; returns true when a write is gone that a sync had promised. Of the writes that were not durable the first
   * `kept` survive; the next one as far as `torn` says (none of it unless told otherwise, as LevelDB promises); of the
   * files what `loss` says.
   */
  powerLoss(kept: number, torn: Tear = whole, loss: FileLoss = allLost): boolean {
    const broken = this.#unsynced.slice(kept).some(({ promised }) => promised)
    for (const { changes } of this.#unsynced.slice(0, kept)) apply(this.#durable, changes)
    const changes = this.#unsynced[kept]?.changes ?? []
    apply(this.#durable, changes.slice(0, torn.changes))
    const half = changes[torn.changes]
    if (half?.value !== undefined && torn.bytes > 0) {
      const part = half.value.slice(0, torn.bytes)
      apply(this.#durable, [{ key: half.key, value: part }])
      if (part.length < half.value.length) this.#torn = [...this.#torn, { key: half.key, part }]
    }
    this.#unsynced = []
    this.#content = this.#durable.clone()
    if (this.#rotten !== undefined && !this.#content.has(this.#rotten.key)) this.#rotten = undefined
    this.#torn = this.#torn.filter(({ key, part }) => this.#content.get(key) === part)
    const before = this.#files.isBelieved ? this.#files.fork() : undefined
    if (this.#files.powerLoss(loss) && before !== undefined) this.#compare(before)
    return broken
  }

  /** The process dies and the machine lives on: all that was handed to it is there. */
  processCrash(): void {
    for (const { changes } of this.#unsynced) apply(this.#durable, changes)
    this.#unsynced = []
    this.#content = this.#durable.clone()
    this.#files.powerLoss({ kept: this.#files.unsynced, nameless: false })
  }

  /** One bit of a byte of a file flips; whose piece it is is noted. */
  rotFile(segment: number, at: number, bit: number): void {
    const before = this.#files.fork()
    this.#files.flip(segment, at, bit)
    this.#compare(before)
  }

  /** One bit of the value of a key flips, where it lies durable too; nothing does where there is no value. */
  rot(key: Uint8Array, bit: number): Rotten | undefined {
    const was = this.#content.get(key)
    if (was === undefined || was.length === 0) return undefined
    const rotten = { key, was, bit: bit % (was.length * 8) }
    const value = flipped(was, rotten.bit)
    this.#content.set(key, value)
    if (this.#durable.has(key)) this.#durable.set(key, value)
    this.#rotten = rotten
    return rotten
  }

  /** Notes the pieces that are other than they were in these files. */
  #compare(before: Files): void {
    const harmed = referrers(this.#content).flatMap(([key, stretch]) => {
      const was = pieceAt(before, stretch)
      return compareBytes(was, pieceAt(this.#files, stretch)) === 0 ? [] : [{ key, was }]
    })
    this.#harmed = [...this.#harmed.filter(({ key }) => this.#content.has(key)), ...harmed]
  }

  #overwritten(key: Uint8Array): void {
    if (this.#harmed.some((one) => compareBytes(one.key, key) === 0)) {
      this.#harmed = this.#harmed.filter((one) => compareBytes(one.key, key) !== 0)
    }
    if (this.#rotten !== undefined && compareBytes(this.#rotten.key, key) === 0) this.#rotten = undefined
  }
}

/** A value with one bit of it flipped. */
export function flipped(value: Uint8Array, bit: number): Uint8Array {
  const altered = value.slice()
  altered[bit >> 3]! ^= 1 << (bit & 7)
  return altered
}

function apply(content: Content, changes: readonly Change[]): void {
  for (const { key, value } of changes) {
    if (value === undefined) content.delete(key)
    else content.set(key, value)
  }
}

/** Byte by byte, as LevelDB orders keys. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let k = 0; k < length; k++) if (a[k] !== b[k]) return a[k]! - b[k]!
  return a.length - b.length
}
