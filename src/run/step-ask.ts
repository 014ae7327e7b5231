/** Steps of a scenario as commands of the engine: names become numbers, texts ranges, and content is made. */

import { BlockboxError } from '../core/errors.ts'
import { syntheticContent } from '../core/prng.ts'
import { RangeSet } from '../core/range-set.ts'
import type { CommandAsk } from '../engine/ask.ts'
import { fencingFor } from '../engine/fence-layout.ts'
import type { Detail, DetailValue } from '../events/detail.ts'
import { devicesOf } from '../layers/device.ts'
import { type Volume, volumeOf, type World } from '../layers/layer.ts'
import { preservesOf } from '../layers/preserve-state.ts'
import { raiseDetail } from '../layout/layout.ts'
import { parseRanges } from '../layout/ranges.ts'
import type { PayloadStore } from '../payload/payload.ts'
import type { OutsideFile } from './outside-images.ts'
import type { ScenarioStep } from './scenario-step.ts'

/** What a step may need to know besides the state. */
export interface StepContext {
  readonly world: World
  readonly seed: number
  /** Where the bytes are that a layout is found in. */
  readonly payload: PayloadStore
  /** The session of a host. */
  session(host: string): number
  /** A file that was opened for the clone of a pair. */
  file(path: string): OutsideFile
}

/** The command of a step. Throws SCENARIO for what is not there, as fencingFor for layouts and ranges. */
export function commandOf(step: ScenarioStep, context: StepContext): CommandAsk {
  const { args, does } = step
  const { world } = context
  const names = new StepNames(step, world)
  const session = args.host === undefined ? {} : { session: context.session(String(args.host)) }
  switch (does) {
    case 'device.create':
      return { kind: does, detail: { name: names.text('name') } }
    case 'volume.create': {
      const [name, size, block] = [names.text('name'), names.number('size'), names.number('block', 4096)]
      return { kind: does, detail: { name, size, block, ...names.layout() } }
    }
    case 'volume.resize':
      return { kind: does, volume: names.volume('volume').id, detail: { size: names.number('size') } }
    case 'volume.delete':
      return { kind: does, volume: names.volume('volume').id }
    case 'backup.start': {
      const bounds = {
        deadlineMs: names.number('deadline_ms'),
        maxEntries: names.number('max_entries'),
        maxBytes: names.number('max_bytes'),
      }
      const volumes = names.list('volumes').map((name) => names.volumeNamed(name).id)
      const where = {
        ...names.ifAny('devices', () => names.devices()),
        ...names.ifAny('ranges', () => names.triples('ranges')),
        ...names.ifAny('layout', () => names.triples('layout')),
      }
      const terms = names.given('scope', 'mode', 'policy', 'crash')
      return {
        kind: does,
        ...session,
        detail: { name: names.text('name'), volumes, ...bounds, ...where, ...terms },
      }
    }
    case 'pair.create': {
      const detail = {
        name: names.text('name'),
        source: names.volume('source').id,
        extent: names.number('extent'),
      }
      if (args.clone_file === undefined)
        return { kind: does, detail: { ...detail, clone: names.volume('clone').id } }
      return { kind: does, detail: { ...detail, clone: 0, ...context.file(names.text('clone_file')) } }
    }
    case 'restore.start': {
      const detail = { pair: names.text('pair'), protected: args.protected !== false }
      return { kind: does, ...session, detail: { ...detail, ...names.given('rate') } }
    }
    case 'restore.pause':
    case 'restore.resume':
      return { kind: does, detail: { pair: names.text('pair') } }
    case 'restore.cancel':
      return { kind: does, ...session, detail: { pair: names.text('pair'), ...names.given('force') } }
    case 'preserve.create':
      return { kind: does, detail: { name: names.text('name'), base: names.volume('base').id } }
    case 'preserve.drop':
    case 'preserve.merge':
      return { kind: does, detail: { view: names.view().id } }
    case 'session.rebind':
      return { kind: does, ...session, detail: { from: names.volume('from').id, to: names.volume('to').id } }
    case 'fence.raise':
      return { kind: does, ...session, ...raise(names, args, context) }
    case 'fence.update': {
      const [offset, length] = [names.number('offset'), names.number('length')]
      const content = { seed: context.seed, volume: 0, offset, version: world.seq }
      const data = syntheticContent(content, Math.ceil(length / 512) * 512).slice(0, length)
      return { kind: does, ...session, offset, data, detail: { name: names.text('name') } }
    }
    case 'fence.fail':
      return { kind: does, ...session, code: 'E_IO', detail: { name: names.text('name') } }
    case 'mark':
      return { kind: does, volume: names.volume('volume').id, detail: { label: names.text('label') } }
    case 'host.start':
    case 'fence.restore':
      throw new BlockboxError('SCENARIO', `${does} is no command of the engine`)
    default:
      return { kind: does, ...session, detail: { name: names.text('name'), ...names.given('rate', 'force') } }
  }
}

function raise(
  names: StepNames,
  args: ScenarioStep['args'],
  { world, payload }: StepContext,
): Pick<CommandAsk, 'volume' | 'detail'> {
  const volume = names.volume('volume')
  const given = <T>(name: string, value: () => T) => (args[name] === undefined ? undefined : value())
  const listed = (name: string) => given(name, () => names.list(name).join(','))
  const where = {
    layout: given('layout', () => names.text('layout')),
    paths: given('paths', () => names.list('paths')),
    ranges: listed('ranges'),
    covered: listed('covered'),
    last: given('last', () => names.number('last')),
  }
  const fencing = fencingFor(where, world, volume, payload)
  const how = { advisory: args.advisory === true, metaFirst: args.meta_first === true }
  const deadlineMs = names.number('deadline_ms')
  return { volume: volume.id, detail: raiseDetail(names.text('name'), fencing, { ...how, deadlineMs }) }
}

/** The arguments of one step, and what they name. */
class StepNames {
  readonly #step: ScenarioStep
  readonly #world: World

  constructor(step: ScenarioStep, world: World) {
    this.#step = step
    this.#world = world
  }

  text(name: string): string {
    return String(this.#step.args[name])
  }

  number(name: string, otherwise = 0): number {
    return Number(this.#step.args[name] ?? otherwise)
  }

  list(name: string): readonly string[] {
    return (this.#step.args[name] ?? []) as readonly string[]
  }

  /** Those arguments that were given and go to the engine as they are. */
  given(...wanted: readonly string[]): Detail {
    const found = Object.entries(this.#step.args).filter(([name]) => wanted.includes(name))
    return Object.fromEntries(found) as Record<string, DetailValue>
  }

  ifAny(name: string, value: () => readonly number[]): Detail {
    return this.#step.args[name] === undefined ? {} : { [name]: value() }
  }

  volume(argument: string): Volume {
    return this.volumeNamed(this.text(argument))
  }

  volumeNamed(name: string): Volume {
    const found = this.#world.volumes.findLast((one) => one.name === name && !one.gone)
    if (found !== undefined) return found
    throw this.#missing(`volume ${name}`)
  }

  view(): Volume {
    const name = this.text('view')
    const views = [...preservesOf(this.#world).byView.keys()].map((id) => volumeOf(this.#world, id)!)
    const found = views.find((one) => one.name === name)
    if (found !== undefined) return found
    throw this.#missing(`view ${name}`)
  }

  devices(): number[] {
    const { names } = devicesOf(this.#world)
    return this.list('devices').map((name) => {
      const place = names.indexOf(name)
      if (place >= 0) return place + 1
      throw this.#missing(`device ${name}`)
    })
  }

  layout(): Detail {
    const stripe = this.number('stripe')
    return { ...this.ifAny('devices', () => this.devices()), ...(stripe > 0 && { stripe }) }
  }

  /** `VOLUME:OFFSET+LENGTH` each, as volume, offset and length in turn. */
  triples(argument: string): number[] {
    return this.list(argument).flatMap((text) => {
      const colon = text.indexOf(':')
      const { id } = this.volumeNamed(text.slice(0, Math.max(0, colon)))
      const ranges = RangeSet.of(parseRanges(text.slice(colon + 1))).ranges
      return ranges.flatMap(({ offset, length }) => [id, offset, length])
    })
  }

  #missing(what: string): BlockboxError {
    return new BlockboxError('SCENARIO', `step ${this.#step.does}: there is no ${what}`)
  }
}
