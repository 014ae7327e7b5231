/**
 * A run of trace files without a scenario: one host a trace, made from what a command line says, on volumes large
 * enough for what is played there.
 *
 *     VOLUME=TRACE ... ─▶ each read once for its shape and digest ─▶ volumes, hosts ─▶ a scenario as if it were written
 */

import { basename } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import { isName } from '../events/detail.ts'
import { readAnyTrace } from '../recording/recorded-trace.ts'
import type { TraceOptions } from '../trace/event.ts'
import { fileDigest } from '../trace/source.ts'
import { type Pace, Schedule } from './pace.ts'
import { isPlayed, placed, type Remap } from './remap.ts'
import type { Scenario, ScenarioVolume } from './scenario.ts'
import type { ScenarioHost } from './scenario-host.ts'
import { traceShape } from './shape.ts'
import { noSuchDevice, refuseSeveral, TraceDevices } from './trace-device.ts'
import type { Order } from './window.ts'

/** A trace and the volume it is played on. */
export interface PlacedTrace {
  readonly volume: string
  /** Its file, or its files, of a format that has several. */
  readonly paths: readonly string[]
  /** The one of its devices that is played there; those of the remap when left out. */
  readonly device?: string
}

export interface TraceRunAsk {
  readonly traces: readonly PlacedTrace[]
  readonly format?: string
  readonly options?: TraceOptions
  readonly pace: Pace
  readonly order: Order
  readonly depth: number
  readonly remap: Remap
  /** Bytes of each volume that has to be made; the end of the furthest request when left out. */
  readonly size?: number
  readonly seed: number
  readonly signal?: AbortSignal
}

const sizeStep = 4096
const howToPlace =
  'play one with --dev NAME, give each a volume with --volume VOLUME=TRACE:NAME, or lay them over each other with --merge-devices'

/** Throws USAGE for names and traces that cannot be played, and what reading the traces throws. */
export async function traceScenario(ask: TraceRunAsk): Promise<Scenario> {
  const volumes = new Map<string, { end: number; block: number }>()
  const hosts: ScenarioHost[] = []
  for (const { volume, paths, device } of ask.traces) {
    const name = uniqueName(nameOf(paths[0]!), hosts)
    const remap = device === undefined ? ask.remap : { ...ask.remap, devices: [device] }
    if (ask.remap.wrap && ask.size === undefined)
      throw new BlockboxError('USAGE', `volume ${volume} needs a --size for offsets to be wrapped at its end`)
    const { end, block } = await shapeOf(paths, name, { ...ask, remap }, device)
    const before = volumes.get(volume) ?? { end: sizeStep, block: sizeStep }
    volumes.set(volume, { end: Math.max(before.end, end), block: Math.min(before.block, block) })
    const { sha256 } = await fileDigest(paths)
    const { format = '', options, pace, order, depth } = ask
    const plays = { trace: paths, format, sha256, pace, order, remap, ...(options && { options }) }
    hosts.push({ name, volume, depth, started: true, plays })
  }
  return {
    name: hosts.length === 1 ? hosts[0]!.name : `${hosts.length} traces`,
    seed: ask.seed,
    copies: 4,
    devices: [],
    volumes: [...volumes].map(([name, { end, block }]) => volumeOf(name, end, block, ask)),
    hosts,
    steps: [],
  }
}

function volumeOf(name: string, end: number, block: number, { size, remap }: TraceRunAsk): ScenarioVolume {
  const bytes = size ?? Math.ceil(end / Math.max(sizeStep, remap.align)) * Math.max(sizeStep, remap.align)
  return { name, size: bytes, block: bytes % 4096 === 0 ? block : 512, devices: [], stripe: 0 }
}

/** How far what is played of a trace reaches, and the blocks it needs; that its times give a pace, if one is to be kept. */
async function shapeOf(
  paths: readonly string[],
  name: string,
  ask: TraceRunAsk,
  device: string | undefined,
): Promise<{ end: number; block: number }> {
  const { format, options, remap, size, signal } = ask
  const path = paths.join(' ')
  if (paths.includes('-'))
    throw new BlockboxError('USAGE', 'a trace is read twice to be played: name a file, not -')
  const adding = traceShape()
  const devices = new TraceDevices()
  const others = new TraceDevices()
  const schedule = new Schedule(ask.pace, name)
  const request = { ...(format && { format }), ...(options && { options }), ...(signal && { signal }) }
  for await (const { events, format } of readAnyTrace(paths, request)) {
    for (const event of events) {
      const played = isPlayed(remap, event)
      const seen = played ? devices : others
      seen.see(event, format)
      if (!played) continue
      schedule.dueNs(event.tNs, event.index)
      const { offset, length } = event
      if (offset === null || length === null) adding.add(event)
      else adding.add({ ...event, ...placed(remap, { offset, length }, size ?? Number.MAX_SAFE_INTEGER) })
    }
  }
  if (device !== undefined && !devices.names.has(device)) throw noSuchDevice(path, [device], others.names)
  if (!remap.mergeDevices) refuseSeveral(path, devices.names, howToPlace)
  const { maxEnd, block } = adding.result()
  return { end: maxEnd, block }
}

/** What a trace is called where nobody named it: its file, without what says how it is stored. */
export function nameOf(path: string): string {
  const stem = basename(path)
    .replace(/(?:\.(?:gz|zst|dmlog|iolog|csv|trace|jsonl|log|pcap|txt|v[23]))+$/, '')
    .replace(/(?<=\.blktrace)\.\d+$/, '')
  const name = stem.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 60)
  return isName(name) ? name : 'trace'
}

function uniqueName(name: string, hosts: readonly ScenarioHost[]): string {
  const taken = (one: string) => hosts.some((host) => host.name === one)
  let unique = name
  for (let k = 2; taken(unique); k++) unique = `${name}-${k}`
  return unique
}
