/** Drives a scenario file into a journal folder: the work behind `blockbox run` and `npm start`. */

import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { hex, sha256 } from '../src/core/digest.ts'
import { BlockboxError } from '../src/core/errors.ts'
import { openToWrite } from '../src/engine/open-folder.ts'
import { newTally, type Tally, tally } from '../src/inspect/tally.ts'
import { PacedCopier, type RunReport, runScenario } from '../src/run/driver.ts'
import { OutsideImages } from '../src/run/outside-images.ts'
import { parseScenario, type Scenario } from '../src/run/scenario.ts'
import { interrupt } from './interrupt.ts'
import { progress } from './output.ts'
import { parseSize } from './size.ts'

/** No scenario is longer. */
const maxScenarioBytes = 2 ** 20

export interface Driven {
  readonly scenario: Scenario
  readonly report: RunReport
  readonly seconds: number
  /** What the systems did, added up from the frames as they became durable. */
  readonly sum: Tally
}

/** Reads and checks a scenario file. Throws SCENARIO, or what reading the file throws. */
export function readScenario(path: string): { readonly scenario: Scenario; readonly digest: string } {
  const bytes = readFileSync(path)
  if (bytes.length > maxScenarioBytes)
    throw new BlockboxError('SCENARIO', `${path} is no scenario: it is over 1 MiB`)
  return { scenario: parseScenario(bytes.toString('utf8'), parseSize), digest: hex(sha256(bytes)) }
}

/** Runs the scenario into the journal at `journal`, which is made when it is missing. */
export async function drive(path: string, journal: string, ack: 'durable' | 'buffered'): Promise<Driven> {
  const { scenario, digest } = readScenario(path)
  const copier = new PacedCopier()
  const started = performance.now()
  const sum = newTally()
  const folder = dirname(path)
  const images = new OutsideImages(folder)
  const how = { create: true, copier: copier.copy, openImage: images.open, ack }
  const { engine } = await openToWrite(journal, how)
  engine.frames$.subscribe({
    next(frame) {
      const row = frame.open()
      for (row.index = 0; row.index < frame.count; row.index++) tally(sum, row)
    },
    error: () => undefined,
  })
  try {
    const report = await runScenario({
      engine,
      copier,
      images,
      scenario,
      digest,
      folder,
      signal: interrupt,
      onRound: (taken, step) => progress(`${taken} requests${step === '' ? '' : `, next step ${step}`}`),
    })
    return { scenario, report, sum, seconds: (performance.now() - started) / 1000 }
  } finally {
    progress('')
    await engine.close()
    await images.close()
  }
}
