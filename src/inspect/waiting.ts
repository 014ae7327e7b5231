/** Who waits in a state, where, and why: the question of one moment. */

import type { Op } from '../events/kind.ts'
import { extentsOf } from '../layers/copy-gate.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import { askingBackups } from '../layers/hold-queue-state.ts'
import { inFlightOf } from '../layers/in-flight.ts'
import type { World } from '../layers/layer.ts'
import { pairsOf, pairsOn } from '../layers/pair-state.ts'
import type { Request } from '../layers/request.ts'
import { blockers, deltaMapOf, restoreAt, restoresOf } from '../layers/restore-state.ts'
import { tapOf } from '../layers/tap-state.ts'

export interface Waiting {
  /** The event that submitted it. */
  readonly seq: number
  readonly queue: 'hold' | 'copy' | 'far'
  readonly volume: string
  readonly session: number
  readonly host: string
  readonly request: number
  readonly op: Op
  readonly offset: number
  readonly length: number
  readonly why: string
}

/** The requests that wait, by their sequence numbers. */
export function waitingIn(world: World): Waiting[] {
  const { held, queued } = inFlightOf(world)
  const told = (request: Request, queue: Waiting['queue'], why: string): Waiting => {
    const { io: seq, volume, session, request: number, op, offset, length } = request
    const host = world.sessions.get(session) ?? `#${session}`
    const name = world.volumes[volume - 1]?.name ?? `#${volume}`
    return { seq, queue, volume: name, session, host, request: number, op, offset, length, why }
  }
  return [
    ...[...held.values()].map((request) => told(request, 'hold', whyHeld(request, world))),
    ...[...queued.values()].map((request) => {
      const tap = tapOf(world, request.volume)
      if (tap?.waiting.has(request.io) !== true) return told(request, 'copy', whyQueued(request, world))
      return told(request, 'far', `${tap.uri} has not answered`)
    }),
  ].sort((a, b) => a.seq - b.seq)
}

function whyHeld(request: Request, world: World): string {
  const asking = askingBackups(holdQueueOf(world), request, world)
  if (asking.length === 0) return 'an older held write overlaps it, or its backup is stopping'
  return asking.map(({ name, phase }) => `backup ${name} is ${phase}`).join(', ')
}

function whyQueued(request: Request, world: World): string {
  const restore = restoreAt(restoresOf(world), request, world)
  if (restore !== undefined) {
    const extents = blockers(restore, deltaMapOf(world, restore.tag), request, world)
    const pair = pairsOf(world).byTag.get(restore.tag)!.name
    if (extents.length > 0)
      return `restore of ${pair}: ${extentsText(extents, (e) => restore.gate.copying.get(e))}`
  }
  for (const pair of pairsOn(pairsOf(world), request.volume)) {
    const { first, last } = extentsOf(request, pair.extent)
    const extents: number[] = []
    for (let e = first; e <= last; e++) if (pair.gate.copying.get(e)) extents.push(e)
    if (extents.length > 0) return `sync of ${pair.name}: ${extentsText(extents, () => true)}`
  }
  return 'an older waiting request overlaps it'
}

/** How many extents a reason names. */
const shown = 8

function extentsText(extents: readonly number[], copying: (e: number) => boolean): string {
  const words = extents
    .slice(0, shown)
    .map((e) => `extent ${e} ${copying(e) ? 'is being copied' : 'needs its copy'}`)
  if (extents.length > shown) words.push(`${extents.length - shown} more`)
  return words.join(', ')
}
