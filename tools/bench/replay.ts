/**
 * Replay of one long journal, paired: LevelDB handing out the frames undecoded, the fold alone (order, chain, rows and
 * the state hash of every frame checked), every input decided again besides, and the same events one a key.
 */

import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { withFolder } from './folder.ts'
import type { Line, Target } from './line.ts'
import { record } from './recorded.ts'
import type { SideData } from './replay-side.ts'
import { type Contender, medians, type Rounds } from './rounds.ts'

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
    const journal = join(folder, 'journal')
    const few = join(folder, 'one-per-key')
    const { events, frames, kept } = await record(journal, few, options)
    const contenders = [
      new Side(anchor, { side: 'raw', folder: journal, events: frames }, events),
      new Side(fold, { side: 'fold', folder: journal, events }, events),
      new Side(decide, { side: 'decide', folder: journal, events }, events),
      new Side(onePerKey, { side: 'one-per-key', folder: few, events: kept }, kept),
    ]
    try {
      return linesOf(options, events, await medians(contenders, options))
    } finally {
      await Promise.all(contenders.map((contender) => contender.end()))
    }
  })
}

/** A contender and its thread. */
class Side implements Contender {
  readonly name: string
  readonly #worker: Worker
  readonly #events: number

  /** @param events what its time is divided by. */
  constructor(name: string, workerData: SideData, events: number) {
    this.name = name
    this.#events = events
    this.#worker = new Worker(new URL('./replay-side.js', import.meta.url), { workerData })
  }

  async go(): Promise<number> {
    this.#worker.postMessage('go')
    const [{ took, error }] = (await once(this.#worker, 'message')) as [{ took: number; error?: Error }]
    if (error !== undefined) throw error
    return (took * 1000) / this.#events
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }
}

function linesOf({ perFrame }: ReplayOptions, events: number, taken: ReadonlyMap<string, number>): Line[] {
  const group = `replay ${(events / 1e6).toPrecision(2)} M, ${perFrame} a frame`
  const lines = [...taken].map(([name, value]): Line => {
    const target = targets[name]
    const line = { group, name, value, unit: 'ns/event', ratio: taken.get(anchor)! / value }
    return target === undefined ? line : { ...line, target }
  })
  const ratio = taken.get(onePerKey)! / taken.get(fold)!
  const target = { ratioAtLeast: 5, against: 'one per key' }
  return [
    ...lines,
    { group, name: 'fold / one per key', value: taken.get(fold)!, unit: 'ns/event', ratio, target },
  ]
}
