/** What differs between two contents of a volume, as block maps: found page by page, at the cost of what is mapped. */

import type { BlockMap } from '../core/block-map.ts'

/** Blocks whose content lies elsewhere than before. */
export interface ChangedBlocks {
  readonly first: number
  readonly count: number
}

/** Stretches of blocks whose places differ, ascending, neighbours joined. Content at different places may be equal. */
export function* changedBlocks(before: BlockMap, after: BlockMap): Generator<ChangedBlocks> {
  const was = new Map(before.pages())
  const is = new Map(after.pages())
  let open: { first: number; count: number } | undefined
  for (const page of [...new Set([...was.keys(), ...is.keys()])].sort((a, b) => a - b)) {
    const old = was.get(page)
    const now = is.get(page)
    if (old === now) continue
    const { length } = (old ?? now)!
    for (let cell = 0; cell < length; cell++) {
      if ((old?.[cell] ?? 0) === (now?.[cell] ?? 0)) continue
      const block = page * length + cell
      if (open !== undefined && open.first + open.count === block) open.count++
      else {
        if (open !== undefined) yield open
        open = { first: block, count: 1 }
      }
    }
  }
  if (open !== undefined) yield open
}
