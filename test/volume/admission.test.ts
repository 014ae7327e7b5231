/**
 * The admission matrix, cell by cell: each cell is brought about and answered as the table says, and a refused
 * command changes nothing; cells that cannot come about are listed with the reason, and the reason is shown.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NewEvent } from '../../src/events/columns.ts'
import { kinds } from '../../src/events/kind.ts'
import type { Mark } from '../../src/layers/layer.ts'
import { admission } from '../../src/volume/admission.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { stack } from '../../src/volume.ts'
import {
  backup,
  copied,
  drop,
  fracture,
  given,
  merge,
  pair,
  preserve,
  rebind,
  restore,
  type Step,
  session,
  sync,
  volume,
  write,
} from '../support/given.ts'
import { raise } from '../support/given-fence.ts'
import type { History } from '../support/history.ts'
import { type Cell, fenceCells, type Role } from './fence-cells.ts'

const test = suite('admission')

/**
 * Volume 1 is the source of p (clone 2) and q (clone 3); 4 and 5 are free; everything on 1 is new since. Views come as 6,
 * and as 7 where there is a second one.
 */
const base: readonly Step[] = [
  ...['disk', 'second', 'third', 'fourth', 'fifth'].map((name) => volume(name)),
  session(),
  session('other'),
  write(1, { count: 16 }),
  pair('p', 1, 2),
  pair('q', 1, 3),
]

/** The command of each role, about a volume; p and q are there. */
const commands: Readonly<Record<Role, (volume: number) => NewEvent>> = {
  backup: (of) => backup('asked', [of]),
  'backup-physical': (of) => backup('asked', [of], { mode: 'physical' }),
  pair: (of) => pair('asked', of, 5),
  'sync-source': () => sync('p'),
  'sync-clone': () => sync('p'),
  'restore-source': () => restore('p'),
  'restore-clone': () => restore('p'),
  fracture: () => fracture('p'),
  preserve: (of) => preserve('asked', of),
  drop: (of) => drop(of),
  merge: (of) => merge(of < 6 ? 6 : of),
  rebind: (of) => rebind(of),
  fence: (of) => raise({ name: 'asked', volume: of, meta: [15], covered: [14] }),
}

const held = (of: number): Step[] => [backup('b', [of])]
const writes = (of: number): Step[] => [backup('b', [of]), write(9, { volume: of })]

const view = (of = 1, name = 'view') => preserve(name, of)
/** A merge whose work is not done yet. */
const merging = (of: number): Step => {
  return (history) => {
    history.enter(write(8, { volume: of }))
    history.plant(merge(of), { kind: 'merge.started', volume: of, detail: { blocks: 1 } })
  }
}

const cells: readonly Cell[] = [
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
  { role: 'fracture', mark: 'restore-source', on: 1, past: [restore('p')] },
  { role: 'fracture', mark: 'sync-source', on: 1, past: [sync('p')] },
  ...fenceCells(Object.keys(commands) as Role[]),
]

/**
 * A source is no clone and a clone no source; a clone has one pair, whose source answers first; a view is no base; a
 * volume with views is not fenced, nor is a view.
 */
const cannotBe: readonly [Role, Mark][] = [
  ...(['drop', 'merge', 'rebind'] as const).flatMap((role) =>
    (['fenced', 'fenced-own', 'fenced-own-full'] as const).map((mark): [Role, Mark] => [role, mark]),
  ),
  ['sync-source', 'restore-clone'],
  ['sync-source', 'sync-clone'],
  ['sync-clone', 'restore-source'],
  ['sync-clone', 'sync-source'],
  ['restore-source', 'restore-clone'],
  ['restore-source', 'sync-clone'],
  ['restore-clone', 'restore-source'],
  ['restore-clone', 'sync-source'],
  ['fracture', 'restore-clone'],
  ['fracture', 'sync-clone'],
  ['sync-source', 'overlay-view'],
  ['sync-clone', 'overlay-view'],
  ['restore-source', 'overlay-view'],
  ['restore-clone', 'overlay-view'],
  ['fracture', 'overlay-view'],
  ['merge', 'sync-clone'],
  ...(['drop', 'rebind'] as const).flatMap((role) =>
    (['overlay-base', 'restore-source', 'restore-clone', 'sync-source', 'sync-clone'] as const).map(
      (mark): [Role, Mark] => [role, mark],
    ),
  ),
]
/** Reached, but the source of the same pair has answered before: the code is the same. */
const answeredBefore: readonly [Role, Mark][] = [
  ['sync-clone', 'restore-clone'],
  ['restore-clone', 'restore-clone'],
]
/** Reached, but the volume is a base besides, and answers as one. */
const answeredAsBase: readonly [Role, Mark][] = [
  ['sync-clone', 'merging'],
  ['restore-source', 'merging'],
  ['fence', 'merging'],
]

const marksOf = ({ world }: History, of: number, session?: number) =>
  stack.flatMap((layer) => layer.marks(world.own[layer.name], of, session))
const refusalIn = (history: History, from: number) =>
  history.ledger.from(from).find(({ kind }) => kind === 'command.refused')

for (const { role, mark, on, past, session, layer = 'ok' } of cells) {
  const code = admission[role][mark]
  test(`${role} on a volume that is ${mark}: ${code}`, () => {
    given(...base, ...past).and((history) => {
      assert.ok(marksOf(history, on, session).includes(mark), `the volume is ${mark}`)
      const command = commands[role](on)
      const columns: readonly string[] = kinds[command.kind].columns
      const asked = { ...command, ...(columns.includes('session') && session !== undefined && { session }) }
      const before = stateHashText(history.world)
      const from = history.world.seq + 1
      history.enter(asked)
      const answer = refusalIn(history, from)
      assert.is(answer?.code ?? 'ok', code === 'ok' ? layer : code)
      if (code === 'ok') return
      assert.equal(history.ledger.from(from).length, 2, 'nothing but the refusal is on record')
      assert.is(stateHashText(history.world), before, 'a refused command changes nothing')
    })
  })
}

test('every cell of the table is here', () => {
  const listed = [
    ...cells.map(({ role, mark }) => [role, mark]),
    ...cannotBe,
    ...answeredBefore,
    ...answeredAsBase,
  ].map(String)
  for (const [role, row] of Object.entries(admission)) {
    for (const mark of Object.keys(row)) {
      const times = listed.filter((cell) => cell === `${role},${mark}`).length
      assert.ok(times > 0, `${role} and ${mark}`)
    }
  }
})

test('cells that cannot be: no volume is source of one pair and clone of another', () => {
  for (const asked of [pair('x', 2, 5), pair('x', 4, 1), pair('x', 4, 2)]) {
    given(...base).and((history) =>
      assert.is(history.enter(asked)[1]?.code, 'E_STATE', JSON.stringify(asked)),
    )
  }
})

test('cells that are answered before: the source of the pair refuses with the same code', () => {
  for (const [role, mark] of answeredBefore) {
    const source = role === 'sync-clone' ? 'sync-source' : 'restore-source'
    assert.is(admission[source]['restore-source'], admission[role][mark])
    given(...base, restore('p')).and((history) => {
      assert.ok(marksOf(history, 2).includes(mark))
      assert.is(history.enter(commands[role](2))[1]?.code, admission[role][mark])
    })
  }
})

test('cells that cannot be: a view is in no pair, and a clone that follows its source has no view', () => {
  for (const asked of [pair('x', 6, 5), pair('x', 5, 6)]) {
    given(...base, view()).and((history) => assert.is(history.enter(asked)[1]?.code, 'E_CHAIN'))
  }
  given(...base, view(2)).and((history) => assert.is(history.enter(sync('p'))[1]?.code, 'E_BUSY_OVERLAY'))
})

test('cells that are answered as a base: what is merged into has a view', () => {
  for (const [role, mark] of answeredAsBase) {
    const of = role === 'sync-clone' ? 2 : 1
    given(...base, view(of), merging(6)).and((history) => {
      assert.ok(marksOf(history, of).includes(mark))
      assert.is.not(admission[role][mark], 'ok')
      assert.is(history.enter(commands[role](of))[1]?.code, admission[role]['overlay-base'])
    })
  }
})

test('while p is synced a restore from q is refused, while p is in sync it is fractured', () => {
  given(...base, sync('p'))
    .when(restore('q'))
    .and((history) => assert.is(refusalIn(history, history.world.seq)?.code, 'E_STATE'))
    .when(copied, restore('q'))
    .and((history) => {
      const kinds = history.ledger.from(1).map(({ kind }) => kind)
      assert.ok(kinds.indexOf('pair.fractured') < kinds.indexOf('restore.started'))
      assert.ok(kinds.includes('pair.fractured'))
    })
})

test.run()
