/**
 * Bounds of the hold queue by a memory of its own: a write that is held, and still is when its entry ends, fits the
 * bounds of every backup that covers its volume. What is full has its policy instead, never silently (S1-I9).
 */

import type { Event } from '../events/columns.ts'
import { count, counts, text } from '../events/detail.ts'
import { isInput } from '../events/kind.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import type { World } from '../layers/layer.ts'
import type { MakeCheck } from './check.ts'

interface Terms {
  readonly name: string
  readonly volumes: readonly number[]
  readonly maxEntries: number
  readonly maxBytes: number
}

interface Held {
  readonly volume: number
  readonly length: number
}

export const holdBounds: MakeCheck = (report) => {
  /** Those that cover their volumes, by tag. */
  const backups = new Map<number, Terms>()
  /** What waits, by the input that brought it. */
  const held = new Map<number, Held>()
  let begun = false
  /** The write that came to be held in the present entry. */
  let joined = 0

  const begin = (world: World) => {
    begun = true
    const { backups: known, flagged } = holdQueueOf(world)
    for (const one of known.values()) if (one.phase !== 'stopping') backups.set(one.tag, one)
    for (const [volume, { writes }] of flagged) {
      for (const { io, length } of writes) held.set(io, { volume, length })
    }
  }

  const finished = () => {
    const seq = joined
    joined = 0
    const last = held.get(seq)
    if (last === undefined) return
    let [entries, bytes] = [0, 0]
    for (const { volume, length } of held.values()) {
      if (volume !== last.volume) continue
      entries++
      bytes += length
    }
    for (const { name, volumes, maxEntries, maxBytes } of backups.values()) {
      if (!volumes.includes(last.volume) || (entries <= maxEntries && bytes <= maxBytes)) continue
      const most = `${maxEntries} writes and ${maxBytes} bytes`
      const detail = `${entries} writes of ${bytes} bytes are held, backup ${name} allows ${most}`
      report({ seq, rule: 'S1-I9', detail })
    }
  }

  return {
    rules: ['S1-I9'],
    before(event, world) {
      if (!begun) begin(world)
      if (joined > 0 && isInput(event.kind)) finished()
    },
    after(event) {
      const { kind, fate, seq, volume, length } = event
      switch (kind) {
        case 'backup.flag_set':
          backups.set(event.tag, termsOf(event))
          return
        case 'backup.stopping':
        case 'backup.expired':
        case 'backup.aborted':
          backups.delete(event.tag)
          return
        case 'hold.released':
        case 'hold.dropped':
        case 'hold.failed':
          held.delete(event.about)
          return
        default:
      }
      if (fate !== 'held') return
      held.set(seq, { volume, length })
      joined = seq
    },
    end: finished,
  }
}

function termsOf({ detail }: Event): Terms {
  return {
    name: text(detail, 'name'),
    volumes: [...counts(detail, 'volumes')],
    maxEntries: count(detail, 'maxEntries'),
    maxBytes: count(detail, 'maxBytes'),
  }
}
