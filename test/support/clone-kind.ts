/**
 * A claim holds wherever the clone lives: a past with a clone inside, made by a sync, or with one outside, and where a
 * block of either has its content.
 */

import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { outsidePair } from './asked.ts'
import { copied, fracture, pair, restore, type Step, session, sync, volume, write } from './given.ts'
import { type History, outside } from './history.ts'

export interface CloneKind {
  readonly name: 'inside' | 'outside'
  /** A fractured pair p; the source, volume 1, differs from its clone in the first `changed` blocks, by write 2. */
  past(blocks: number, changed: number): readonly Step[]
  /** The content of the clone at a block. */
  at(block: number): number
}

const inside: CloneKind = {
  name: 'inside',
  past: (blocks, changed) => [
    volume('disk', blocks),
    volume('clone', blocks),
    session(),
    write(1, { count: blocks }),
    pair('p'),
    sync('p'),
    copied,
    fracture('p'),
    write(2, { count: changed }),
  ],
  at: (block) => 1000 + block * 8,
}

/** The source is first restored whole, which is how it comes to be as its clone outside is. */
const outer: CloneKind = {
  name: 'outside',
  past: (blocks, changed) => [
    volume('disk', blocks),
    volume('other', blocks),
    session(),
    outsidePair('p', 1, blocks),
    restore('p'),
    copied,
    write(2, { count: changed }),
  ],
  at: outside,
}

export const cloneKinds: readonly CloneKind[] = [inside, outer]

/** The running restore of pair 1, and its clone delta map. */
export const runOf = ({ world }: History) => restoresOf(world).byTag.get(1)!
export const deltaOf = ({ world }: History) => pairsOf(world).byTag.get(1)!.cdm

/** The extents of 4 blocks that copies into volume 1 began with since event `from`. */
export function copiesOf({ ledger }: History, from: number): number[] {
  return ledger
    .from(from)
    .filter(({ kind, volume }) => kind === 'copy.started' && volume === 1)
    .map(({ offset }) => (offset ?? 0) / 16_384)
}

/** The sequence number of the last restore.started. */
export function startOf({ ledger }: History): number {
  return ledger.from(1).findLast(({ kind }) => kind === 'restore.started')?.seq ?? 1
}
