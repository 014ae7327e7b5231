/**
 * Coverage of pairs whose clone lives outside (S3-I9): an extent that no map marks is what came from the clone when it
 * was copied. What never came is not known, so its extent must be marked.
 */

import { BlockMap } from '../core/block-map.ts'
import type { Range } from '../core/range.ts'
import { takesEffect } from '../events/columns.ts'
import { extentsOf } from '../layers/copy-gate.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { blocksOf, type Pair, pairsOf, pairsOn, rangeOfExtent } from '../layers/pair-state.ts'
import { isRunning, protectedMapOf } from '../layers/restore-state.ts'
import type { MakeCheck } from './check.ts'

/** What is known of a clone outside: its content by extent. */
interface Known {
  readonly content: BlockMap
  readonly extents: Set<number>
}

export const outsideCoverage: MakeCheck = (report) => {
  const known = new Map<number, Known>()
  let begun = false

  const isMarked = (pair: Pair, e: number, world: World) =>
    pair.cdm.get(e) || protectedMapOf(world, pair.tag)?.get(e) === true

  /** A pair is met: what no map marks of it is taken to be as the source is. */
  const meet = (pair: Pair, world: World, created: boolean) => {
    const { map, block } = volumeOf(world, pair.source)!
    const one = { content: created ? new BlockMap(block / 512) : map.fork(), extents: new Set<number>() }
    for (let e = 0; !created && e < pair.cdm.length; e++) if (!isMarked(pair, e, world)) one.extents.add(e)
    known.set(pair.tag, one)
  }

  const look = (seq: number, pair: Pair, range: Range, world: World) => {
    const one = known.get(pair.tag)
    if (one === undefined) return
    const source = volumeOf(world, pair.source)!
    const { first, last } = extentsOf(range, pair.extent)
    for (let e = first; e <= last; e++) {
      if (isMarked(pair, e, world)) continue
      const blocks = blocksOf(rangeOfExtent(pair, e), source)
      if (one.extents.has(e) && source.map.same(one.content, blocks.first, blocks.count)) continue
      const detail = `extent ${e} of pair ${pair.name} may differ from the clone outside, no map marks it`
      report({ seq, rule: 'S3-I9', detail })
      return
    }
  }

  const whole = (seq: number, pair: Pair, world: World) =>
    look(seq, pair, { offset: 0, length: pair.size }, world)

  return {
    rules: ['S3-I9'],
    before(event, world) {
      if (!begun) {
        begun = true
        for (const pair of pairsOf(world).byTag.values()) if (pair.external !== null) meet(pair, world, false)
      }
      const one = known.get(event.tag)
      if (event.kind !== 'copy.report' || event.code !== 'ok' || one === undefined) return
      if (!isRunning(world, event)) return
      const pair = pairsOf(world).byTag.get(event.tag)!
      const { first, count } = blocksOf(event, volumeOf(world, event.volume)!)
      if (event.payload > 0) one.content.write(first, count, event.payload)
      else one.content.zero(first, count)
      one.extents.add(extentsOf(event, pair.extent).first)
    },
    after(event, world) {
      const { seq, kind, tag } = event
      if (kind === 'pair.created') {
        const pair = pairsOf(world).byTag.get(tag)!
        if (pair.external !== null) meet(pair, world, true)
      }
      if (known.size === 0) return
      if (takesEffect(event)) {
        for (const pair of pairsOn(pairsOf(world), event.volume)) look(seq, pair, event, world)
      } else if (kind === 'restore.completed' || kind === 'restore.cancelled') {
        whole(seq, pairsOf(world).byTag.get(tag)!, world)
      }
    },
    end(world) {
      for (const pair of pairsOf(world).byTag.values()) whole(world.seq, pair, world)
    },
  }
}
