/**
 * A disk under test: what a key-value store keeps, what of it is durable, and what a crash may leave.
 *
 *     write ─▶ visible at once ─▶ unsynced, in order ── a synced write completes ─▶ durable
 *                                       └── power fails: some first part of it survives, the rest is gone
 *
 * That is LevelDB's own promise: one log, written in order, a synced put carries all puts before it (FAULTS section 1
 * of the fault model: `sync: true` never lost an acknowledged put). What LevelDB does not promise is asked for by
 * name: a batch torn in the middle, a sync that lies, a bit that rots.
 */

import sorted from 'sorted-btree'

/** One put, or a removal where `value` is undefined. */
export interface Change {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** Writes that are visible and may still be lost; `changes` become durable together. */
interface Unsynced {
  readonly changes: readonly Change[]
}

type Content = sorted.default<Uint8Array, Uint8Array>

export class Disk {
  #content: Content = new sorted.default<Uint8Array, Uint8Array>(undefined, compareBytes)
  #durable: Content = this.#content.clone()
  #unsynced: Unsynced[] = []

  /** What a reader sees now: not to be changed. */
  get content(): Content {
    return this.#content
  }

  /** Writes that power loss may take. */
  get unsynced(): number {
    return this.#unsynced.length
  }

  /** The disk as it is at this moment, on its own from now on. */
  fork(): Disk {
    const fork = new Disk()
    fork.#content = this.#content.clone()
    fork.#durable = this.#durable.clone()
    fork.#unsynced = [...this.#unsynced]
    return fork
  }

  /** Makes changes visible, together. Returns what `sync` is given. */
  write(changes: readonly Change[]): Unsynced {
    apply(this.#content, changes)
    const written = { changes }
    this.#unsynced.push(written)
    return written
  }

  /** `written` and all that was written before it is durable. */
  sync(written: Unsynced): void {
    const upTo = this.#unsynced.indexOf(written)
    for (const { changes } of this.#unsynced.slice(0, upTo + 1)) apply(this.#durable, changes)
    this.#unsynced = this.#unsynced.slice(upTo + 1)
  }

  /**
   * Power fails. Of the writes that were not durable the first `kept` survive; of the next one, the first `torn`
   * changes (0: none of it, as LevelDB promises).
   */
  powerLoss(kept: number, torn = 0): void {
    for (const { changes } of this.#unsynced.slice(0, kept)) apply(this.#durable, changes)
    apply(this.#durable, (this.#unsynced[kept]?.changes ?? []).slice(0, torn))
    this.#unsynced = []
    this.#content = this.#durable.clone()
  }

  /** The process dies and the machine lives on: all that was handed to it is there. */
  processCrash(): void {
    for (const { changes } of this.#unsynced) apply(this.#durable, changes)
    this.#unsynced = []
    this.#content = this.#durable.clone()
  }

  /** One bit of the `index`-th value (counted modulo) flips, where it lies durable too. Returns its key. */
  rot(index: number, bit: number): Uint8Array | undefined {
    const keys = this.#content.keysArray()
    const key = keys[index % Math.max(1, keys.length)]
    if (key === undefined) return undefined
    const value = this.#content.get(key)!.slice()
    if (value.length === 0) return undefined
    const at = bit % (value.length * 8)
    value[at >> 3]! ^= 1 << (at & 7)
    this.#content.set(key, value)
    if (this.#durable.has(key)) this.#durable.set(key, value)
    return key
  }
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
