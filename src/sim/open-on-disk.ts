/**
 * A recorder over a disk under test: journal, payload and engine are the real ones, the store and the head file under
 * them are `Disk` and `FaultyHead`, whose operations fail, lie and crash as somebody says.
 *
 *     openOnDisk ─▶ asks ─▶ cut (the process dies) ─▶ disk.powerLoss, head.powerLoss ─▶ openOnDisk with the same two
 */

import type { Engine, EngineOptions } from '../engine/engine.ts'
import { openEngine } from '../engine/open-engine.ts'
import { systemClock } from '../engine/system-clock.ts'
import type { Journal } from '../journal/journal.ts'
import { openStoreJournal } from '../journal/opening.ts'
import type { KvStore } from '../journal/store.ts'
import { openLevelPayload } from '../payload/level-payload.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { worldAt } from '../replay/at.ts'
import { Disk } from './disk.ts'
import { FaultyHead } from './faulty-head.ts'
import { type Conditions, FaultyLevel } from './faulty-level.ts'

export interface OnDiskOptions extends Partial<Omit<EngineOptions, 'journal' | 'payload'>> {
  /** Where it goes on; new ones unless told otherwise. */
  readonly disk?: Disk
  readonly head?: FaultyHead
  /** What its operations meet; nothing unless told otherwise. */
  readonly conditions?: Conditions
}

export interface OnDisk {
  readonly engine: Engine
  readonly journal: Journal
  readonly payload: PayloadStore
  readonly disk: Disk
  readonly head: FaultyHead
  /** The process dies: what is under way never ends, and nothing more reaches the disk. */
  cut(): void
}

/** Opens the journal on a disk under test and recovers an engine. Errors: those of opening a journal. */
export async function openOnDisk(options: OnDiskOptions = {}): Promise<OnDisk> {
  const { disk = new Disk(), head = new FaultyHead(), conditions = {}, ...rest } = options
  const level = new FaultyLevel(disk, conditions)
  const hand = head.hand()
  const store = level as unknown as KvStore
  await store.open()
  const payload = await openLevelPayload(store)
  const journal = await openStoreJournal({ store, head: hand.store, attachments: payload })
  const engine = await openEngine({ clock: systemClock(), worldAt, ...rest, journal, payload })
  const cut = () => {
    level.cut()
    hand.cut()
  }
  return { engine, journal, payload, disk, head, cut }
}
