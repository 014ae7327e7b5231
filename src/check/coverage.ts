/**
 * Coverage: where source and clone of a pair differ, the clone delta map or the protected restore map says so
 * (S3-I9). What an event touched is compared after it, whole pairs at their turns and at the end.
 */

import type { Range } from '../core/range.ts'
import { takesEffect } from '../events/columns.ts'
import type { Kind } from '../events/kind.ts'
import { type Volume, volumeOf, type World } from '../layers/layer.ts'
import { blocksOf, type Pair, pairsOf, pairsOn } from '../layers/pair-state.ts'
import { protectedMapOf } from '../layers/restore-state.ts'
import type { MakeCheck } from './check.ts'

/** After these events whole pairs are compared. */
const isTurn = (kind: Kind) =>
  ['restore.started', 'restore.completed', 'restore.cancelled', 'pair.created'].includes(kind)

export const coverage: MakeCheck = (report) => {
  const look = (seq: number, pair: Pair, source: Volume, block: number, world: World) => {
    const e = Math.floor((block * source.block) / pair.extent)
    if (pair.cdm.get(e) || protectedMapOf(world, pair.tag)?.get(e) === true) return
    const detail = `block ${block} of pair ${pair.name} differs, extent ${e} is marked in no map`
    report({ seq, rule: 'S3-I9', detail })
  }

  const range = (seq: number, pair: Pair, touched: Range, world: World) => {
    const source = volumeOf(world, pair.source)!
    const clone = volumeOf(world, pair.clone)
    if (clone === undefined) return
    const { first, count } = blocksOf(touched, source)
    for (let block = first; block < first + count; block++) {
      if (source.map.get(block) === clone.map.get(block)) continue
      return look(seq, pair, source, block, world)
    }
  }

  const whole = (seq: number, pair: Pair, world: World) => {
    const source = volumeOf(world, pair.source)!
    const clone = volumeOf(world, pair.clone)
    if (clone === undefined) return
    const blocks = source.size / source.block
    source.map.eachMapped(0, blocks, (block, place) => {
      if (clone.map.get(block) !== place) look(seq, pair, source, block, world)
    })
    clone.map.eachMapped(0, blocks, (block) => {
      if (source.map.get(block) === 0) look(seq, pair, source, block, world)
    })
  }

  return {
    rules: ['S3-I9'],
    after(event, world) {
      const { seq, kind, volume } = event
      if (takesEffect(event) || (kind === 'copy.report' && event.code === 'ok')) {
        const known = volumeOf(world, volume)
        if (known === undefined || event.offset + event.length > known.size) return
        for (const pair of pairsOn(pairsOf(world), volume)) range(seq, pair, event, world)
      } else if (isTurn(kind)) {
        const pair = pairsOf(world).byTag.get(event.tag)!
        for (const one of pairsOn(pairsOf(world), pair.source)) whole(seq, one, world)
      }
    },
    end(world) {
      for (const pair of pairsOf(world).byTag.values()) whole(world.seq, pair, world)
    },
  }
}
