/**
 * A damaged database read from its files without LevelDB, which ends the whole process over some damage and gives up
 * more than it has to over other. Read-only: not a byte of the files changes.
 *
 *     tables ─┐ every entry that can be made out        of each key the newest entry that can be trusted: its block
 *     logs  ──┴─▶ key, number of the change, place ──▶  verified, or the value verifies by itself; else the first found
 *
 * Each key costs some 200 bytes of memory; values stay in the tables, those of logs (bounded by LevelDB's write buffer)
 * in memory.
 */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { BlockboxError } from '../core/errors.ts'
import { reading } from './level-file.ts'
import { logEntries } from './level-log.ts'
import { tablesInUse } from './level-manifest.ts'
import { tableEntries } from './level-table.ts'
import { type Bounds, type Cursor, type KvStore, readAheadBytes } from './store.ts'

/** True when a value shows by itself that it is what was written to the key. */
export type IsWhole = (key: Uint8Array, value: Uint8Array) => boolean

interface Place {
  readonly file: string
  readonly offset: number
  readonly length: number
}

interface Known {
  readonly sequence: number
  readonly isTrusted: boolean
  /** Bytes from a log, a place in a table; undefined when the key was removed. */
  readonly value: Uint8Array | Place | undefined
}

/** Bytes of the longest key of a journal: a letter and two numbers. */
const longestKey = 17

/**
 * Reads what the files of the database in `folder` hold. What is torn at the end of a log was never written whole, unless
 * it was and a byte of it is damaged: only with `torn` it is read too. Throws what the file system throws.
 */
export async function fileStore(folder: string, isWhole: IsWhole, { torn = false } = {}): Promise<KvStore> {
  const known = new Map<string, Known>()
  const note = (key: Uint8Array, one: Known) => {
    if (key.length > longestKey) return
    const name = nameOf(key)
    const before = known.get(name)
    if (before === undefined || isBetter(one, before)) known.set(name, one)
  }
  const inUse = tablesInUse(folder)
  for (const name of readdirSync(folder).sort()) {
    await setImmediate()
    const file = join(folder, name)
    const number = /^(\d+)\.(?:ldb|sst)$/.exec(name)?.[1]
    if (number !== undefined && (inUse === undefined || inUse.has(Number(number)))) {
      tableEntries(file, ({ key, at, value, sequence, isChecked }) => {
        const isTrusted = isChecked || (at !== undefined && isWhole(key, value))
        note(key, { sequence, isTrusted, value: at && { file, ...at } })
      })
    } else if (/^\d+\.log$/.test(name)) {
      for (const { key, value, sequence, isChecked, isTorn } of logEntries(file)) {
        if (isTorn && !torn) continue
        const isTrusted = isChecked || (value !== undefined && isWhole(key, value))
        note(key, { sequence, isTrusted, value })
      }
    }
  }
  for (const [name, { value }] of known) if (value === undefined) known.delete(name)
  return new FileStore(known)
}

/** A damaged key can look like any other one, and newer: what cannot be trusted never stands in for what can. */
function isBetter(one: Known, before: Known): boolean {
  if (one.isTrusted !== before.isTrusted) return one.isTrusted
  return one.isTrusted && one.sequence > before.sequence
}

class FileStore implements KvStore {
  readonly #known: ReadonlyMap<string, Known>
  /** The names in the order of their keys. */
  readonly #names: readonly string[]

  constructor(known: ReadonlyMap<string, Known>) {
    this.#known = known
    this.#names = [...known.keys()].sort((a, b) => (a < b ? -1 : 1))
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.getSync(key)
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#value(nameOf(key))
  }

  async put(): Promise<void> {
    throw new BlockboxError('USAGE', 'a damaged database is read, never written')
  }

  batch(): never {
    throw new BlockboxError('USAGE', 'a damaged database is read, never written')
  }

  keys(bounds: Bounds): Cursor<Uint8Array> {
    return this.#cursor(bounds, keyOf)
  }

  values(bounds: Bounds): Cursor<Uint8Array> {
    return this.#cursor(bounds, (name) => this.#value(name)!, readAheadBytes)
  }

  iterator(bounds: Bounds): Cursor<[Uint8Array, Uint8Array]> {
    return this.#cursor(bounds, (name) => [keyOf(name), this.#value(name)!], readAheadBytes)
  }

  #value(name: string): Uint8Array | undefined {
    const value = this.#known.get(name)?.value
    if (value === undefined || value instanceof Uint8Array) return value
    return reading(value.file, (source) => source.bytes(value.offset, value.length))
  }

  /** A cursor that brings values of at most `most` bytes at once, and always one. */
  #cursor<Item>(
    bounds: Bounds,
    itemOf: (name: string) => Item,
    most = Number.POSITIVE_INFINITY,
  ): Cursor<Item> {
    const { gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY } = bounds
    const from = gte === undefined ? 0 : this.#placeOf(nameOf(gte))
    const to = lt === undefined ? this.#names.length : this.#placeOf(nameOf(lt))
    const end = Math.min(Math.max(0, to - from), limit)
    let next = 0
    return {
      nextv: async (size) => {
        const items: Item[] = []
        for (let bytes = 0; items.length < size && next < end && bytes < most; next++) {
          const name = this.#names[reverse ? to - 1 - next : from + next]!
          items.push(itemOf(name))
          bytes += this.#known.get(name)!.value!.length
        }
        return items
      },
      close: async () => {
        next = end
      },
    }
  }

  /** The first place in order at which a name could stand. */
  #placeOf(name: string): number {
    let low = 0
    let high = this.#names.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#names[middle]! < name) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** A key as text: one character a byte, so that texts sort as the keys do. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}

function keyOf(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0))
}
