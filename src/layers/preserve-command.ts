/** The commands of views, decided: create, drop, merge; sessions sent to a view; and the next run of a merge. */

import type { NewEvent } from '../events/columns.ts'
import { count, countOr0, isName, text } from '../events/detail.ts'
import { inFlightOf } from './in-flight.ts'
import { type Command, type Decision, type Volume, volumeOf, type World } from './layer.ts'
import { pairsOf, pairsOn, touchesCopy } from './pair-state.ts'
import { maxBlocks, type Overlay, type Preserves } from './preserve-state.ts'
import { endOf } from './request.ts'
import { tapOf } from './tap-state.ts'

/** A merge of more runs than this is refused: an entry must stay a piece that one can look at. */
export const maxRuns = 2 ** 18

const maxVolumes = 65_535

/** What a command about views gets: outcomes, or the code of its refusal. */
export function decidePreserve(state: Preserves, command: Command, world: World): Decision {
  const { kind, detail, session } = command
  if (kind === 'preserve.create') return create(command, world)
  if (kind === 'session.rebind') {
    return rebind(state, session, count(detail, 'from'), count(detail, 'to'), world)
  }
  const overlay = state.byView.get(count(detail, 'view'))
  if (overlay === undefined) return 'E_NO_VOLUME'
  const { view, table } = overlay
  if (kind === 'preserve.merge') {
    if (runsOf(overlay, volumeOf(world, view)!) > maxRuns) return 'E_BOUND'
    return [{ kind: 'merge.started', volume: view, detail: { blocks: table.count } }]
  }
  const waiting = [...inFlightOf(world).queued.values()].filter((request) => request.volume === view)
  const ends = waiting.map((request) => endOf('io.failed', request, 'E_NO_VOLUME'))
  return [...ends, { kind: 'preserve.dropped', volume: view }]
}

function create({ detail }: Command, world: World): Decision {
  const name = text(detail, 'name')
  const base = volumeOf(world, count(detail, 'base'))
  if (!isName(name)) return 'E_NAME'
  if (base === undefined) return 'E_NO_VOLUME'
  if (world.volumes.some((volume) => volume.name === name && !volume.gone)) return 'E_ALREADY'
  if (world.volumes.length >= maxVolumes) return 'E_BOUND'
  if (base.size / base.block >= maxBlocks) return 'E_SIZE'
  const most = countOr0(detail, 'maxBytes')
  if (most % base.block !== 0) return 'E_SIZE'
  const bound = most > 0 && { maxBytes: most }
  const made = { name, base: base.id, ...bound }
  return [{ kind: 'preserve.created', volume: world.volumes.length + 1, detail: made }]
}

function rebind(state: Preserves, session: number, from: number, to: number, world: World): Decision {
  if (!world.sessions.has(session)) return 'E_NO_SESSION'
  if (state.byView.get(to)?.base !== from) return 'E_NO_VOLUME'
  if (state.rebound.get(session)?.has(from) === true) return 'E_ALREADY'
  if (tapOf(world, from)?.phase === 'attached') return 'E_TAPPED'
  const late = [...inFlightOf(world).queued.values()].some(
    (request) => request.session === session && request.volume === from,
  )
  if (late) return 'E_AGAIN'
  return [{ kind: 'session.rebound', session, detail: { from, to } }]
}

/** The effect record of the first run of image 2 that no copy and no waiting write is on; undefined for none. */
export function nextRun(overlay: Overlay, world: World): NewEvent | undefined {
  const { table, base, view } = overlay
  const volume = volumeOf(world, view)!
  const gates = pairsOn(pairsOf(world), base).map(({ gate }) => gate)
  const isFree = (block: number) => {
    const range = { offset: block * volume.block, length: volume.block, io: world.seq + 1 }
    return gates.every((gate) => !touchesCopy(gate, range) && !gate.blockedByOlder(range))
  }
  let first = table.next(overlay.cursor)
  overlay.cursor = Math.max(0, first)
  while (first >= 0 && !isFree(first)) first = table.next(first + 1)
  if (first < 0) return undefined
  const stop = runEnd(overlay, volume, first, isFree)
  const place = volume.map.get(first)
  const range = { offset: first * volume.block, length: (stop - first) * volume.block }
  const payload = place === 0 ? ({ op: 'zeroes' } as const) : ({ op: 'write', payload: place } as const)
  return { kind: 'merge.block', volume: base, fate: 'passed', ...range, ...payload }
}

/** Where the run of image 2 that begins at `first` ends: its content lies in one piece. */
function runEnd(
  { table }: Overlay,
  { map }: Volume,
  first: number,
  isFree: (block: number) => boolean = () => true,
): number {
  const place = map.get(first)
  let block = first + 1
  while (table.get(block) && isFree(block)) {
    if (map.get(block) !== (place === 0 ? 0 : place + (block - first) * map.step)) break
    block++
  }
  return block
}

/** How many runs a merge would write; counting stops above the bound. */
function runsOf(overlay: Overlay, volume: Volume): number {
  let runs = 0
  for (let block = overlay.table.next(0); block >= 0 && runs <= maxRuns; runs++) {
    block = overlay.table.next(runEnd(overlay, volume, block))
  }
  return runs
}
