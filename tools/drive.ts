/** Drives a scenario file into a journal folder: the work behind `blockbox run` and `npm start`. */

import { dirname } from 'node:path'
import { hex, sha256 } from '../src/core/digest.ts'
import { openToWrite } from '../src/engine/open-folder.ts'
import { readBounded } from '../src/files/bounded-file.ts'
import { newTally, type Tally, tally } from '../src/inspect/tally.ts'
import { type RunReport, runScenario } from '../src/run/driver.ts'
import { LogicalClock, roundMs } from '../src/run/logical-clock.ts'
import { machineTime } from '../src/run/machine-time.ts'
import { OutsideImages } from '../src/run/outside-images.ts'
import { PacedCopier } from '../src/run/paced-copier.ts'
import { parseScenario, type Scenario } from '../src/run/scenario.ts'
import { refuseFilesOutside } from '../src/run/scenario-files.ts'
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

/** Reads and checks a scenario file. Throws SCENARIO, and USAGE when it cannot be read. */
export function readScenario(path: string): { readonly scenario: Scenario; readonly digest: string } {
  const bytes = readBounded(path, maxScenarioBytes)
  const scenario = parseScenario(bytes.toString('utf8'), parseSize)
  refuseFilesOutside(scenario, dirname(path))
  return { scenario, digest: hex(sha256(bytes)) }
}

export interface DriveAsk {
  readonly scenario: Scenario
  /** SHA-256 of its text. */
  readonly digest: string
  /** The folder that trace names are relative to. */
  readonly folder: string
  readonly ack: 'durable' | 'buffered'
  /** What is asked otherwise than the scenario says, for the record. */
  readonly options?: string
  readonly reuse?: boolean
  /** `logical`: a step each round, so that the same scenario gives the same bytes. The machine's when left out. */
  readonly clock?: 'machine' | 'logical'
}

/** Runs the scenario in the file at `path` into the journal at `journal`, which is made when it is missing. */
export function drive(path: string, journal: string, ack: 'durable' | 'buffered'): Promise<Driven> {
  return driveScenario({ ...readScenario(path), folder: dirname(path), ack }, journal)
}

/** The same for a scenario that was read or made. Every read notes what it returned, for a replay to check. */
export async function driveScenario(ask: DriveAsk, journal: string): Promise<Driven> {
  const { ack, clock, ...run } = ask
  const logical = clock === 'logical' ? new LogicalClock() : undefined
  const copier = new PacedCopier()
  const started = performance.now()
  const sum = newTally()
  const images = new OutsideImages(ask.folder)
  const how = {
    ...{ create: true, copier: copier.copy, openImage: images.open, ack },
    readDigests: 'always',
    ...(logical !== undefined && { clock: logical }),
  } as const
  const { engine, payload } = await openToWrite(journal, how)
  engine.frames$.subscribe({
    next(frame) {
      const row = frame.open()
      for (row.index = 0; row.index < frame.count; row.index++) tally(sum, row)
    },
    error: () => undefined,
  })
  try {
    const report = await runScenario({
      ...run,
      engine,
      payload,
      copier,
      time: logical?.timekeeper() ?? machineTime(),
      images,
      signal: interrupt,
      onRound: (taken, step) => {
        logical?.advance(roundMs)
        progress(`${taken} requests${step === '' ? '' : `, next step ${step}`}`)
      },
    })
    return { scenario: ask.scenario, report, sum, seconds: (performance.now() - started) / 1000 }
  } finally {
    progress('')
    await engine.close()
    await images.close()
  }
}
