/**
 * The driver of a scenario: rounds of requests, the steps in between.
 *
 *     steps that are due ─▶ each host fills its depth ─▶ some copies end ─▶ everything durable ─▶ next round
 *                                                                      └─ paced: until a request is due or answered
 *
 * Nothing happens but in answer to the driver, so that the same scenario gives the same events and the same state
 * hashes on every machine; only the instants differ, and with them the hashes of the frames. A host with a pace gives
 * that up: what its requests meet then depends on time, as it does with real hosts.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Engine } from '../engine/engine.ts'
import { inFlightOf } from '../layers/in-flight.ts'
import { volumeOf } from '../layers/layer.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { type Host, type HostReport, openHost, type Sending } from './host.ts'
import { command } from './import-run.ts'
import type { OutsideImages } from './outside-images.ts'
import type { Timekeeper } from './pace.ts'
import type { PacedCopier } from './paced-copier.ts'
import { nextTurn, Rest } from './rest.ts'
import type { Scenario } from './scenario.ts'
import type { ScenarioStep } from './scenario-step.ts'
import { commandOf, type StepContext } from './step-ask.ts'
import { restoreBehind } from './step-restore.ts'

export interface RunOptions {
  readonly engine: Engine
  /** That of the engine: a step may look for a file system in a volume. */
  readonly payload: PayloadStore
  readonly copier: PacedCopier
  /** Its `open` is the engine's openImage. */
  readonly images: OutsideImages
  readonly scenario: Scenario
  /** SHA-256 of the scenario's text, for the record. */
  readonly digest: string
  /** The folder that trace names are relative to. */
  readonly folder: string
  readonly time: Timekeeper
  /** What the run was asked to do otherwise than the scenario says, for the record. */
  readonly options?: string
  /** Volumes of the scenario that are there already are used as they are. */
  readonly reuse?: boolean
  readonly signal?: AbortSignal
  readonly onRound?: (taken: number, step: string) => void
}

export interface RunReport {
  readonly rounds: number
  readonly hosts: readonly HostReport[]
}

/** Runs a scenario into the engine's journal. Throws STALLED when it cannot go on, or what the journal throws. */
export async function runScenario(options: RunOptions): Promise<RunReport> {
  const run = new Run(options)
  await run.begin()
  try {
    await run.rounds()
    return await run.end()
  } finally {
    for (const host of run.hosts) await host.stop()
  }
}

class Run {
  readonly hosts: Host[] = []
  readonly #options: RunOptions
  readonly #sessions: number[] = []
  #steps: readonly ScenarioStep[]
  #rounds = 0
  #failure: unknown
  readonly #rest: Rest

  constructor(options: RunOptions) {
    this.#options = options
    this.#steps = options.scenario.steps
    this.#rest = new Rest(options)
  }

  async begin(): Promise<void> {
    const { engine, scenario, digest, folder, images, options, reuse = false, time } = this.#options
    const { name, seed } = scenario
    const detail = { scenario: name, digest, seed, ...(options !== undefined && { options }) }
    await command(engine, { kind: 'run.begin', detail })
    for (const { does, args } of scenario.steps) {
      if (does !== 'pair.create' || args.clone_file === undefined) continue
      await images.prepare(String(args.clone_file), args.sha256 === undefined ? '' : String(args.sha256))
    }
    const devices = new Map<string, number>()
    for (const device of scenario.devices) {
      devices.set(device, (await command(engine, { kind: 'device.create', detail: { name: device } })).made)
    }
    const made = new Map<string, number>()
    for (const volume of scenario.volumes) {
      const there = engine.world.volumes.find((one) => one.name === volume.name && !one.gone)
      if (reuse && there !== undefined) {
        made.set(volume.name, there.id)
        continue
      }
      const { name, size, block, stripe } = volume
      const on = volume.devices.map((device) => devices.get(device)!)
      const layout = { ...(on.length > 0 && { devices: on }), ...(stripe > 0 && { stripe }) }
      const created = await command(engine, {
        kind: 'volume.create',
        detail: { name, size, block, ...layout },
      })
      made.set(volume.name, created.made)
    }
    for (const host of scenario.hosts) {
      const session = (await command(engine, { kind: 'session.open', detail: { name: host.name } })).made
      const volume = volumeOf(engine.world, made.get(host.volume)!)!
      this.#sessions.push(session)
      this.hosts.push(await openHost(host, { session, volume, seed, folder }))
    }
    for (const [k, host] of scenario.hosts.entries()) if (host.started) this.hosts[k]!.start(time.nowNs())
  }

  async rounds(): Promise<void> {
    const { copier, scenario, signal, onRound } = this.#options
    for (;;) {
      signal?.throwIfAborted()
      if (this.#failure !== undefined) throw this.#failure
      const stepped = await this.#takeSteps()
      const asks = await this.#gather()
      const finished = copier.finish(scenario.copies)
      for (const sending of asks) this.#submit(sending)
      if (asks.length + finished + stepped === 0) {
        if (this.#isOver() && !(await this.#goesOn())) return
        const [step] = this.#steps
        if (step !== undefined && this.#isDue(step)) continue
        if ((await this.#options.images.bring()) > 0) continue
        if (!(await this.#rest.take(this.hosts))) throw this.#stall()
        continue
      }
      if (this.#isPaced()) {
        await nextTurn()
        await this.#options.images.bring()
      } else await this.#settled()
      this.#rounds++
      onRound?.(
        this.hosts.reduce((sum, host) => sum + host.taken, 0),
        this.#steps[0]?.does ?? '',
      )
    }
  }

  /** Everything is durable, what was read outside included. */
  async #settled(): Promise<void> {
    const { engine, images } = this.#options
    do {
      await Promise.resolve()
      await engine.settled()
    } while ((await images.bring()) > 0)
  }

  async end(): Promise<RunReport> {
    const { engine, scenario } = this.#options
    for (const session of this.#sessions) await command(engine, { kind: 'session.close', session })
    await command(engine, { kind: 'run.end', detail: { scenario: scenario.name } })
    return { rounds: this.#rounds, hosts: this.hosts.map((host) => host.report()) }
  }

  async #takeSteps(): Promise<number> {
    let taken = 0
    for (let step = this.#steps[0]; step !== undefined && this.#isDue(step); step = this.#steps[0]) {
      this.#steps = this.#steps.slice(1)
      await this.#perform(step)
      taken++
    }
    return taken
  }

  #isDue(step: ScenarioStep): boolean {
    const { at } = step
    if (at === 'begin') return true
    const host = this.#host(at.host)
    return host.ended ? host.outstanding === 0 : host.taken >= at.events
  }

  async #perform(step: ScenarioStep): Promise<void> {
    const { engine } = this.#options
    if (step.does === 'host.start') this.#host(String(step.args.host)).start(this.#options.time.nowNs())
    else if (step.does === 'fence.restore') await restoreBehind(step, this.#context(), this.#options)
    else await command(engine, commandOf(step, this.#context()))
    await engine.settled()
  }

  #context(): StepContext {
    const { engine, scenario, images, payload } = this.#options
    const session = (name: string) => this.#sessions[scenario.hosts.findIndex((host) => host.name === name)]!
    const file = (path: string) => images.file(path)
    return { world: engine.world, seed: scenario.seed, payload, session, file }
  }

  /** The requests with which each host fills its depth, not going past the point the next step waits for. */
  async #gather(): Promise<Sending[]> {
    const sendings: Sending[] = []
    const at = this.#steps[0]?.at
    for (const host of this.hosts) {
      const limit =
        at !== undefined && at !== 'begin' && at.host === host.name ? at.events : Number.POSITIVE_INFINITY
      for (;;) {
        const sending = await host.next(limit, this.#options.time.nowNs())
        if (sending === undefined) break
        sendings.push(sending)
      }
    }
    return sendings
  }

  #submit({ ask, answered }: Sending): void {
    this.#options.engine.submit(ask).then(
      ({ code }) => {
        answered(code)
        this.#rest.answered()
      },
      (error: unknown) => {
        this.#failure ??= error
        this.#rest.answered()
      },
    )
  }

  #isPaced(): boolean {
    return this.hosts.some((host) => host.paced && host.started && !host.ended)
  }

  #isOver(): boolean {
    if (this.hosts.some((host) => host.outstanding > 0)) return false
    const idle = this.hosts.every((host) => host.ended || !host.started)
    return idle && this.#steps.length === 0 && this.#options.copier.waiting === 0
  }

  /** True when, with all that was brought durable, copies came that had waited for room. */
  async #goesOn(): Promise<boolean> {
    await this.#settled()
    await nextTurn()
    await this.#settled()
    return this.#options.copier.waiting > 0
  }

  #host(name: string): Host {
    const host = this.hosts.find((one) => one.name === name)
    if (host === undefined) throw new BlockboxError('SCENARIO', `there is no host ${name}`)
    return host
  }

  #stall(): BlockboxError {
    const step = this.#steps[0]
    const waiting = this.hosts.filter((host) => host.outstanding > 0).map((host) => host.name)
    const why =
      step === undefined ? 'no step is left that could let them go on' : `step ${step.does} never becomes due`
    const { held } = inFlightOf(this.#options.engine.world)
    const hint =
      held.size === 0
        ? ''
        : `: ${held.size} writes are held by a backup and fill the depth of their hosts; let its stop depend on another host`
    return new BlockboxError(
      'STALLED',
      `nothing can go on: ${waiting.join(', ') || 'nobody'} waits, and ${why}${hint}. What was recorded stays`,
    )
  }
}
