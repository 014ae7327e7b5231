/**
 * The maps of a restore against its history: only extents of the clone delta map at the start are copied, each at
 * most once with success (S3-I6); the protected restore map holds exactly the extents that hosts changed, and those
 * in which a fence keeps its pattern (S3-I10).
 */

import { Bitmap } from '../core/bitmap.ts'
import { takesEffect } from '../events/columns.ts'
import type { Kind } from '../events/kind.ts'
import { extentsOf } from '../layers/copy-gate.ts'
import { fencedMeta } from '../layers/fence-state.ts'
import type { World } from '../layers/layer.ts'
import { deltaMapOf, isRunning, type Restore, restoresOf } from '../layers/restore-state.ts'
import type { MakeCheck } from './check.ts'

interface Run {
  /** Extents that may be copied. */
  readonly differing: Bitmap
  readonly copied: Bitmap
  /** Extents that hosts changed. */
  readonly written: Bitmap
}

export const restoreMaps: MakeCheck = (report) => {
  const runs = new Map<number, Run>()
  let begun = false

  const run = (one: Restore, world: World) => {
    const differing = deltaMapOf(world, one.tag).fork()
    runs.set(one.tag, { differing, copied: new Bitmap(differing.length), written: one.prm.fork() })
  }

  const exact = (seq: number, one: Restore) => {
    const { written } = runs.get(one.tag)!
    const extra = first(one.prm, written)
    const missing = first(written, one.prm)
    const wrong = extra >= 0 ? extra : missing
    if (wrong < 0) return
    const said = extra >= 0 ? 'marked, no host changed it' : 'not marked, a host changed it'
    report({ seq, rule: 'S3-I10', detail: `extent ${wrong} of the restore of pair ${one.tag} is ${said}` })
  }

  return {
    rules: ['S3-I6', 'S3-I10'],
    before(event, world) {
      if (!begun) {
        begun = true
        for (const one of restoresOf(world).byTag.values()) run(one, world)
      }
      const { seq, kind, tag } = event
      const one = restoresOf(world).byTag.get(tag)
      if (one === undefined) return
      if (isEnd(kind)) return exact(seq, one)
      if (one.source !== event.volume) return
      const { differing, copied, written } = runs.get(tag)!
      const e = extentsOf(event, one.extent).first
      if (kind === 'copy.started' && !differing.get(e)) {
        report({ seq, rule: 'S3-I6', detail: `extent ${e} is copied, it did not differ at the start` })
      }
      const done = kind === 'copy.report' && event.code === 'ok' && isRunning(world, event)
      if (done && !copied.set(e) && one.protected) {
        report({ seq, rule: 'S3-I6', detail: `extent ${e} is copied a second time` })
      }
      if (done && fencedMeta(world, one.source).touches(event)) written.set(e)
    },
    after(event, world) {
      const { seq, kind, tag } = event
      if (kind === 'restore.started') return run(restoresOf(world).byTag.get(tag)!, world)
      if (isEnd(kind)) return void runs.delete(tag)
      if (!takesEffect(event)) return
      const one = restoresOf(world).bySource.get(event.volume)
      if (one === undefined) return
      const { first: from, last } = extentsOf(event, one.extent)
      if (one.protected) for (let e = from; e <= last; e++) runs.get(one.tag)!.written.set(e)
      if (one.prm.count !== runs.get(one.tag)!.written.count) exact(seq, one)
    },
    end(world) {
      for (const one of restoresOf(world).byTag.values()) if (runs.has(one.tag)) exact(world.seq, one)
    },
  }
}

function isEnd(kind: Kind): boolean {
  return kind === 'restore.completed' || kind === 'restore.cancelled'
}

/** The first bit of `map` that the other lacks; -1 when there is none. */
function first(map: Bitmap, other: Bitmap): number {
  return map.nextBeyond(other, 0)
}
