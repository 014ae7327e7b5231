/**
 * What the journal asks of a key-value store, so that LevelDB on disk and memory-level serve alike; and the options
 * under which LevelDB is fast and honest: compression off, large write buffers, `view` encodings.
 */

import { Level } from 'level'
import { BlockboxError } from '../core/errors.ts'

export interface Bounds {
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
}

export interface Cursor<Item> {
  nextv(size: number): Promise<Item[]>
  close(): Promise<void>
}

export interface Batch {
  put(key: Uint8Array, value: Uint8Array): Batch
  del(key: Uint8Array): Batch
  write(options: { readonly sync: boolean }): Promise<void>
}

/** A subset of abstract-level with byte keys and values; Level and MemoryLevel both are one. */
export interface KvStore {
  open(): Promise<void>
  close(): Promise<void>
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  getSync(key: Uint8Array): Uint8Array | undefined
  put(key: Uint8Array, value: Uint8Array, options: { readonly sync: boolean }): Promise<void>
  batch(): Batch
  keys(bounds: Bounds): Cursor<Uint8Array>
  values(bounds: Bounds & { readonly highWaterMarkBytes?: number }): Cursor<Uint8Array>
  iterator(bounds: Bounds & { readonly highWaterMarkBytes?: number }): Cursor<[Uint8Array, Uint8Array]>
}

/** Bytes of log that LevelDB may have to write again when it opens: the reserve is kept at least as large. */
export const writeBufferBytes = 16 * 2 ** 20

/** Bytes an iterator may read ahead: with LevelDB's default of 16 KiB every frame would be a call of its own. */
export const readAheadBytes = 2 ** 20

/** How many values one call of an iterator may bring. */
export const readAheadFrames = 1000

/** LevelDB in the folder `location`, not yet open. */
export function levelStore(location: string): KvStore {
  const options = {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: false,
    writeBufferSize: writeBufferBytes,
    maxFileSize: 64 * 2 ** 20,
  }
  return new Level<Uint8Array, Uint8Array>(location, options) as unknown as KvStore
}

export const inUseMessage = 'the journal is in use by another process: stop it first'

/**
 * Throws JOURNAL_LOCKED when somebody has the database at `location` open, which has to exist. LevelDB takes the lock,
 * refuses what exists, and gives the lock back, all before it reads a byte.
 */
export async function refuseLocked(location: string): Promise<void> {
  const probe = new Level(location, { createIfMissing: false, errorIfExists: true })
  try {
    await probe.open()
  } catch (error) {
    const failure = storeError(error, 'the journal was being looked at')
    if (failure.code === 'JOURNAL_LOCKED') throw failure
  }
}

/** Names of the errors that a store's failure becomes: what is in doubt, what is full, what is locked. */
export function storeError(error: unknown, doing: string): BlockboxError {
  if (error instanceof BlockboxError) return error
  const texts: string[] = []
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    texts.push((one as { code?: string }).code ?? '', one.message)
  }
  const all = texts.join(' ')
  if (/LEVEL_LOCKED/.test(all)) {
    return new BlockboxError('JOURNAL_LOCKED', inUseMessage, { cause: error })
  }
  if (/No space left|ENOSPC|quota exceeded|EDQUOT|File too large|EFBIG/i.test(all)) {
    return new BlockboxError(
      'JOURNAL_FULL',
      `no space left on the disk while ${doing}: free some, then go on`,
      {
        cause: error,
      },
    )
  }
  return new BlockboxError(
    'JOURNAL_IN_DOUBT',
    `the store failed while ${doing} (${texts.at(-1) ?? String(error)}): open the journal again to settle what was written`,
    { cause: error },
  )
}

/**
 * What a failure to read means: damage from event `seq` on when the database says that its own files are damaged.
 */
export function readError(error: unknown, seq: number): BlockboxError {
  if (error instanceof BlockboxError) return error
  if (!isDamage(error)) return storeError(error, `event ${seq} was being read`)
  const message = `the database cannot read event ${seq}, its own files are damaged (${lastMessage(error)})`
  return new BlockboxError('JOURNAL_CORRUPT', message, { cause: error, seq })
}

function lastMessage(error: unknown): string {
  let text = String(error)
  for (let one: unknown = error; one instanceof Error; one = one.cause) text = one.message
  return text
}

/**
 * True when LevelDB refuses to open or to read because its own files are damaged. Reading beyond the end of a table that
 * was cut is an invalid argument to it; a name in CURRENT with a zero in it ends there, and
 * so does what LevelDB says of it, without a reason.
 */
export function isDamage(error: unknown): boolean {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    if (
      /corrupt|missing files|No such file|CURRENT|checksum|\.(?:ldb|sst): Invalid argument|IO error: [^:]*$/i.test(
        one.message,
      )
    )
      return true
  }
  return false
}
