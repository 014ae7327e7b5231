/** Volumes, devices, views and marks: commands. */

import * as v from 'valibot'
import { BlockboxError } from '../core/errors.ts'
import type { CommandAsk } from '../engine/ask.ts'
import { advice } from '../events/code.ts'
import { isName } from '../events/detail.ts'
import { volumeNamed } from '../replay/volume-at.ts'
import { deviceId } from './device-name.ts'
import { whenQuiet } from './quiet.ts'
import { ask, commandRoute } from './route.ts'
import { bytes, count, described, name, names, text } from './schema.ts'

/** What a new thing is to be called. Throws USAGE for what no journal would take. */
export function newName(given: string): string {
  if (isName(given)) return given
  throw new BlockboxError('USAGE', `"${given}" is no name: ${advice.E_NAME}`)
}

export const createVolume = commandRoute({
  method: 'POST',
  path: '/volumes',
  summary: 'Make a volume that reads as zeros',
  input: {
    name,
    size: bytes,
    block: v.optional(bytes, 4096),
    devices: names,
    stripe: v.optional(bytes, 0),
  },
  act(controlled, { devices, stripe, ...rest }, call) {
    const ids = devices.map((one) => deviceId(controlled.engine.world, one))
    const layout = { ...(ids.length > 0 && { devices: ids }), ...(stripe > 0 && { stripe }) }
    return ask(controlled, call, { kind: 'volume.create', detail: { ...rest, ...layout } })
  },
})

export const deleteVolume = commandRoute({
  method: 'DELETE',
  path: '/volumes/{volume}',
  summary: 'Delete a volume on which nothing goes on; a view is dropped',
  input: { volume: name },
  async act(controlled, { volume }, call) {
    const { id } = volumeNamed(controlled.engine.world, volume)
    return ask(controlled, call, { kind: 'volume.delete', volume: id })
  },
})

export const resizeVolume = commandRoute({
  method: 'POST',
  path: '/volumes/{volume}/resize',
  summary: 'Give a volume another size; what lies beyond a new end is gone',
  input: { volume: name, size: bytes },
  async act(controlled, { volume, size }, call) {
    const { id } = volumeNamed(controlled.engine.world, volume)
    return ask(controlled, call, { kind: 'volume.resize', volume: id, detail: { size } })
  },
})

export const createDevice = commandRoute({
  method: 'POST',
  path: '/devices',
  summary: 'Make a device that volumes lie on',
  input: { name },
  async act(controlled, input, call) {
    return ask(controlled, call, { kind: 'device.create', detail: { name: newName(input.name) } })
  },
})

export const createMark = commandRoute({
  method: 'POST',
  path: '/marks',
  summary: 'Put a named point of a volume on record',
  input: {
    volume: name,
    label: text,
    quiesce: described('wait for an instant when no write to the volume is in flight'),
    also: v.optional(v.pipe(names, v.description('with quiesce: nor one to these volumes'))),
    all_volumes: described('with quiesce: nor one to any volume'),
    deadline_ms: v.optional(v.pipe(count, v.maxValue(3_600_000), v.description('with quiesce')), 10_000),
  },
  async act(controlled, { volume, label, quiesce, also = [], all_volumes: all, ...input }, call) {
    const { engine } = controlled
    const { id } = volumeNamed(engine.world, volume)
    const mark: CommandAsk = { kind: 'mark', volume: id, detail: { label } }
    if (!quiesce && (all || also.length > 0)) {
      throw new BlockboxError('USAGE', 'other volumes are named to quiesce, but quiesce is not asked for')
    }
    if (!quiesce) return ask(controlled, call, mark)
    const others = also.map((one) => volumeNamed(engine.world, one).id)
    const quiet = { volumes: all ? undefined : [id, ...others], deadlineMs: input.deadline_ms }
    const keyed = call.key === undefined ? mark : { ...mark, key: call.key }
    return { command: 'mark', answer: await whenQuiet(engine, keyed, quiet, call.signal) }
  },
})

export const createView = commandRoute({
  method: 'POST',
  path: '/views',
  summary: 'Make a view: it shows a volume, and keeps its own writes to itself',
  input: { base: name, name, max_bytes: v.optional(bytes) },
  async act(controlled, { base, name: view, max_bytes: maxBytes }, call) {
    const { id } = volumeNamed(controlled.engine.world, base)
    const detail = { base: id, name: newName(view), ...(maxBytes !== undefined && { maxBytes }) }
    return ask(controlled, call, { kind: 'preserve.create', detail })
  },
})

export const dropView = commandRoute({
  method: 'DELETE',
  path: '/views/{view}',
  summary: 'Give a view up, and what was written to it',
  input: { view: name },
  async act(controlled, { view }, call) {
    const { id } = volumeNamed(controlled.engine.world, view)
    return ask(controlled, call, { kind: 'preserve.drop', detail: { view: id } })
  },
})

export const mergeView = commandRoute({
  method: 'POST',
  path: '/views/{view}/merge',
  summary: 'Make what was written to a view the content of its base',
  input: { view: name },
  async act(controlled, { view }, call) {
    const { id } = volumeNamed(controlled.engine.world, view)
    return ask(controlled, call, { kind: 'preserve.merge', detail: { view: id } })
  },
})
