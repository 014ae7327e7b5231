/** A journal folder opened with its payload store: what a command, a test or a program starts from. */

import { type FolderOptions, openJournalFolder } from '../journal/folder.ts'
import type { Journal } from '../journal/journal.ts'
import { hasRoom } from '../journal/room.ts'
import { type LevelPayload, openLevelPayload } from '../payload/level-payload.ts'
import type { PayloadStore } from '../payload/payload.ts'
import type { Engine, EngineOptions } from './engine.ts'
import { openEngine } from './open-engine.ts'
import { Succession } from './succession.ts'
import { systemClock } from './system-clock.ts'

export interface OpenFolder {
  readonly journal: Journal
  readonly payload: PayloadStore
}

/** Opens the journal in folder `path` to look at it; nothing is cut or appended. Errors: see openJournalFolder. */
export function openToRead(path: string, look: Pick<FolderOptions, 'onFound'> = {}): Promise<OpenFolder> {
  return open(path, { readOnly: true, ...look })
}

export interface WriteOptions extends Partial<Omit<EngineOptions, 'journal' | 'payload'>> {
  readonly create?: boolean
  /** The most bytes of payload kept in memory once they are stored; 64 MiB unless told otherwise. */
  readonly cacheBytes?: number
}

/** Opens the journal in folder `path`, made when `create` says so, and recovers an engine on it. */
export async function openToWrite(
  path: string,
  options: WriteOptions = {},
): Promise<{ readonly engine: Engine } & OpenFolder> {
  const { create, cacheBytes, ...rest } = options
  const folder = await open(path, { create: create === true }, cacheBytes)
  try {
    const engine = await openEngine({ clock: systemClock(), ...folder, ...rest })
    return { engine, ...folder }
  } catch (error) {
    await folder.journal.close()
    throw error
  }
}

/**
 * The same, with engines that take over from it in this process: by themselves when the disk was full and has room again,
 * otherwise when they are asked to. Before a far disk none does by itself: what was done there is not on record. Errors:
 * see openToWrite.
 */
export async function openToGoOn(path: string, options: WriteOptions = {}): Promise<Succession> {
  const { clock = systemClock(), create, ...rest } = options
  const first = await openToWrite(path, { ...rest, clock, create: create === true })
  return new Succession(first, {
    clock,
    reopen: () => openToWrite(path, { ...rest, clock }),
    look: () => openToRead(path),
    hasRoom: () => rest.tap === undefined && hasRoom(path),
  })
}

async function open(
  path: string,
  how: Pick<FolderOptions, 'create' | 'readOnly' | 'onFound'>,
  cacheBytes?: number,
): Promise<OpenFolder> {
  let payload: LevelPayload | undefined
  const journal = await openJournalFolder(path, {
    ...how,
    attach: async (store) => {
      payload = await openLevelPayload(store, { cacheBytes, copies: true })
      return payload
    },
  })
  return { journal, payload: payload! }
}
