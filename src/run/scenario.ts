/**
 * Scenarios: recipes for a run, written in TOML (`.scenario.toml`). Instructions only: volumes, hosts with the traces
 * they play, control steps and the points at which they come; never outcomes. The format is described in
 * traces/README.md.
 */

import { parse as parseToml, TomlError } from 'smol-toml'
import { BlockboxError } from '../core/errors.ts'
import { hostOf, type ScenarioHost } from './scenario-host.ts'

export interface ScenarioVolume {
  readonly name: string
  readonly size: number
  readonly block: number
}

/** When a step is due: at the beginning, after a host submitted K events of its trace, or after its last. */
export type At = { readonly host: string; readonly events: number } | 'begin'

export interface ScenarioStep {
  readonly at: At
  readonly does: StepName
  readonly args: Readonly<Record<string, string | number | boolean | readonly string[]>>
}

export interface Scenario {
  readonly name: string
  readonly seed: number
  /** Extents that background and demand copies may move in one round of requests: the copy rate. */
  readonly copies: number
  readonly volumes: readonly ScenarioVolume[]
  readonly hosts: readonly ScenarioHost[]
  readonly steps: readonly ScenarioStep[]
}

/** The arguments of each step; those with a question mark may be left out. */
export const stepArgs = {
  'backup.start': {
    name: 'text',
    volumes: 'texts',
    'deadline_ms?': 'count',
    'max_entries?': 'count',
    'max_bytes?': 'size',
  },
  'backup.stop': { name: 'text' },
  'pair.create': { name: 'text', source: 'text', clone: 'text', extent: 'size' },
  'pair.sync': { name: 'text', 'rate?': 'count' },
  'pair.fracture': { name: 'text', 'force?': 'flag' },
  'restore.start': { pair: 'text', 'protected?': 'flag', 'rate?': 'count' },
  'restore.pause': { pair: 'text' },
  'restore.resume': { pair: 'text' },
  'restore.cancel': { pair: 'text', 'force?': 'flag' },
  mark: { label: 'text', volume: 'text' },
  'host.start': { host: 'text' },
} as const satisfies Record<string, Record<string, 'text' | 'texts' | 'count' | 'size' | 'flag'>>

export type StepName = keyof typeof stepArgs

/** How sizes like "64K" are read: given by the caller, who knows the notation of its users. */
export type SizeReader = (text: string) => number

/** Reads a scenario. Throws SCENARIO with the place and what would be right. */
export function parseScenario(toml: string, size: SizeReader): Scenario {
  const top = new Fields(readToml(toml), 'the scenario', size)
  const scenario: Scenario = {
    name: top.text('name'),
    seed: top.count('seed', 1),
    copies: top.count('copies', 4),
    volumes: top.tables('volume').map((volume) => ({
      name: volume.text('name'),
      size: volume.size('size'),
      block: volume.size('block', 4096),
      ...volume.done(),
    })),
    hosts: top.tables('host').map(hostOf),
    steps: top.tables('step').map(stepOf),
    ...top.done(),
  }
  checkNames(scenario)
  return scenario
}

function stepOf(step: Fields): ScenarioStep {
  const does = step.text('do')
  if (!Object.hasOwn(stepArgs, does)) {
    throw step.fault(`there is no step "${does}": use one of ${Object.keys(stepArgs).join(', ')}`)
  }
  const at = atOf(step)
  const args: Record<string, string | number | boolean | readonly string[]> = {}
  for (const [key, form] of Object.entries(stepArgs[does as StepName])) {
    const name = key.replace('?', '')
    if (key.endsWith('?') && !step.has(name)) continue
    args[name] = step.value(name, form)
  }
  return { at, does: does as StepName, args, ...step.done() }
}

function atOf(step: Fields): At {
  const text = step.text('at')
  if (text === 'begin') return 'begin'
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*):(\d+|end)$/.exec(text)
  if (match === null)
    throw step.fault(`at = "${text}" is not understood: write "begin", "HOST:K" or "HOST:end"`)
  return { host: match[1]!, events: match[2] === 'end' ? Number.POSITIVE_INFINITY : Number(match[2]) }
}

function checkNames(scenario: Scenario): void {
  const volumes = new Set(scenario.volumes.map((volume) => volume.name))
  const hosts = new Set(scenario.hosts.map((host) => host.name))
  if (volumes.size !== scenario.volumes.length) throw bad('two volumes have the same name')
  if (hosts.size !== scenario.hosts.length) throw bad('two hosts have the same name')
  for (const host of scenario.hosts) {
    if (!volumes.has(host.volume))
      throw bad(`host ${host.name} uses volume ${host.volume}, which is not there`)
  }
  for (const [k, step] of scenario.steps.entries()) {
    if (step.at !== 'begin' && !hosts.has(step.at.host)) {
      throw bad(`step ${k + 1} (${step.does}) waits for host ${step.at.host}, which is not there`)
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

  value(
    name: string,
    form: 'text' | 'texts' | 'count' | 'size' | 'flag',
  ): string | number | boolean | string[] {
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

  count(name: string, otherwise?: number): number {
    const value = this.#take(name, otherwise)
    const whole = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    if (!whole) throw this.fault(`${name} is a whole number from 0`)
    return value
  }

  size(name: string, otherwise?: number): number {
    const value = this.#take(name, otherwise)
    if (typeof value === 'string') return this.#size(value)
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
    throw this.fault(`${name} is a size: bytes, or a text like "64K"`)
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
