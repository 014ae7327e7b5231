/**
 * The cells of the admission matrix: for each row and column a past that brings it about, and the command that is
 * answered. Cells that cannot come about are in the test, with the reason.
 */

import type { NewEvent } from '../../src/events/columns.ts'
import { cancel, rebind, remove, resize } from '../support/asked.ts'
import {
  backup,
  copied,
  drop,
  fracture,
  merge,
  pair,
  preserve,
  restore,
  type Step,
  session,
  sync,
  volume,
  write,
} from '../support/given.ts'
import { raise } from '../support/given-fence.ts'
import { attach } from '../support/given-tap.ts'
import type { Cell, Role } from './fence-cells.ts'

/**
 * Volume 1 is the source of p (clone 2) and q (clone 3); 4 and 5 are free; everything on 1 is new since. Views come as 6,
 * and as 7 where there is a second one.
 */
export const base: readonly Step[] = [
  ...['disk', 'second', 'third', 'fourth', 'fifth'].map((name) => volume(name)),
  session(),
  session('other'),
  write(1, { count: 16 }),
  pair('p', 1, 2),
  pair('q', 1, 3),
]

/** The command of each role, about a volume; p and q are there. */
export const commands: Readonly<Record<Role, (volume: number) => NewEvent>> = {
  backup: (of) => backup('asked', [of]),
  'backup-physical': (of) => backup('asked', [of], { mode: 'physical' }),
  pair: (of) => pair('asked', of, 5),
  'sync-source': () => sync('p'),
  'sync-clone': () => sync('p'),
  'restore-source': () => restore('p'),
  'restore-clone': () => restore('p'),
  'restore-u-clone': () => restore('p', false),
  fracture: () => fracture('p'),
  preserve: (of) => preserve('asked', of),
  drop: (of) => drop(of),
  merge: (of) => merge(of < 6 ? 6 : of),
  rebind: (of) => rebind(of),
  fence: (of) => raise({ name: 'asked', volume: of, meta: [15], covered: [14] }),
  cancel: () => cancel('p'),
  tap: (of) => attach(of),
  change: (of) => (of < 6 ? remove(of) : resize(of, 8)),
}

const held = (of: number): Step[] => [backup('b', [of])]
const writes = (of: number): Step[] => [backup('b', [of]), write(9, { volume: of })]

export const view = (of = 1, name = 'view') => preserve(name, of)
/** A merge whose work is not done yet. */
export const merging = (of: number): Step => {
  return (history) => {
    history.enter(write(8, { volume: of }))
    history.plant(merge(of), { kind: 'merge.started', volume: of, detail: { blocks: 1 } })
  }
}

export const cells: readonly Cell[] = [
  { role: 'tap', mark: 'merging', on: 1, past: [view(), merging(6)] },
  { role: 'backup', mark: 'held', on: 1, past: held(1) },
  { role: 'backup', mark: 'held-writes', on: 1, past: writes(1) },
  { role: 'backup', mark: 'restore-source', on: 1, past: [restore('p')] },
  { role: 'backup', mark: 'restore-clone', on: 2, past: [restore('p')] },
  { role: 'backup', mark: 'sync-source', on: 1, past: [sync('p')] },
  { role: 'backup', mark: 'sync-clone', on: 2, past: [sync('p')] },
  { role: 'backup', mark: 'sync-clone', on: 2, past: [sync('p'), copied] },
  { role: 'backup', mark: 'overlay-base', on: 1, past: [view()] },
  { role: 'backup', mark: 'overlay-view', on: 6, past: [view()] },
  { role: 'backup', mark: 'merging', on: 1, past: [view(), merging(6)] },
  { role: 'backup', mark: 'merging', on: 6, past: [view(), merging(6)] },
  { role: 'backup-physical', mark: 'held', on: 1, past: held(1) },
  { role: 'backup-physical', mark: 'held-writes', on: 1, past: writes(1) },
  { role: 'backup-physical', mark: 'restore-source', on: 1, past: [restore('p')] },
  { role: 'backup-physical', mark: 'restore-clone', on: 2, past: [restore('p')] },
  { role: 'backup-physical', mark: 'sync-source', on: 1, past: [sync('p')] },
  { role: 'backup-physical', mark: 'sync-clone', on: 2, past: [sync('p')] },
  { role: 'backup-physical', mark: 'sync-clone', on: 2, past: [sync('p'), copied] },
  { role: 'backup-physical', mark: 'overlay-base', on: 1, past: [view()] },
  { role: 'backup-physical', mark: 'overlay-view', on: 6, past: [view()] },
  { role: 'backup-physical', mark: 'merging', on: 1, past: [view(), merging(6)] },
  { role: 'pair', mark: 'held', on: 1, past: held(1) },
  { role: 'pair', mark: 'held-writes', on: 1, past: writes(1) },
  { role: 'pair', mark: 'restore-source', on: 1, past: [restore('p')] },
  { role: 'pair', mark: 'restore-clone', on: 2, past: [restore('p')] },
  { role: 'pair', mark: 'sync-source', on: 1, past: [sync('p')] },
  { role: 'pair', mark: 'sync-clone', on: 2, past: [sync('p')] },
  { role: 'pair', mark: 'overlay-base', on: 4, past: [view(4)] },
  { role: 'pair', mark: 'overlay-view', on: 6, past: [view(4)] },
  { role: 'pair', mark: 'merging', on: 4, past: [view(4), merging(6)] },
  { role: 'sync-source', mark: 'overlay-base', on: 1, past: [view()] },
  { role: 'sync-source', mark: 'merging', on: 1, past: [view(), merging(6)] },
  { role: 'sync-clone', mark: 'overlay-base', on: 2, past: [view(2)] },
  { role: 'restore-source', mark: 'overlay-base', on: 1, past: [view()] },
  { role: 'restore-clone', mark: 'overlay-base', on: 2, past: [view(2)] },
  { role: 'restore-clone', mark: 'merging', on: 2, past: [view(2), merging(6)] },
  { role: 'fracture', mark: 'overlay-base', on: 1, past: [sync('p'), view()] },
  { role: 'fracture', mark: 'merging', on: 1, past: [sync('p'), view(), merging(6)] },
  { role: 'preserve', mark: 'held', on: 1, past: held(1) },
  { role: 'preserve', mark: 'held-writes', on: 1, past: writes(1) },
  { role: 'preserve', mark: 'overlay-base', on: 1, past: [view()] },
  { role: 'preserve', mark: 'overlay-view', on: 6, past: [view()] },
  { role: 'preserve', mark: 'merging', on: 1, past: [view(), merging(6)] },
  { role: 'preserve', mark: 'restore-source', on: 1, past: [restore('p')] },
  { role: 'preserve', mark: 'restore-clone', on: 2, past: [restore('p')] },
  { role: 'preserve', mark: 'sync-source', on: 1, past: [sync('p')] },
  { role: 'preserve', mark: 'sync-clone', on: 2, past: [sync('p')] },
  { role: 'preserve', mark: 'sync-clone', on: 2, past: [sync('p'), copied] },
  { role: 'drop', mark: 'held', on: 6, past: [view(), ...held(6)] },
  { role: 'drop', mark: 'held-writes', on: 6, past: [view(), ...writes(6)] },
  { role: 'drop', mark: 'overlay-view', on: 6, past: [view()] },
  { role: 'drop', mark: 'merging', on: 6, past: [view(), merging(6)] },
  { role: 'merge', mark: 'held', on: 1, past: [view(), ...held(1)] },
  { role: 'merge', mark: 'held-writes', on: 1, past: [view(), ...writes(1)] },
  { role: 'merge', mark: 'overlay-base', on: 1, past: [view()] },
  { role: 'merge', mark: 'overlay-view', on: 6, past: [view()] },
  { role: 'merge', mark: 'merging', on: 6, past: [view(), merging(6)] },
  { role: 'merge', mark: 'merging', on: 1, past: [view(), view(1, 'more'), merging(7)] },
  { role: 'merge', mark: 'restore-source', on: 1, past: [restore('p'), view()] },
  { role: 'merge', mark: 'restore-clone', on: 2, past: [restore('p'), view(2)] },
  { role: 'merge', mark: 'sync-source', on: 1, past: [sync('p'), view()] },
  { role: 'rebind', mark: 'held', on: 6, past: [view(), ...held(6)] },
  { role: 'rebind', mark: 'held-writes', on: 6, past: [view(), ...writes(6)] },
  { role: 'rebind', mark: 'overlay-view', on: 6, past: [view()] },
  { role: 'rebind', mark: 'merging', on: 6, past: [view(), merging(6)] },
  { role: 'sync-source', mark: 'held', on: 1, past: held(1) },
  { role: 'sync-source', mark: 'held-writes', on: 1, past: writes(1) },
  { role: 'sync-source', mark: 'restore-source', on: 1, past: [restore('q')] },
  { role: 'sync-source', mark: 'sync-source', on: 1, past: [sync('q')] },
  { role: 'sync-clone', mark: 'held', on: 2, past: held(2) },
  { role: 'sync-clone', mark: 'held-writes', on: 2, past: writes(2) },
  { role: 'sync-clone', mark: 'sync-clone', on: 2, past: [sync('p')] },
  { role: 'sync-clone', mark: 'sync-clone', on: 2, past: [sync('p'), copied] },
  { role: 'restore-source', mark: 'held', on: 1, past: held(1) },
  { role: 'restore-source', mark: 'held-writes', on: 1, past: writes(1) },
  { role: 'restore-source', mark: 'restore-source', on: 1, past: [restore('q')] },
  { role: 'restore-source', mark: 'restore-source', on: 1, past: [restore('p')] },
  { role: 'restore-source', mark: 'sync-source', on: 1, past: [sync('q')] },
  { role: 'restore-clone', mark: 'held', on: 2, past: held(2) },
  { role: 'restore-clone', mark: 'held-writes', on: 2, past: writes(2) },
  { role: 'restore-clone', mark: 'sync-clone', on: 2, past: [sync('p'), copied] },
  { role: 'fracture', mark: 'held', on: 1, past: [sync('p'), copied, ...held(1)] },
  { role: 'fracture', mark: 'held-writes', on: 1, past: [sync('p'), copied, ...writes(1)] },
  { role: 'fracture', mark: 'restore-source', on: 1, past: [restore('q')] },
  { role: 'fracture', mark: 'restore-u-source', on: 1, past: [restore('q', false)] },
  ...(['backup', 'pair', 'sync-source', 'restore-source'] as const).map(
    (role): Cell => ({ role, mark: 'restore-u-source', on: 1, past: [restore('q', false)] }),
  ),
  { role: 'backup', mark: 'restore-u-clone', on: 2, past: [restore('p', false)] },
  { role: 'pair', mark: 'restore-u-clone', on: 2, past: [restore('p', false)] },
  { role: 'restore-u-clone', mark: 'held', on: 2, past: held(2) },
  { role: 'restore-u-clone', mark: 'held-writes', on: 2, past: writes(2) },
  { role: 'restore-u-clone', mark: 'sync-clone', on: 2, past: [sync('p'), copied] },
  { role: 'cancel', mark: 'held', on: 1, past: [restore('p'), ...held(1)] },
  { role: 'cancel', mark: 'held-writes', on: 1, past: [restore('p'), ...writes(1)] },
  { role: 'cancel', mark: 'restore-source', on: 1, past: [restore('p')] },
  { role: 'cancel', mark: 'restore-u-source', on: 1, past: [restore('p', false)] },
  { role: 'change', mark: 'held', on: 4, past: held(4) },
  { role: 'change', mark: 'held-writes', on: 4, past: writes(4) },
  { role: 'change', mark: 'restore-source', on: 1, past: [restore('p')] },
  { role: 'change', mark: 'restore-clone', on: 2, past: [restore('p')] },
  { role: 'change', mark: 'restore-u-source', on: 1, past: [restore('p', false)] },
  { role: 'change', mark: 'restore-u-clone', on: 2, past: [restore('p', false)] },
  { role: 'change', mark: 'sync-source', on: 1, past: [sync('p')] },
  { role: 'change', mark: 'sync-clone', on: 2, past: [sync('p')] },
  { role: 'fracture', mark: 'sync-source', on: 1, past: [sync('p')] },
  { role: 'backup-physical', mark: 'restore-u-source', on: 1, past: [restore('p', false)] },
  { role: 'backup-physical', mark: 'restore-u-clone', on: 2, past: [restore('p', false)] },
  { role: 'restore-u-clone', mark: 'overlay-base', on: 2, past: [view(2)] },
  { role: 'preserve', mark: 'restore-u-source', on: 1, past: [restore('p', false)] },
  { role: 'preserve', mark: 'restore-u-clone', on: 2, past: [restore('p', false)] },
  { role: 'merge', mark: 'restore-u-source', on: 1, past: [restore('p', false), view()] },
  { role: 'cancel', mark: 'overlay-base', on: 1, past: [restore('p'), view()] },
  { role: 'change', mark: 'overlay-base', on: 4, past: [view(4)] },
  { role: 'change', mark: 'overlay-view', on: 6, past: [view(4)] },
]
