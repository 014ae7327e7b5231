/**
 * Scenarios: recipes for a run, written in TOML (`.scenario.toml`). Instructions only: volumes, hosts with the traces
 * they play, control steps and the points at which they come; never outcomes. The format is described in
 * traces/README.md.
 */

import { parse as parseToml, TomlError } from 'smol-toml'
import { BlockboxError } from '../core/errors.ts'
import { hostOf, type ScenarioHost } from './scenario-host.ts'
import { type ScenarioStep, type StepForm, stepOf } from './scenario-step.ts'

export interface ScenarioVolume {
  readonly name: string
  readonly size: number
  readonly block: number
  /** Names of the devices it lies on, in stripes of so many bytes where there are several; 0: on one or none. */
  readonly devices: readonly string[]
  readonly stripe: number
}

export interface Scenario {
  readonly name: string
  readonly seed: number
  /** Extents that background and demand copies may move in one round of requests: the copy rate. */
  readonly copies: number
  readonly devices: readonly string[]
  readonly volumes: readonly ScenarioVolume[]
  readonly hosts: readonly ScenarioHost[]
  readonly steps: readonly ScenarioStep[]
}

/** How sizes like "64K" are read: given by the caller, who knows the notation of its users. */
export type SizeReader = (text: string) => number

/** Reads a scenario. Throws SCENARIO with the place and what would be right. */
export function parseScenario(toml: string, size: SizeReader): Scenario {
  const top = new Fields(readToml(toml), 'the scenario', size)
  const scenario: Scenario = {
    name: top.text('name'),
    seed: top.count('seed', 1),
    copies: top.count('copies', 4),
    devices: top.tables('device').map((device) => ({ name: device.text('name'), ...device.done() }).name),
    volumes: top.tables('volume').map(volumeOf),
    hosts: top.tables('host').map(hostOf),
    steps: top.tables('step').map(stepOf),
    ...top.done(),
  }
  checkNames(scenario)
  return scenario
}

function volumeOf(volume: Fields): ScenarioVolume {
  const { name, size, block } = {
    name: volume.text('name'),
    size: volume.size('size'),
    block: volume.size('block', 4096),
  }
  if (size % block !== 0)
    throw volume.fault(`volume ${name}: size ${size} is not whole blocks of ${block} bytes`)
  const devices = volume.texts('devices', [])
  const stripe = volume.size('stripe', 0)
  if (devices.length > 1 !== stripe > 0) {
    throw volume.fault(`volume ${name}: a stripe is for several devices, which need one`)
  }
  return { name, size, block, devices, stripe, ...volume.done() }
}

function checkNames(scenario: Scenario): void {
  const volumes = new Set(scenario.volumes.map((volume) => volume.name))
  const hosts = new Set(scenario.hosts.map((host) => host.name))
  if (volumes.size !== scenario.volumes.length) throw bad('two volumes have the same name')
  if (hosts.size !== scenario.hosts.length) throw bad('two hosts have the same name')
  const devices = new Set(scenario.devices)
  if (devices.size !== scenario.devices.length) throw bad('two devices have the same name')
  for (const volume of scenario.volumes) {
    const missing = volume.devices.find((name) => !devices.has(name))
    if (missing !== undefined)
      throw bad(`volume ${volume.name} lies on device ${missing}, which is not there`)
  }
  for (const host of scenario.hosts) {
    if (!volumes.has(host.volume))
      throw bad(`host ${host.name} uses volume ${host.volume}, which is not there`)
  }
  for (const [k, step] of scenario.steps.entries()) {
    if (step.at !== 'begin' && !hosts.has(step.at.host)) {
      throw bad(`step ${k + 1} (${step.does}) waits for host ${step.at.host}, which is not there`)
    }
    const { host } = step.args
    if (host !== undefined && !hosts.has(String(host))) {
      throw bad(`step ${k + 1} (${step.does}) is about host ${host}, which is not there`)
    }
  }
}

function readToml(toml: string): Record<string, unknown> {
  try {
    return parseToml(toml)
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    throw new BlockboxError(
      'SCENARIO',
      `line ${cause.line} of the scenario is no TOML: ${cause.message.split('\n')[0]}`,
      {
        cause,
      },
    )
  }
}

function bad(message: string): BlockboxError {
  return new BlockboxError('SCENARIO', message)
}

/** The fields of one table, taken one by one; what is left over at the end is a mistake. */
class Fields {
  readonly #table: Record<string, unknown>
  readonly #where: string
  readonly #size: SizeReader
  readonly #taken = new Set<string>()

  constructor(table: Record<string, unknown>, where: string, size: SizeReader) {
    this.#table = table
    this.#where = where
    this.#size = size
  }

  fault(message: string): BlockboxError {
    return bad(`${this.#where}: ${message}`)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#table, name)
  }

  value(name: string, form: StepForm): string | number | boolean | string[] {
    return this[form](name)
  }

  text(name: string, otherwise?: string): string {
    const value = this.#take(name, otherwise)
    if (typeof value !== 'string' || value.length > 4096) throw this.fault(`${name} is a text`)
    return value
  }

  texts(name: string, otherwise?: readonly string[]): string[] {
    const value = this.#take(name, otherwise)
    const list = Array.isArray(value) && value.length <= 4096 && value.every((one) => typeof one === 'string')
    if (!list) throw this.fault(`${name} is a list of texts`)
    return value as string[]
  }

  /** A text, or a list of at least one. */
  textOrTexts(name: string): string[] {
    if (!Array.isArray(this.#table[name])) return [this.text(name)]
    const list = this.texts(name)
    if (list.length === 0) throw this.fault(`${name} is a text, or a list of texts`)
    return list
  }

  count(name: string, otherwise?: number): number {
    const value = this.#take(name, otherwise)
    const whole = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    if (!whole) throw this.fault(`${name} is a whole number from 0`)
    return value
  }

  size(name: string, otherwise?: number): number {
    const value = this.#take(name, otherwise)
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    if (typeof value !== 'string') throw this.fault(`${name} is a size: bytes, or a text like "64K"`)
    try {
      return this.#size(value)
    } catch (cause) {
      throw new BlockboxError('SCENARIO', `${this.#where}: ${name}: ${(cause as Error).message}`, { cause })
    }
  }

  flag(name: string, otherwise?: boolean): boolean {
    const value = this.#take(name, otherwise)
    if (typeof value !== 'boolean') throw this.fault(`${name} is true or false`)
    return value
  }

  tables(name: string): Fields[] {
    const value = this.#take(name, [])
    const list = Array.isArray(value) && value.length <= 65_536
    if (!list) throw this.fault(`${name} is a list of tables: [[${name}]]`)
    return value.map((one: unknown, k) => {
      if (typeof one !== 'object' || one === null) throw this.fault(`[[${name}]] is a table`)
      return new Fields(one as Record<string, unknown>, `[[${name}]] number ${k + 1}`, this.#size)
    })
  }

  /** Nothing may be left over. */
  done(): object {
    for (const name of Object.keys(this.#table)) {
      if (!this.#taken.has(name)) throw this.fault(`there is no field ${JSON.stringify(name)}`)
    }
    return {}
  }

  #take(name: string, otherwise: unknown): unknown {
    this.#taken.add(name)
    if (this.has(name)) return this.#table[name]
    if (otherwise === undefined) throw this.fault(`${name} is missing`)
    return otherwise
  }
}
