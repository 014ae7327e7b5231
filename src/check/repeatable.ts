/**
 * A protected restore can be done again (S4-I4): at its end the source is the clone wherever no host wrote, and the
 * clone that the next restore starts from is the one the last restore left, unless it was written in between. Of a clone
 * that lives outside, an extent that is copied again is what it was.
 */

import { lanesText } from '../core/lanes.ts'
import { type Event, takesEffect } from '../events/columns.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { pairsOf, pairsOn } from '../layers/pair-state.ts'
import { isRunning, type Restore, restoresOf } from '../layers/restore-state.ts'
import type { MakeCheck } from './check.ts'

export const repeatable: MakeCheck = (report) => {
  /** By clone, the hash it was left with. */
  const left = new Map<number, string>()
  /** By pair and extent, the digest of what came from a clone that lives outside. */
  const copied = new Map<string, string>()

  const brought = (event: Event) => {
    const extent = `${event.tag} ${event.offset}`
    const digest = `${event.digestHigh} ${event.digestLow}`
    const before = copied.get(extent)
    copied.set(extent, digest)
    if (before === undefined || before === digest) return
    const detail = `the clone outside, of pair ${event.tag}, changed at offset ${event.offset} since its last copy`
    report({ seq: event.seq, rule: 'S4-I4', detail })
  }

  const ended = (seq: number, one: Restore, world: World) => {
    if (one.clone === 0 || !one.protected) return
    const source = volumeOf(world, one.source)!
    const clone = volumeOf(world, one.clone)!
    const differ = (block: number) => {
      const e = Math.floor((block * source.block) / one.extent)
      if (one.prm.get(e)) return
      const detail = `block ${block} of the source is not the clone's though no host wrote extent ${e}`
      report({ seq, rule: 'S4-I4', detail })
    }
    const blocks = source.size / source.block
    source.map.eachMapped(0, blocks, (block, place) => clone.map.get(block) !== place && differ(block))
    clone.map.eachMapped(0, blocks, (block) => source.map.get(block) === 0 && differ(block))
    left.set(one.clone, hashOf(one.clone, world))
  }

  return {
    rules: ['S4-I4'],
    before(event, world) {
      const { seq, kind, tag } = event
      if (kind === 'copy.report' && event.code === 'ok' && event.digestHigh + event.digestLow > 0) {
        if (isRunning(world, event)) brought(event)
      } else if (kind === 'restore.completed') {
        const one = restoresOf(world).byTag.get(tag)
        if (one !== undefined) ended(seq, one, world)
      } else if (kind === 'restore.started') {
        const clone = pairsOf(world).byTag.get(tag)?.clone ?? 0
        if (clone === 0 || !left.has(clone) || left.get(clone) === hashOf(clone, world)) return
        const detail = `the clone of pair ${tag} changed since its last restore without a write`
        report({ seq, rule: 'S4-I4', detail })
      } else if (kind === 'sync.started') left.delete(pairsOf(world).byTag.get(tag)?.clone ?? 0)
      else if (takesEffect(event)) {
        left.delete(event.volume)
        for (const pair of pairsOn(pairsOf(world), event.volume)) {
          const both = restoresOf(world).byTag.get(pair.tag)?.protected === false
          if (both || pair.phase === 'in-sync' || pair.phase === 'syncing') left.delete(pair.clone)
        }
      }
    },
  }
}

function hashOf(volume: number, world: World): string {
  const { map } = volumeOf(world, volume)!
  return lanesText(map.hashLow, map.hashHigh)
}
