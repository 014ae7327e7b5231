/**
 * Order: of two overlapping writes of a volume the one submitted later never takes effect while the earlier one
 * waits, held (S1-I5) or queued (G-I5); a read of a restoring volume passes no older queued write (G-I5), one of a
 * volume being cloned does, as of a write that is not completed; nothing waits at the end that could go (S3-I7).
 */

import type { Range } from '../core/range.ts'
import { RangeIndex } from '../core/range-index.ts'
import type { Event } from '../events/columns.ts'
import { changes } from '../events/kind.ts'
import { inFlightOf, waiting } from '../layers/in-flight.ts'
import type { World } from '../layers/layer.ts'
import { pairsOf, pairsOn, touchesCopy } from '../layers/pair-state.ts'
import { type Request, requestOf } from '../layers/request.ts'
import { restoreAt, restoresOf } from '../layers/restore-state.ts'
import { tapOf } from '../layers/tap-state.ts'
import type { MakeCheck } from './check.ts'

/** Waiting requests of one kind, by volume and range. */
class Waiting {
  readonly #byVolume = new Map<number, RangeIndex<Request>>()

  add(request: Request): void {
    const index = this.#byVolume.get(request.volume) ?? new RangeIndex<Request>()
    this.#byVolume.set(request.volume, index)
    index.add(request)
  }

  remove(request: Request | undefined): void {
    if (request !== undefined) this.#byVolume.get(request.volume)?.remove(request)
  }

  /** The oldest write of the volume that overlaps a range and was submitted before `io`. */
  olderWrite(volume: number, range: Range, io: number): Request | undefined {
    const overlapping = this.#byVolume.get(volume)?.overlapping(range) ?? []
    return overlapping.find((request) => request.io < io && changes(request.op))
  }
}

export const order: MakeCheck = (report) => {
  const held = new Waiting()
  const queued = new Waiting()
  let begun = false

  const begin = (world: World) => {
    begun = true
    for (const request of inFlightOf(world).held.values()) held.add(request)
    for (const request of inFlightOf(world).queued.values()) queued.add(request)
  }

  const goes = (event: Event, world: World) => {
    const { io, volume, op, offset, length } = requestOf(event)
    const range = { offset, length }
    const overtaken = changes(op) ? held.olderWrite(volume, range, io) : undefined
    if (overtaken !== undefined) {
      const detail = `write ${io} takes effect while the older write ${overtaken.io}, which overlaps it, is held`
      report({ seq: event.seq, rule: 'S1-I5', detail })
    }
    const waits = changes(op) || restoresOf(world).bySource.has(volume)
    const passed = waits ? queued.olderWrite(volume, range, io) : undefined
    if (passed !== undefined) {
      const detail = `${op} ${io} goes while the older write ${passed.io}, which overlaps it, is queued`
      report({ seq: event.seq, rule: 'G-I5', detail })
    }
  }

  return {
    rules: ['S1-I5', 'G-I5', 'S3-I7'],
    before(event, world) {
      if (!begun) begin(world)
      if (waiting(world) === 0) return
      if (event.about > 0) {
        held.remove(inFlightOf(world).held.get(event.about))
        queued.remove(inFlightOf(world).queued.get(event.about))
      }
      const own = event.kind.startsWith('fence.') || event.kind === 'mover.copied'
      if (event.fate === 'passed' && event.op !== 'flush' && !own) goes(event, world)
    },
    after(event) {
      if (event.fate === 'held') held.add(requestOf(event))
      if (event.fate === 'queued' || event.fate === 'forwarded') queued.add(requestOf(event))
    },
    end(world) {
      if (!world.recovered) return
      for (const request of inFlightOf(world).queued.values()) {
        const { io, volume } = request
        if (tapOf(world, volume)?.waiting.has(io) === true) continue
        const gates = [
          ...pairsOn(pairsOf(world), volume).map((pair) => pair.gate),
          ...[restoreAt(restoresOf(world), request, world)?.gate].filter((gate) => gate !== undefined),
        ]
        const ends = restoresOf(world).bySource.get(volume)?.cancelling === true
        const waits = ends || gates.some((gate) => touchesCopy(gate, request) || gate.blockedByOlder(request))
        const detail = `request ${io} is queued for ever: nothing it touches is being copied`
        if (!waits) report({ seq: world.seq, rule: 'S3-I7', detail })
      }
    },
  }
}
