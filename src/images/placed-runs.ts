/** The blocks of a map that have a place, as runs whose content lies in one piece: only pages in use are looked at. */

import type { BlockMap, Run } from '../core/block-map.ts'

/** Runs of the map that begin at block `from` or later, in order. The map may not change meanwhile. */
export function* placedRuns(map: BlockMap, from = 0): Generator<Run> {
  let open: { block: number; count: number; place: number } | undefined
  for (const [page, cells] of map.pages()) {
    const first = page * cells.length
    for (let cell = Math.max(0, from - first); cell < cells.length; cell++) {
      const place = cells[cell]!
      if (place === 0) continue
      const block = first + cell
      if (open !== undefined && open.block + open.count === block) {
        if (open.place + open.count * map.step === place) {
          open.count++
          continue
        }
      }
      if (open !== undefined) yield open
      open = { block, count: 1, place }
    }
  }
  if (open !== undefined) yield open
}
