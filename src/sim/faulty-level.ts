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
  readonly kind: 'get' | 'put' | 'batch' | 'read'
  readonly sync: boolean
  /** Bytes written; 0 for reads. */
  readonly bytes: number
  /** What is read. */
  readonly key?: Uint8Array
}

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

class FaultyIterator extends AbstractIterator<FaultyLevel, Uint8Array, Uint8Array> {
  readonly #keys: Uint8Array[]
  readonly #read: (key: Uint8Array) => Uint8Array | undefined
  #at = 0

  constructor(level: FaultyLevel, options: Range, read: (key: Uint8Array) => Uint8Array | undefined) {
    super(level, options as never)
    const { gte, gt, lte, lt, reverse } = options
    const low = gte ?? gt
    const content = level.disk.content
    const keys: Uint8Array[] = []
    for (const [key] of content.entries(low)) {
      if (gt !== undefined && compareBytes(key, gt) <= 0) continue
      if (lt !== undefined && compareBytes(key, lt) >= 0) break
      if (lte !== undefined && compareBytes(key, lte) > 0) break
      keys.push(key)
    }
    this.#keys = reverse ? keys.reverse() : keys
    this.#read = read
  }

  protected async _next(): Promise<[Uint8Array, Uint8Array] | undefined> {
    const key = this.#keys[this.#at++]
    return key === undefined ? undefined : [key, this.#read(key)!]
  }

  protected async _nextv(size: number): Promise<[Uint8Array, Uint8Array][]> {
    const keys = this.#keys.slice(this.#at, this.#at + size)
    this.#at += keys.length
    return keys.map((key) => [key, this.#read(key)!])
  }

  protected _seek(target: Uint8Array): void {
    const found = this.#keys.findIndex((key) => compareBytes(key, target) >= 0)
    this.#at = found < 0 ? this.#keys.length : found
  }
}
