/**
 * A journal's folder: `journal.json` says what it is, `db/` holds the frames, `payload/` what hosts wrote, `head` what was
 * durable, `reserve` the room that LevelDB needs to open on a full disk (FORMAT.md).
 */

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import { fileReason } from '../core/file-reason.ts'
import { droppedAtOpening, gatherEvidence } from './evidence.ts'
import { fileStore } from './file-store.ts'
import { damagedDatabase, damageRemark, foundDamage, type Look, stampOf } from './found-damage.ts'
import { damage } from './frame.ts'
import { emptyHead, encodeHead, type HeadStore, newestHead, slotSpacing } from './head.ts'
import { headFile, syncFolder } from './head-file.ts'
import { identityText } from './identity.ts'
import type { Attachments } from './journal.ts'
import { reading } from './level-file.ts'
import { openStoreJournal } from './opening.ts'
import { readOnlyPlace, whyReadOnly } from './read-only-place.ts'
import { Reserve } from './reserve.ts'
import { type StoreFault, scrub } from './scrub.ts'
import { segmentFolder } from './segment-folder.ts'
import { segmentedStore } from './segmented-store.ts'
import { inUseMessage, isDamage, type KvStore, levelStore, readError, storeError } from './store.ts'
import type { StoreJournal } from './store-journal.ts'
import { isWholeValue } from './whole-value.ts'

const formatName = 'blockbox-journal'
const formatVersion = 1
/** What a name ends in while its file is being written. */
const unfinished = '.new'

export interface FolderOptions {
  /** Makes the journal when there is none; without it a missing journal is JOURNAL_MISSING. */
  readonly create?: boolean
  readonly readOnly?: boolean
  /** Makes the payload store of the database, whose bytes go into the journal's batches. */
  readonly attach?: (store: KvStore) => Promise<Attachments>
  readonly createdIso?: string
  /**
   * Looks at the database's files as they are found, while nobody has them open. Without it only what LevelDB finds its
   * way by is looked at. A journal with damage in them is read without LevelDB, and not opened to write.
   */
  readonly onFound?: Look
}

/**
 * Opens the journal in folder `path`.
 * Throws JOURNAL_MISSING, JOURNAL_FOREIGN, JOURNAL_VERSION, JOURNAL_LOCKED, JOURNAL_FULL, JOURNAL_READ_ONLY,
 * JOURNAL_CORRUPT, JOURNAL_LOST_TAIL; USAGE where the folder can be neither read nor made.
 */
export async function openJournalFolder(path: string, options: FolderOptions = {}): Promise<StoreJournal> {
  const fresh = within(path, () => {
    const isNew = identify(path, options)
    refuseHeadless(path)
    return isNew
  })
  const unwritable = whyReadOnly(path)
  if (unwritable !== undefined) return openUnwritable(path, options, unwritable)
  const faults = await foundDamage(join(path, 'db'), options)
  if (faults.length > 0) return openDamaged(path, options, faults)
  const evidence = gatherEvidence(path)
  try {
    const store = segmentedStore(levelStore(join(path, 'db')), segmentFolder(join(path, 'payload')))
    const tookReserve = await openStore(store, path)
    const dropped = droppedAtOpening(path)
    const remarks =
      dropped === undefined ? [] : [`the database dropped records: ${dropped}; ${evidence.keep()}`]
    const journal = await openOn(store, path, options, fresh, remarks)
    evidence.discard()
    if (tookReserve) new Reserve(join(path, 'reserve')).cover(0)
    return journal
  } catch (error) {
    const failure = error instanceof BlockboxError ? error : readError(error, 1)
    const kept = failure.seq === undefined ? '' : evidence.keep()
    evidence.discard()
    if (kept === '') throw failure
    throw damage(failure.code, failure.seq!, `${failure.message}; ${kept}`, error)
  }
}

/** Opens a journal whose database is damaged to look at it; the database's files stay as they are. */
async function openDamaged(
  path: string,
  options: FolderOptions,
  faults: readonly StoreFault[],
): Promise<StoreJournal> {
  if (options.readOnly !== true) throw damagedDatabase(faults)
  const store = segmentedStore(
    await fileStore(join(path, 'db'), isWholeValue),
    segmentFolder(join(path, 'payload')),
  )
  return openOn(store, path, options, false, [damageRemark(faults)])
}

/** Opens a journal where nothing can be written to look at it. Nothing is locked: who writes meanwhile is noticed. */
async function openUnwritable(path: string, options: FolderOptions, why: string): Promise<StoreJournal> {
  const db = join(path, 'db')
  if (options.readOnly !== true || !existsSync(db)) throw readOnlyPlace(path, why)
  const { onFound = scrub } = options
  const faults = await foundDamage(db, { readOnly: true, unwritable: true, onFound })
  const before = stampOf(db)
  const store = segmentedStore(await fileStore(db, isWholeValue), segmentFolder(join(path, 'payload')))
  const remarks = faults.length > 0 ? [damageRemark(faults)] : []
  try {
    return await openOn(store, path, options, false, remarks)
  } catch (error) {
    throw stampOf(db) === before ? error : new BlockboxError('JOURNAL_LOCKED', inUseMessage, { cause: error })
  }
}

async function openOn(
  store: KvStore,
  path: string,
  { attach, readOnly = false }: FolderOptions,
  fresh: boolean,
  remarks: readonly string[],
): Promise<StoreJournal> {
  let head: HeadStore | undefined
  try {
    const attachments = await attach?.(store)
    head = headFile(join(path, 'head'), readOnly)
    if (fresh && !readOnly) {
      head.write(0, encodeHead(emptyHead))
      await head.sync()
    }
    const reserve = readOnly ? undefined : new Reserve(join(path, 'reserve'))
    return await openStoreJournal({
      store,
      head,
      readOnly,
      remarks,
      ...(attachments === undefined ? {} : { attachments }),
      ...(reserve === undefined ? {} : { onStored: (bytes: number) => reserve.cover(bytes) }),
    })
  } catch (error) {
    await head?.close()
    await store.close()
    throw error
  }
}

/** Looks into the folder. Throws USAGE where that cannot be done, or a journal not be made. */
function within<T>(path: string, look: () => T): T {
  try {
    return look()
  } catch (error) {
    const reason = fileReason(error, 'write')
    if (reason === undefined) throw error
    const what = existsSync(join(path, 'journal.json')) ? 'looked at' : 'looked for or made'
    const message = `a journal cannot be ${what} at ${path}: ${reason}. Name another folder with -j`
    throw new BlockboxError('USAGE', message, { cause: error })
  }
}

function isEmptyFolder(path: string): boolean {
  const begun = `journal.json${unfinished}`
  return statSync(path).isDirectory() && readdirSync(path).every((name) => name === begun)
}

/** Reads or makes `journal.json`; true when the journal is new. */
function identify(path: string, options: FolderOptions): boolean {
  const file = join(path, 'journal.json')
  if (!existsSync(file)) {
    const foreign = existsSync(path) && !isEmptyFolder(path)
    if (foreign) {
      const message = `${path} is not a journal: it has no journal.json. Name another folder`
      throw new BlockboxError(options.create === true ? 'JOURNAL_FOREIGN' : 'JOURNAL_MISSING', message)
    }
    if (options.create !== true) {
      throw new BlockboxError(
        'JOURNAL_MISSING',
        `there is no journal at ${path}: name one that exists, or record one`,
      )
    }
    mkdirSync(path, { recursive: true })
    const about = {
      format: formatName,
      version: formatVersion,
      id: randomBytes(16).toString('hex'),
      created: options.createdIso ?? new Date().toISOString(),
    }
    writeSynced(`${file}${unfinished}`, new TextEncoder().encode(`${JSON.stringify(about)}\n`))
    renameSync(`${file}${unfinished}`, file)
    syncFolder(path)
    return true
  }
  const about = parse(identityText(file), file)
  const { format, version } = about
  if (format !== formatName || typeof version !== 'number' || version < 1)
    throw new BlockboxError('JOURNAL_FOREIGN', `${file} is damaged or not that of a journal`)
  if (version !== formatVersion) {
    throw new BlockboxError(
      'JOURNAL_VERSION',
      `the journal has format version ${version}: use a newer blockbox`,
    )
  }
  return !existsSync(join(path, 'head')) && !existsSync(join(path, 'db', 'CURRENT'))
}

/**
 * Refuses a database that lost its CURRENT file while there is more than a beginning of it: LevelDB would take the
 * folder for a new database and delete the files that are left.
 */
function refuseHeadless(path: string): void {
  const db = join(path, 'db')
  if (existsSync(join(db, 'CURRENT'))) return
  const files = existsSync(db) ? readdirSync(db) : []
  const filled = files.some((name) => /\.(?:log|ldb|sst)$/.test(name) && statSync(join(db, name)).size > 0)
  if (!filled && !headSaysMore(join(path, 'head'))) return
  const left = 'what is left was not touched; put a copy back'
  throw damage('JOURNAL_CORRUPT', 1, `the database has no file CURRENT and cannot be opened: ${left}`)
}

function headSaysMore(file: string): boolean {
  if (!existsSync(file)) return false
  const bytes = reading(file, (source) => source.bytes(0, 2 * slotSpacing))
  const head = newestHead([bytes.subarray(0, slotSpacing), bytes.subarray(slotSpacing)])
  return head === undefined ? bytes.some((byte) => byte !== 0) : head.durable.seq > 0
}

function parse(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw new BlockboxError('JOURNAL_FOREIGN', `${file} is damaged or not that of a journal`)
}

/** Opens LevelDB; on a full disk frees the reserve and tries again. True when the reserve is gone. */
async function openStore(store: KvStore, path: string): Promise<boolean> {
  try {
    await store.open()
    return false
  } catch (error) {
    const failure = storeError(error, 'the journal was being opened')
    const reserve = join(path, 'reserve')
    if (failure.code === 'JOURNAL_FULL' && existsSync(reserve)) {
      rmSync(reserve)
      await openStore(store, path)
      return true
    }
    if (failure.code === 'JOURNAL_IN_DOUBT' && isDamage(error)) {
      const why = String((error as Error).cause ?? error)
      throw damage(
        'JOURNAL_CORRUPT',
        1,
        `LevelDB cannot open the database, its own files are damaged (${why})`,
        error,
      )
    }
    throw failure
  }
}

function writeSynced(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w')
  try {
    writeSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
