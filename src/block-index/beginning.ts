/** What is there when a journal begins that gave up its first events: told as touches of the event in front of it. */

import { marks, neededRanges, type Tell } from '../inspect/touch.ts'
import { fencedMeta } from '../layers/fence-state.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { blocksOf } from '../layers/pair-state.ts'
import { nextShared, preservesOf } from '../layers/preserve-state.ts'
import { restoresOf } from '../layers/restore-state.ts'

/** Tells where the content of every block lies in a state: maps, what lies in image 2, what running restores show. */
export function tellWorld(world: World, tell: Tell): void {
  const { seq } = world
  for (const { id, map } of world.volumes) {
    for (const [page, cells] of map.pages()) {
      for (const { block, count, place } of map.runs(page * cells.length, cells.length)) {
        if (place > 0) tell(seq, id, block, count, place)
      }
    }
  }
  for (const { view, table } of preservesOf(world).byView.values()) {
    const { map } = volumeOf(world, view)!
    for (let block = table.next(0); block >= 0; ) {
      const end = nextShared(table, block, table.length)
      for (const run of map.runs(block, end - block)) {
        if (run.place === 0) tell(seq, view, run.block, run.count, 0)
      }
      block = table.next(end)
    }
  }
  for (const restore of restoresOf(world).byTag.values()) {
    const source = volumeOf(world, restore.source)!
    for (const range of neededRanges(restore, world)) {
      for (const piece of fencedMeta(world, source.id).split(range)) {
        if (piece.inside) continue
        const { first, count } = blocksOf(piece, source)
        tell(seq, source.id, first, count, marks.shown)
      }
    }
  }
}
