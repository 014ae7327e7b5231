/** Hosts of a scenario: where their requests come from, and how many are outstanding. */

import { resolve } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import type { Ask } from '../engine/ask.ts'
import type { Volume } from '../layers/layer.ts'
import { fileDigest, readTrace } from '../trace/source.ts'
import type { ScenarioHost } from './scenario.ts'
import { askOf } from './trace-host.ts'

/** What a host did, for the report. */
export interface HostReport {
  readonly name: string
  /** Events of the trace that became requests, and those left out (`only`, or nothing to ask). */
  readonly submitted: number
  readonly skipped: number
  /** Answers other than ok, by code. */
  readonly refused: Readonly<Record<string, number>>
}

export class Host {
  readonly name: string
  readonly depth: number
  started: boolean
  ended = false
  outstanding = 0
  /** Events of its trace taken so far, skipped ones included: what `at = "HOST:K"` counts. */
  taken = 0
  skipped = 0
  readonly refused: Record<string, number> = {}
  readonly #asks: AsyncGenerator<Ask | undefined>

  constructor(host: ScenarioHost, asks: AsyncGenerator<Ask | undefined>) {
    this.name = host.name
    this.depth = host.depth
    this.started = host.started
    this.#asks = asks
  }

  /** The next request; undefined at the end, or when `limit` events were taken. */
  async next(limit: number): Promise<Ask | undefined> {
    while (!this.ended && this.taken < limit) {
      const { value, done } = await this.#asks.next()
      if (done === true) {
        this.ended = true
        return undefined
      }
      this.taken++
      if (value !== undefined) return value
      this.skipped++
    }
    return undefined
  }

  async stop(): Promise<void> {
    await this.#asks.return(undefined)
  }

  report(): HostReport {
    const { name, taken, skipped, refused } = this
    return { name, submitted: taken - skipped, skipped, refused }
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
  const path = resolve(place.folder, plays.trace)
  const { sha256 } = await fileDigest(path)
  if (plays.sha256 !== '' && plays.sha256 !== sha256) {
    const message = `host ${host.name}: ${plays.trace} has the SHA-256 ${sha256}, the scenario names ${plays.sha256}`
    throw new BlockboxError('SCENARIO', message)
  }
  return new Host(host, play(path, plays, place))
}

async function* play(
  path: string,
  plays: { readonly format: string; readonly only: readonly string[]; readonly wrap: boolean },
  place: HostPlace,
): AsyncGenerator<Ask | undefined> {
  const { session, volume, seed } = place
  const target = { session, volume: volume.id, size: volume.size, seed, wrap: plays.wrap }
  for await (const { events } of readTrace(path, { format: plays.format })) {
    for (const event of events) {
      const wanted = plays.only.length === 0 || plays.only.includes(event.op)
      yield wanted ? askOf(event, target) : undefined
    }
  }
}

/** Reads the whole volume once, in order. */
async function* scan(size: number, place: HostPlace): AsyncGenerator<Ask> {
  const { session, volume } = place
  let request = 0
  for (let offset = 0; offset < volume.size; offset += size) {
    const length = Math.min(size, volume.size - offset)
    yield { kind: 'io.read', session, volume: volume.id, request: ++request, offset, length }
  }
}
