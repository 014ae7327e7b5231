/**
 * Devices: what storage the volumes lie on. A volume may be striped over several devices, which a backup of any of
 * them then covers (SPEC 3.2: at least a portion of the volume resides on the device); one that names no device lies
 * on none, and is reached by its own name alone.
 *
 *     device    d1      d2      d1      d2             byte b lies on devices[floor(b / stripe) mod devices]
 *     volume  |-------|-------|-------|-------|
 *              stripe
 *
 * A layer for its state alone: every request passes it.
 */

import { must } from '../core/assert.ts'
import type { Code } from '../events/code.ts'
import { count, countsIfAny, type Detail, isName, text } from '../events/detail.ts'
import { type Layer, pass, type World } from './layer.ts'

/** Where a volume lies: its devices by number, and the bytes of a stripe; 0 on a single device. */
export interface Layout {
  readonly devices: readonly number[]
  readonly stripe: number
}

export interface Devices {
  /** Device `number` is at `number - 1`. */
  readonly names: string[]
  /** The volumes that lie on devices. */
  readonly layouts: Map<number, Layout>
}

export const device: Layer<Devices> = {
  name: 'device',
  hears: ['device.created', 'volume.created'],
  commands: ['device.create'],
  start: () => ({ names: [], layouts: new Map() }),
  active: () => false,
  forbids: () => undefined,
  admit: () => pass,
  effect: () => undefined,
  evolve(state, event) {
    if (event.kind === 'device.created') {
      const number = state.names.length + 1
      must(event.tag === number, 'G-I1', `device ${event.tag} is created as number ${number}`)
      state.names.push(text(event.detail, 'name'))
      return
    }
    const devices = countsIfAny(event.detail, 'devices')
    if (devices.length === 0) return
    const known = devices.every((one) => one > 0 && one <= state.names.length)
    must(known, 'G-I1', `volume ${event.volume} lies on a device that does not exist`)
    state.layouts.set(event.volume, { devices: [...devices], stripe: stripeOf(event.detail) })
  },
  decide(state, command) {
    const name = text(command.detail, 'name')
    if (!isName(name)) return 'E_NAME'
    if (state.names.includes(name)) return 'E_ALREADY'
    if (state.names.length >= 65_535) return 'E_BOUND'
    return [{ kind: 'device.created', tag: state.names.length + 1, detail: { name } }]
  },
  due: () => undefined,
  targets: () => [],
  marks: () => [],
  abandon: () => [],
  resume: () => [],
  hash(state, lanes) {
    if (state.names.length > 0) lanes.add(state.names.length, 1)
    for (const [volume, { devices, stripe }] of state.layouts) {
      lanes.add(volume, 2 ** 40 + stripe)
      for (const [place, one] of devices.entries()) lanes.add(volume * 2 ** 17 + place, 2 ** 50 + one)
    }
  },
  save: (state) => [state.names, [...state.layouts]],
  load(saved) {
    const [names, layouts] = saved as [string[], [number, Layout][]]
    return { names: [...names], layouts: new Map(layouts) }
  },
}

/** The fields of a volume.create that say where the new volume lies, or the code of their refusal. */
export function layoutOf(world: World, detail: Detail): Partial<Layout> | Code {
  const devices = countsIfAny(detail, 'devices')
  const stripe = stripeOf(detail)
  if (devices.length === 0) return stripe === 0 ? {} : 'E_SIZE'
  const known = devices.every((one) => one > 0 && one <= devicesOf(world).names.length)
  if (!known || new Set(devices).size !== devices.length) return 'E_NO_VOLUME'
  const striped = stripe > 0 && stripe % count(detail, 'block') === 0
  if (devices.length > 1 ? !striped : stripe !== 0) return 'E_SIZE'
  return { devices: [...devices], ...(striped && { stripe }) }
}

/** The volumes with a part on one of the devices, by number. */
export function volumesOn(world: World, devices: readonly number[]): number[] {
  if (devices.length === 0) return []
  const on = [...devicesOf(world).layouts].filter(([, layout]) =>
    layout.devices.some((one) => devices.includes(one)),
  )
  return on.map(([volume]) => volume)
}

/** True when bytes [offset, offset + length) of a volume laid out so have a part on one of the devices. */
export function liesOn(layout: Layout, devices: readonly number[], offset: number, length: number): boolean {
  const { devices: own, stripe } = layout
  if (stripe === 0) return devices.includes(own[0]!)
  const first = Math.floor(offset / stripe)
  const last = Math.floor((offset + length - 1) / stripe)
  if (last - first + 1 >= own.length) return own.some((one) => devices.includes(one))
  for (let cell = first; cell <= last; cell++) if (devices.includes(own[cell % own.length]!)) return true
  return false
}

function stripeOf(detail: Detail): number {
  return detail.stripe === undefined ? 0 : count(detail, 'stripe')
}

/** The devices of the world, and which volumes lie on them. */
export function devicesOf(world: World): Devices {
  return world.own.device as Devices
}
