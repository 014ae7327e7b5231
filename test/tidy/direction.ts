/**
 * Who may import whom. The table below is the map of the house; everything above a unit follows from it. A unit is a
 * folder of src, but src/nbd is three: the protocol, the client and the server stand in different places.
 *
 *     core <- events <- layers <- volume <-+- check, inspect, trace
 *                                          +- journal <- payload <- images <-+- engine <- nbd/server
 *                                                                            +- replay (and check, inspect)
 *     core <- layout <- engine <- mover             replay <- block-index      replay, trace <- recording
 *     core <- files <- journal, trace, nbd/client: opening what somebody else named
 *     engine, replay, inspect, mover <- control: all that the command line does on an open journal
 *     nbd/protocol <- nbd/client <- images      engine, mover, recording <- run      engine, replay <- sim      all <- index
 */

import type { Source } from './source.ts'

/** What each unit may import directly; what those may import is allowed too. */
const MAP: Readonly<Record<string, readonly string[]>> = {
  core: [],
  files: ['core'],
  events: ['core'],
  layers: ['events'],
  volume: ['layers'],
  check: ['volume'],
  inspect: ['volume'],
  trace: ['volume', 'nbd/protocol', 'files'],
  journal: ['volume', 'files'],
  payload: ['journal'],
  'nbd/protocol': ['core'],
  'nbd/client': ['nbd/protocol', 'files'],
  images: ['payload', 'nbd/client'],
  layout: ['core'],
  engine: ['images', 'layout'],
  mover: ['engine'],
  replay: ['images', 'check', 'inspect'],
  run: ['engine', 'trace', 'mover', 'recording'],
  recording: ['replay', 'trace', 'inspect'],
  golden: ['run', 'recording'],
  'block-index': ['replay'],
  'nbd/server': ['engine', 'replay', 'nbd/protocol'],
  control: ['engine', 'replay', 'inspect', 'mover'],
  sim: ['engine', 'replay'],
  index: ['sim', 'golden', 'run', 'mover', 'block-index', 'nbd/server', 'nbd/client', 'control', 'inspect'],
}

/** The unit a file of src belongs to, or undefined for a file outside src. */
export function unitOf(path: string): string | undefined {
  const [area, first, second] = path.split('/')
  if (area !== 'src' || first === undefined) return undefined
  if (first !== 'nbd' || second === undefined) return first.replace(/\.ts$/, '')
  const part = /^(protocol|client)\b/.exec(second)
  return `nbd/${part?.[1] ?? 'server'}`
}

function isBelow(lower: string, upper: string): boolean {
  return (MAP[upper] ?? []).some((next) => next === lower || isBelow(lower, next))
}

/** Imports against the direction, and files that have no place on the map. */
export function wrongDirections({ path, imports }: Source): string[] {
  const from = unitOf(path)
  if (from !== undefined && !(from in MAP)) return [`${path}: ${from} is not on the map of src`]
  const findings: string[] = []
  for (const { target, relative } of imports) {
    if (!relative) continue
    const to = unitOf(target)
    const area = target.split('/')[0]
    const allowed =
      from === undefined
        ? path.startsWith('test/') || area !== 'test'
        : to !== undefined && (to === from || isBelow(to, from))
    if (!allowed) findings.push(`${path}: must not import ${target}`)
    if (!target.endsWith('.ts')) findings.push(`${path}: ${target} is imported without .ts`)
  }
  return findings
}

/** A cycle among files, and one among units, if there are any. Imports of types count. */
export function cycles(sources: readonly Source[]): string[] {
  const files = new Map<string, Set<string>>()
  const units = new Map<string, Set<string>>()
  for (const { path, imports } of sources) {
    for (const { target, relative } of imports) {
      if (!relative) continue
      link(files, path, target)
      const from = unitOf(path)
      const to = unitOf(target)
      if (from !== undefined && to !== undefined && from !== to) link(units, from, to)
    }
  }
  return [cycleIn(files), cycleIn(units)].filter((cycle) => cycle !== undefined)
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>

function link(graph: Map<string, Set<string>>, from: string, to: string): void {
  const targets = graph.get(from) ?? new Set()
  graph.set(from, targets.add(to))
}

/** The first cycle found, as `a -> b -> a`. */
function cycleIn(graph: Graph): string | undefined {
  const done = new Set<string>()
  const visit = (node: string, trail: readonly string[]): string | undefined => {
    const seen = trail.indexOf(node)
    if (seen >= 0) return [...trail.slice(seen), node].join(' -> ')
    if (done.has(node)) return undefined
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next, [...trail, node])
      if (cycle !== undefined) return cycle
    }
    done.add(node)
    return undefined
  }
  for (const node of graph.keys()) {
    const cycle = visit(node, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}
