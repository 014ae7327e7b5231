/**
 * An abstract-level over a `Disk` whose every operation somebody may slow down, fail or falsify. With no faults it is
 * an ordinary store in memory, and passes the journal's contract suite.
 *
 *     operation ─▶ fault? ─▶ applied ─▶ waits for its turn ─▶ (sync: durable) ─▶ resolves
 *                    ├─ refused        nothing happened: ENOSPC, EIO
 *                    └─ in doubt       applied, and yet an error: the EIO of an fdatasync
 */

import {
  type AbstractDatabaseOptions,
  AbstractIterator,
  AbstractLevel,
  AbstractSnapshot,
} from 'abstract-level'
import { type Change, type Disk, flipped } from './disk.ts'
import { type Range, RangeWalk } from './range-walk.ts'

export interface Operation {
  readonly kind: 'get' | 'put' | 'batch' | 'read' | FileKind
  readonly sync: boolean
  /** Bytes written; 0 for reads. */
  readonly bytes: number
  /** What is read from the store. */
  readonly key?: Uint8Array
}

/** Operations on files (faulty-folder.ts): a name made, names synced, data written, synced, read. */
export type FileKind = 'file name' | 'file names' | 'file write' | 'file sync' | 'file read'

/**
 * `refused`: an error, nothing written. `doubt`: an error, and it is written all the same, perhaps durable. `full`: the
 * disk is full. `lie`: a synced write says it is durable and is not. `rot`: a read returns a flipped bit. `misdirect`:
 * a read returns the value of the key behind; of the last key, that of the one before.
 */
export type Fault = 'refused' | 'doubt' | 'full' | 'lie' | 'rot' | 'misdirect'

export interface Conditions {
  /** Which fault an operation meets, if any. */
  fault?(operation: Operation): Fault | undefined
  /** Resolves when a write may complete; at once unless told otherwise. */
  turn?(operation: Operation): Promise<void>
  /** Told of something done at once that is visible and not durable yet. */
  done?(operation: Operation): void
  /** Which of so many bits a rotten read flips; one in the middle unless told otherwise. */
  bit?(bits: number): number
}

const none = new Uint8Array(0)

interface WriteOptions {
  readonly sync?: boolean
}

interface ReadOptions {
  readonly snapshot?: FaultySnapshot
}

/** Keys and values are Uint8Arrays (`view`) unless other encodings are asked for. What is read is the reader's own. */
export class FaultyLevel extends AbstractLevel<Uint8Array, Uint8Array, Uint8Array> {
  readonly disk: Disk
  readonly #conditions: Conditions
  #cut = false

  constructor(
    disk: Disk,
    conditions: Conditions = {},
    options: AbstractDatabaseOptions<Uint8Array, Uint8Array> = {},
  ) {
    const reads = { seek: true, getSync: true, has: true, implicitSnapshots: true, explicitSnapshots: true }
    const manifest = { encodings: { view: true }, permanence: true, ...reads }
    super(manifest as never, { keyEncoding: 'view', valueEncoding: 'view', ...options })
    this.disk = disk
    this.#conditions = conditions
  }

  /** The process that used it is gone: nothing that is under way ever ends, nothing more is written. */
  cut(): void {
    this.#cut = true
  }

  protected async _get(key: Uint8Array, options: ReadOptions): Promise<Uint8Array | undefined> {
    return this._getSync(key, options)
  }

  protected _getSync(key: Uint8Array, { snapshot }: ReadOptions): Uint8Array | undefined {
    return this.#read('get', key, (snapshot ?? this.disk).content)
  }

  protected async _getMany(
    keys: readonly Uint8Array[],
    options: ReadOptions,
  ): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this._getSync(key, options))
  }

  protected async _has(key: Uint8Array, { snapshot }: ReadOptions): Promise<boolean> {
    return (snapshot ?? this.disk).content.has(key)
  }

  protected async _hasMany(keys: readonly Uint8Array[], { snapshot }: ReadOptions): Promise<boolean[]> {
    const { content } = snapshot ?? this.disk
    return keys.map((key) => content.has(key))
  }

  protected _put(key: Uint8Array, value: Uint8Array, { sync = false }: WriteOptions): Promise<void> {
    const operation = { kind: 'put', sync, bytes: value.length } as const
    return this.#write([{ key, value }], operation)
  }

  protected _del(key: Uint8Array, { sync = false }: WriteOptions): Promise<void> {
    return this.#write([{ key, value: undefined }], { kind: 'put', sync, bytes: 0 })
  }

  protected _batch(
    operations: readonly { readonly type: string; readonly key: Uint8Array; readonly value?: Uint8Array }[],
    { sync = false }: WriteOptions,
  ): Promise<void> {
    const changes = operations.map(({ key, value }) => ({ key, value }))
    const bytes = operations.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
    return this.#write(changes, { kind: 'batch', sync, bytes })
  }

  protected _clear({ snapshot, ...range }: Range & ReadOptions & WriteOptions): Promise<void> {
    const walk = new RangeWalk((snapshot ?? this.disk).content, range)
    const changes: Change[] = []
    for (let key = walk.next(); key !== undefined; key = walk.next()) changes.push({ key, value: undefined })
    return this.#write(changes, { kind: 'batch', sync: range.sync ?? false, bytes: 0 })
  }

  protected _snapshot(options: object): FaultySnapshot {
    return new FaultySnapshot(options, this.disk.content.clone())
  }

  protected _iterator(options: Range & ReadOptions & { readonly values: boolean }): FaultyIterator {
    const content = options.snapshot?.content ?? this.disk.content.clone()
    if (options.values === false) return new FaultyIterator(this, options, content, () => none)
    return new FaultyIterator(this, options, content, (key) => this.#read('read', key, content))
  }

  /** A copy, and what classic-level gives: a Buffer, which may lie anywhere in memory that others use. */
  #read(kind: 'get' | 'read', key: Uint8Array, content: Disk['content']): Uint8Array | undefined {
    const value = this.#found(kind, key, content)
    return value === undefined ? undefined : Buffer.from(value)
  }

  #found(kind: 'get' | 'read', key: Uint8Array, content: Disk['content']): Uint8Array | undefined {
    const value = content.get(key)
    const { fault, bit } = this.#conditions
    const met = value === undefined ? undefined : fault?.({ kind, sync: false, bytes: 0, key })
    if (met === undefined || value === undefined) return value
    if (met === 'misdirect') return (content.nextHigherPair(key) ?? content.nextLowerPair(key))?.[1] ?? value
    if (met === 'rot') return flipped(value, bit?.(value.length * 8) ?? value.length * 4 + 2)
    throw new Error('Input/output error (EIO) while reading')
  }

  async #write(changes: readonly Change[], operation: Operation): Promise<void> {
    if (this.#cut) return never
    const fault = this.#conditions.fault?.(operation)
    if (fault === 'full') throw new Error('No space left on device (ENOSPC)')
    if (fault === 'refused') throw new Error('Input/output error (EIO)')
    const written = this.disk.write(changes.map(copied))
    await this.#conditions.turn?.(operation)
    if (this.#cut) return never
    if (operation.sync && fault === 'lie') this.disk.lie(written)
    else if (operation.sync) this.disk.sync(written)
    if (fault === 'doubt') throw new Error('Input/output error (EIO) in fdatasync')
  }
}

const never = new Promise<never>(() => undefined)

function copied({ key, value }: Change): Change {
  return { key: new Uint8Array(key), value: value === undefined ? undefined : new Uint8Array(value) }
}

/** What the disk held when it was made: a copy on write. */
class FaultySnapshot extends AbstractSnapshot {
  readonly content: Disk['content']

  constructor(options: object, content: Disk['content']) {
    super(...([options] as unknown as []))
    this.content = content
  }
}

/** Goes through what the disk held when it was made; what is read of it may meet faults later. */
class FaultyIterator extends AbstractIterator<FaultyLevel, Uint8Array, Uint8Array> {
  readonly #walk: RangeWalk
  readonly #read: (key: Uint8Array) => Uint8Array | undefined

  constructor(
    level: FaultyLevel,
    options: Range,
    content: Disk['content'],
    read: (key: Uint8Array) => Uint8Array | undefined,
  ) {
    super(level, options as never)
    this.#walk = new RangeWalk(content, options)
    this.#read = read
  }

  protected async _next(): Promise<[Uint8Array, Uint8Array] | undefined> {
    const key = this.#walk.next()
    return key === undefined ? undefined : [new Uint8Array(key), this.#read(key)!]
  }

  protected async _nextv(size: number): Promise<[Uint8Array, Uint8Array][]> {
    const entries: [Uint8Array, Uint8Array][] = []
    while (entries.length < size) {
      const key = this.#walk.next()
      if (key === undefined) break
      entries.push([new Uint8Array(key), this.#read(key)!])
    }
    return entries
  }

  protected _seek(target: Uint8Array): void {
    this.#walk.seek(target)
  }
}
