/**
 * Replay of one long journal, paired: LevelDB handing out the frames undecoded, the fold alone (order, chain, rows and
 * the state hash of every frame checked), every input decided again besides, and the same events one a key.
 */

import { join } from 'node:path'
import { from, tables } from '../../src/journal/keys.ts'
import { type KvStore, readAheadBytes, readAheadFrames } from '../../src/journal/store.ts'
import { replay } from '../../src/replay/replay.ts'
import { withFolder } from './folder.ts'
import type { Line, Target } from './line.ts'
import { replayOnePerKey, storeOnePerKey } from './one-per-key.ts'
import { type Recorded, record } from './recorded.ts'
import { type Contender, collectGarbage, medians, microseconds, type Rounds } from './rounds.ts'

const anchor = 'LevelDB alone, undecoded'
const fold = 'fold'
const decide = 'decide again'
const onePerKey = 'one event per key, maps'

export interface ReplayOptions extends Rounds {
  readonly events: number
  readonly perFrame: number
  /** How many of the events the peer with one a key is given: it is slow, and its time is scaled by event. */
  readonly onePerKey: number
}

const targets: Readonly<Record<string, Target>> = {
  [fold]: { ratioAtLeast: 0.1 },
  [decide]: { ratioAtLeast: 0.08 },
}

/** The lines of all contenders, in nanoseconds an event. Throws when a replay does not end where it must. */
export function replayLines(options: ReplayOptions): Promise<Line[]> {
  return withFolder(async (folder) => {
    const recorded = await record(join(folder, 'journal'), options.events, options.perFrame)
    const few = Math.min(options.onePerKey, recorded.events)
    const peer = await storeOnePerKey(join(folder, 'one-per-key'), recorded.journal, few)
    const { store, events } = recorded
    const frames = await countFrames(store)
    const contenders: Contender[] = [
      { name: anchor, go: () => perEvent(events, frames, () => countFrames(store)) },
      { name: fold, go: () => perEvent(events, events, () => replayed(recorded, false)) },
      { name: decide, go: () => perEvent(events, events, () => replayed(recorded, true)) },
      { name: onePerKey, go: () => perEvent(few, few, () => replayOnePerKey(peer)) },
    ]
    try {
      return linesOf(options, events, await medians(contenders, options))
    } finally {
      await peer.close()
      await recorded.journal.close()
    }
  })
}

/** Nanoseconds that `act` takes for each of `events` events; it must come out with `expected`. */
async function perEvent(events: number, expected: number, act: () => Promise<number>): Promise<number> {
  collectGarbage()
  let found = 0
  const took = await microseconds(async () => {
    found = await act()
  })
  if (found !== expected) throw new Error(`${found} were read, not ${expected}`)
  return (took * 1000) / events
}

async function countFrames(store: KvStore): Promise<number> {
  const cursor = store.values({ ...from(tables.frame, 1), highWaterMarkBytes: readAheadBytes })
  let frames = 0
  for (;;) {
    const values = await cursor.nextv(readAheadFrames)
    if (values.length === 0) break
    frames += values.length
  }
  await cursor.close()
  return frames
}

async function replayed({ journal }: Recorded, decideAgain: boolean): Promise<number> {
  const { events, findings } = await replay(journal, { decide: decideAgain })
  const [finding] = findings
  if (finding !== undefined) throw new Error(`event ${finding.seq}: ${finding.rule}: ${finding.detail}`)
  return events
}

function linesOf({ perFrame }: ReplayOptions, events: number, taken: ReadonlyMap<string, number>): Line[] {
  const group = `replay ${(events / 1e6).toPrecision(2)} M, ${perFrame} a frame`
  const lines = [...taken].map(([name, value]): Line => {
    const target = targets[name]
    const line = { group, name, value, unit: 'ns/event', ratio: taken.get(anchor)! / value }
    return target === undefined ? line : { ...line, target }
  })
  const against = 'one per key'
  const ratio = taken.get(onePerKey)! / taken.get(fold)!
  const target = { ratioAtLeast: 5, against }
  return [
    ...lines,
    { group, name: 'fold / one per key', value: taken.get(fold)!, unit: 'ns/event', ratio, target },
  ]
}
