/**
 * Hosts of a scenario, as they are written: which volume they use, what they play, how fast, in which order and where.
 * The format is described in traces/README.md.
 */

import type { BlockboxError } from '../core/errors.ts'
import type { TraceOptions } from '../trace/event.ts'
import { fastest, type Pace, parsePace } from './pace.ts'
import { parseScale, type Remap } from './remap.ts'
import { type Order, orders } from './window.ts'

/** A host plays a trace, or scans its volume once from beginning to end in reads of `scan` bytes. */
export interface ScenarioHost {
  readonly name: string
  readonly volume: string
  /** How many requests it keeps outstanding. */
  readonly depth: number
  /** False: it begins with a step `host.start`. */
  readonly started: boolean
  readonly plays: PlayedTrace | { readonly scan: number }
}

export interface PlayedTrace {
  /** Its files: one, or several of a format that has such. */
  readonly trace: readonly string[]
  /** Empty: as the content tells. */
  readonly format: string
  readonly options?: TraceOptions
  /** SHA-256 of the files, one after the other; empty: not checked. */
  readonly sha256: string
  readonly pace: Pace
  readonly order: Order
  readonly remap: Remap
}

/** The fields of a table, as a scenario reads them. */
export interface HostFields {
  has(name: string): boolean
  text(name: string, otherwise?: string): string
  texts(name: string, otherwise?: readonly string[]): string[]
  textOrTexts(name: string): string[]
  count(name: string, otherwise?: number): number
  size(name: string, otherwise?: number): number
  flag(name: string, otherwise?: boolean): boolean
  fault(message: string): BlockboxError
  done(): object
}

export const maxDepth = 1024

/** Throws SCENARIO. */
export function hostOf(host: HostFields): ScenarioHost {
  const common = {
    name: host.text('name'),
    volume: host.text('volume'),
    depth: host.count('depth', 1),
    started: host.flag('started', true),
  }
  if (common.depth < 1 || common.depth > maxDepth) throw host.fault(`depth is 1 to ${maxDepth}`)
  if (host.has('scan')) return { ...common, plays: { scan: host.size('scan') }, ...host.done() }
  const plays = {
    trace: host.textOrTexts('trace'),
    format: host.text('format', ''),
    sha256: host.text('sha256', ''),
    pace: paceOf(host),
    order: orderOf(host),
    remap: remapOf(host),
  }
  return { ...common, plays, ...host.done() }
}

function paceOf(host: HostFields): Pace {
  if (!host.has('pace')) return fastest
  const pace = parsePace(host.text('pace'))
  if (pace === undefined) throw host.fault('pace is "fast", "recorded", or times as fast, as "10x" or "0.5x"')
  return pace
}

function orderOf(host: HostFields): Order {
  const order = orders.find((one) => one === host.text('order', 'trace'))
  if (order === undefined) throw host.fault(`order is one of ${orders.join(', ')}`)
  return order
}

function remapOf(host: HostFields): Remap {
  const scale = parseScale(host.text('scale', '1'))
  if (scale === undefined) throw host.fault('scale is a text like "2", "0.25" or "1/3"')
  const align = host.has('align') ? host.size('align') : 0
  if (!isAlignment(align)) throw host.fault('align is a power of two of at least 512 bytes')
  const shift = host.has('shift') ? host.size('shift') : 0
  const back = host.has('shift_back') ? host.size('shift_back') : 0
  return {
    devices: host.texts('devices', []),
    mergeDevices: host.flag('merge_devices', false),
    only: host.texts('only', []),
    skip: host.texts('skip', []),
    scale,
    shift: shift - back,
    wrap: host.flag('wrap', false),
    align,
  }
}

/** True for 0 (none) and powers of two of at least a sector. */
export function isAlignment(bytes: number): boolean {
  return bytes === 0 || (bytes >= 512 && Number.isInteger(Math.log2(bytes)))
}
