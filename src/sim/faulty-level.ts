/**
 * An abstract-level over a `Disk` whose every operation somebody may slow down, fail or falsify. With no faults it is
 * an ordinary store in memory, and passes the journal's contract suite.
 *
 *     operation ─▶ fault? ─▶ applied ─▶ waits for its turn ─▶ (sync: durable) ─▶ resolves
 *                    ├─ refused        nothing happened: ENOSPC, EIO
 *                    └─ in doubt       applied, and yet an error: the EIO of an fdatasync
 */

import { AbstractIterator, AbstractLevel } from 'abstract-level'
import { type Change, compareBytes, type Disk, flipped } from './disk.ts'

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

interface Range {
  readonly values: boolean
  readonly gte?: Uint8Array
  readonly gt?: Uint8Array
  readonly lte?: Uint8Array
  readonly lt?: Uint8Array
  readonly reverse: boolean
  readonly limit: number
}

interface WriteOptions {
  readonly sync?: boolean
}

/** Keys and values are Uint8Arrays (`view`). */
export class FaultyLevel extends AbstractLevel<Uint8Array, Uint8Array, Uint8Array> {
  readonly disk: Disk
  readonly #conditions: Conditions
  #cut = false

  constructor(disk: Disk, conditions: Conditions = {}) {
    const encodings = { encodings: { view: true }, permanence: true, seek: true, getSync: true }
    super(encodings as never, { keyEncoding: 'view', valueEncoding: 'view' })
    this.disk = disk
    this.#conditions = conditions
  }

  /** The process that used it is gone: nothing that is under way ever ends, nothing more is written. */
  cut(): void {
    this.#cut = true
  }

  protected async _get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this._getSync(key)
  }

  protected _getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#read('get', key)
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

  protected _iterator(options: Range): FaultyIterator {
    if (options.values === false) return new FaultyIterator(this, options, () => none)

    return new FaultyIterator(this, options, (key) => this.#read('read', key))
  }

  #read(kind: 'get' | 'read', key: Uint8Array): Uint8Array | undefined {
    const { content } = this.disk
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
  return { key: key.slice(), value: value?.slice() }
}

/**
 * Goes through what the disk holds when each value is asked for. LevelDB shows what was there when the iterator was
 * made; whoever reads here asks for a range that is written no more.
 */
class FaultyIterator extends AbstractIterator<FaultyLevel, Uint8Array, Uint8Array> {
  readonly #options: Range
  readonly #content: Disk['content']
  readonly #read: (key: Uint8Array) => Uint8Array | undefined
  #next: Uint8Array | undefined
  #left: number

  constructor(level: FaultyLevel, options: Range, read: (key: Uint8Array) => Uint8Array | undefined) {
    super(level, options as never)
    this.#options = options
    this.#content = level.disk.content
    this.#left = options.limit < 0 ? Number.POSITIVE_INFINITY : options.limit
    this.#read = read
    this.#next = options.reverse ? this.#last() : this.#from(options.gte ?? options.gt)
  }

  protected async _next(): Promise<[Uint8Array, Uint8Array] | undefined> {
    return this.#take()
  }

  protected async _nextv(size: number): Promise<[Uint8Array, Uint8Array][]> {
    const entries: [Uint8Array, Uint8Array][] = []
    for (let entry = this.#more(size, entries); entry !== undefined; entry = this.#more(size, entries)) {
      entries.push(entry)
    }
    return entries
  }

  protected _seek(target: Uint8Array): void {
    this.#next = this.#options.reverse ? this.#at(target, 'before') : this.#from(target)
  }

  #more(size: number, entries: readonly unknown[]): [Uint8Array, Uint8Array] | undefined {
    return entries.length < size ? this.#take() : undefined
  }

  #take(): [Uint8Array, Uint8Array] | undefined {
    const key = this.#next
    if (key === undefined || this.#left === 0 || !this.#isWithin(key)) return undefined
    this.#left--
    this.#next = this.#options.reverse ? this.#content.nextLowerKey(key) : this.#content.nextHigherKey(key)
    return [key, this.#read(key)!]
  }

  #isWithin(key: Uint8Array): boolean {
    const { gt, gte, lt, lte } = this.#options
    if (gt !== undefined && compareBytes(key, gt) <= 0) return false
    if (gte !== undefined && compareBytes(key, gte) < 0) return false
    if (lt !== undefined && compareBytes(key, lt) >= 0) return false
    return lte === undefined || compareBytes(key, lte) <= 0
  }

  /** The first key from `low` on. */
  #from(low: Uint8Array | undefined): Uint8Array | undefined {
    if (low === undefined) return this.#content.minKey()
    const first = this.#at(low, 'behind')
    return first !== undefined &&
      this.#options.gt !== undefined &&
      compareBytes(first, this.#options.gt) === 0
      ? this.#content.nextHigherKey(first)
      : first
  }

  /** The last key of the range. */
  #last(): Uint8Array | undefined {
    const { lt, lte } = this.#options
    if (lt !== undefined) return this.#content.nextLowerKey(lt)
    return lte === undefined ? this.#content.maxKey() : this.#at(lte, 'before')
  }

  #at(target: Uint8Array, else_: 'behind' | 'before'): Uint8Array | undefined {
    if (this.#content.has(target)) return target
    return else_ === 'behind' ? this.#content.nextHigherKey(target) : this.#content.nextLowerKey(target)
  }
}
