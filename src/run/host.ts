/**
 * Hosts of a scenario: where their requests come from, which may be sent now, and how many are outstanding.
 *
 *     trace ─▶ played or left out ─▶ window (order) ─▶ due (pace) ─▶ sent, at most `depth` at a time ─▶ answered
 */

import { resolve } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import type { Ask } from '../engine/ask.ts'
import type { Volume } from '../layers/layer.ts'
import { readAnyTrace } from '../recording/recorded-trace.ts'
import { fileDigest } from '../trace/source.ts'
import { Lateness, type PaceReport, Schedule } from './pace.ts'
import { isPlayed } from './remap.ts'
import type { PlayedTrace, ScenarioHost } from './scenario-host.ts'
import { refuseSeveral, TraceDevices } from './trace-device.ts'
import { askOf } from './trace-host.ts'
import { type Played, type Window, windowOf } from './window.ts'

/** What a host did, for the report. */
export interface HostReport {
  readonly name: string
  /** Events of the trace that became requests, and those left out (`only`, or nothing to ask). */
  readonly submitted: number
  readonly skipped: number
  /** Answers other than ok, by code. */
  readonly refused: Readonly<Record<string, number>>
  /** How well the pace was kept; of a host that has one. */
  readonly pace?: PaceReport
}

/** A request that is to be sent now. */
export interface Sending {
  readonly ask: Ask
  /** To be called when it was answered, with the code. */
  answered(code: string): void
}

export class Host {
  readonly name: string
  readonly depth: number
  /** True when its requests have their times. */
  readonly paced: boolean
  outstanding = 0
  skipped = 0
  readonly refused: Record<string, number> = {}
  readonly #source: AsyncGenerator<Played | undefined>
  readonly #window: Window
  readonly #lateness = new Lateness()
  #read = 0
  #over = false
  #beganNs: number | undefined

  constructor(host: ScenarioHost, source: AsyncGenerator<Played | undefined>) {
    const { plays } = host
    this.name = host.name
    this.depth = host.depth
    this.paced = 'trace' in plays && plays.pace > 0
    this.#window = windowOf('trace' in plays ? plays.order : 'trace', host.depth)
    this.#source = source
  }

  /** Its time begins now, unless it did before. */
  start(nowNs: number): void {
    this.#beganNs ??= nowNs
  }

  get started(): boolean {
    return this.#beganNs !== undefined
  }

  /** True when its trace was read to the end and all of it was sent. */
  get ended(): boolean {
    return this.#over && this.#window.waiting === 0
  }

  /** Events of its trace that were sent or left out: what `at = "HOST:K"` counts. */
  get taken(): number {
    return this.#read - this.#window.waiting
  }

  /** When the next request may be sent, on the clock of the run; undefined when an answer has to come first. */
  get dueNs(): number | undefined {
    const next = this.outstanding < this.depth ? this.#window.peek() : undefined
    return next === undefined || this.#beganNs === undefined ? undefined : this.#beganNs + next.dueNs
  }

  /** The next request, if one may be sent now. Reads no further than `limit` events of the trace. */
  async next(limit: number, nowNs: number): Promise<Sending | undefined> {
    if (this.#beganNs === undefined || this.outstanding >= this.depth) return undefined
    await this.#fill(limit)
    const played = this.#window.peek()
    if (played === undefined) return undefined
    const sentNs = nowNs - this.#beganNs
    if (this.paced && played.dueNs > sentNs) return undefined
    const number = this.#window.take()
    if (this.paced) this.#lateness.add(played.dueNs, sentNs)
    this.outstanding++
    return { ask: played.ask, answered: (code) => this.#answered(number, code) }
  }

  async stop(): Promise<void> {
    await this.#source.return(undefined)
  }

  report(): HostReport {
    const { name, taken, skipped, refused } = this
    const pace = this.paced ? { pace: this.#lateness.report() } : {}
    return { name, submitted: taken - skipped, skipped, refused, ...pace }
  }

  #answered(number: number, code: string): void {
    this.outstanding--
    this.#window.answered(number)
    if (code !== 'ok') this.refused[code] = (this.refused[code] ?? 0) + 1
  }

  async #fill(limit: number): Promise<void> {
    while (!this.#over && this.#read < limit && this.#window.hasRoom) {
      const { value, done } = await this.#source.next()
      if (done === true) {
        this.#over = true
        return
      }
      this.#read++
      if (value === undefined) this.skipped++
      else this.#window.add(value)
    }
  }
}

export interface HostPlace {
  readonly session: number
  readonly volume: Volume
  readonly seed: number
  /** The folder that trace names are relative to. */
  readonly folder: string
}

/** A host of the scenario, ready to be asked; its trace must have the digest the scenario names. */
export async function openHost(host: ScenarioHost, place: HostPlace): Promise<Host> {
  const { plays } = host
  if ('scan' in plays) return new Host(host, scan(plays.scan, place))
  const paths = plays.trace.map((path) => resolve(place.folder, path))
  if (plays.sha256 !== '') {
    const { sha256 } = await fileDigest(paths)
    if (plays.sha256 !== sha256) {
      const message = `host ${host.name}: ${plays.trace.join(' ')} has the SHA-256 ${sha256}, the scenario names ${plays.sha256}`
      throw new BlockboxError('SCENARIO', message)
    }
  }
  return new Host(host, play(paths, host.name, plays, place))
}

const howInScenario =
  'name one of them as devices = ["NAME"] and give each a host and a volume, or say merge_devices = true'

async function* play(
  paths: readonly string[],
  name: string,
  plays: PlayedTrace,
  { session, volume, seed }: HostPlace,
): AsyncGenerator<Played | undefined> {
  const { remap, format, options } = plays
  const target = { session, volume: volume.id, size: volume.size, seed, remap }
  const schedule = new Schedule(plays.pace, name)
  const request = { ...(format !== '' && { format }), ...(options !== undefined && { options }) }
  const devices = new TraceDevices()
  for await (const { events, format } of readAnyTrace(paths, request)) {
    for (const event of events) {
      const ask = isPlayed(remap, event) ? askOf(event, target) : undefined
      if (ask !== undefined && !remap.mergeDevices) {
        devices.see(event, format)
        if (devices.names.size > 1)
          refuseSeveral(`host ${name}: ${plays.trace.join(' ')}`, devices.names, howInScenario)
      }
      yield ask === undefined ? undefined : { ask, dueNs: schedule.dueNs(event.tNs, event.index) }
    }
  }
}

/** Reads the whole volume once, in order. */
async function* scan(size: number, place: HostPlace): AsyncGenerator<Played> {
  const { session, volume } = place
  let request = 0
  for (let offset = 0; offset < volume.size; offset += size) {
    const length = Math.min(size, volume.size - offset)
    const ask = { kind: 'io.read', session, volume: volume.id, request: ++request, offset, length } as const
    yield { ask, dueNs: 0 }
  }
}
