/**
 * A scenario run in memory under logical time, as a journal: what a golden run is compared with. Nothing of the
 * machine is in it, so that running it again gives the same bytes.
 */

import { dirname } from 'node:path'
import { hex, sha256 } from '../core/digest.ts'
import { parseSize } from '../core/size.ts'
import { openEngine } from '../engine/open-engine.ts'
import { readBounded } from '../files/bounded-file.ts'
import { memoryHead } from '../journal/head.ts'
import type { Journal } from '../journal/journal.ts'
import { MemoryStore } from '../journal/memory-store.ts'
import { openStoreJournal } from '../journal/opening.ts'
import { openLevelPayload } from '../payload/level-payload.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { runScenario } from '../run/driver.ts'
import { LogicalClock, roundMs } from '../run/logical-clock.ts'
import { OutsideImages } from '../run/outside-images.ts'
import { PacedCopier } from '../run/paced-copier.ts'
import { parseScenario } from '../run/scenario.ts'
import { refuseFilesOutside } from '../run/scenario-files.ts'

/** No scenario is longer. */
const maxScenarioBytes = 2 ** 20

export interface ScenarioRun {
  readonly journal: Journal
  readonly payload: PayloadStore
}

/** Runs the scenario in the file at `path`. Throws SCENARIO, USAGE, or what the engine throws. */
export async function recordScenario(path: string, signal?: AbortSignal): Promise<ScenarioRun> {
  const bytes = readBounded(path, maxScenarioBytes)
  const scenario = parseScenario(bytes.toString('utf8'), parseSize)
  refuseFilesOutside(scenario, dirname(path))
  const store = new MemoryStore()
  const head = memoryHead()
  const clock = new LogicalClock()
  const copier = new PacedCopier()
  const payload = await openLevelPayload(store)
  const journal = await openStoreJournal({ store, head, attachments: payload })
  const images = new OutsideImages(dirname(path))
  const hooks = { copier: copier.copy, openImage: images.open }
  const engine = await openEngine({ journal, payload, clock, ...hooks, readDigests: 'always' })
  try {
    await runScenario({
      engine,
      payload,
      copier,
      images,
      scenario,
      digest: hex(sha256(bytes)),
      folder: dirname(path),
      time: clock.timekeeper(),
      onRound: () => clock.advance(roundMs),
      ...(signal !== undefined && { signal }),
    })
  } finally {
    await engine.close()
    await images.close()
  }
  return {
    journal: await openStoreJournal({ store, head, readOnly: true }),
    payload: await openLevelPayload(store),
  }
}
