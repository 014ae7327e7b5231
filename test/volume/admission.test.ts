/**
 * The admission matrix, cell by cell: each cell is brought about and answered as the table says, and a refused
 * command changes nothing; cells that cannot come about are listed with the reason, and the reason is shown.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { kinds } from '../../src/events/kind.ts'
import type { Mark } from '../../src/layers/layer.ts'
import { admission } from '../../src/volume/admission.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { stack } from '../../src/volume.ts'
import { copied, given, merge, pair, preserve, restore, sync } from '../support/given.ts'
import type { History } from '../support/history.ts'
import { base, cells, commands, merging, view } from './admission-cells.ts'
import { table } from './admission-table.ts'
import { fenceCells, type Role } from './fence-cells.ts'
import { notTapped, tapCells } from './tap-cells.ts'

const test = suite('admission')

const roles = Object.keys(commands) as Role[]
const everyCell = [...cells, ...fenceCells(roles.filter((role) => role !== 'tap')), ...tapCells(roles)]
const notOfViews: readonly Mark[] = [
  ...(['overlay-base', 'restore-source', 'restore-clone', 'restore-u-source', 'restore-u-clone'] as const),
  ...(['sync-source', 'sync-clone'] as const),
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
  ...(['drop', 'rebind'] as const).flatMap((role) => notOfViews.map((mark): [Role, Mark] => [role, mark])),
  ['sync-source', 'restore-u-clone'],
  ['sync-clone', 'restore-u-source'],
  ['restore-source', 'restore-u-clone'],
  ['restore-clone', 'restore-u-source'],
  ['restore-u-clone', 'restore-source'],
  ['restore-u-clone', 'restore-u-source'],
  ['restore-u-clone', 'sync-source'],
  ['fracture', 'restore-u-clone'],
  ['cancel', 'restore-clone'],
  ['cancel', 'restore-u-clone'],
  ['cancel', 'sync-source'],
  ['cancel', 'sync-clone'],
  ['restore-u-clone', 'overlay-view'],
  ['merge', 'restore-u-clone'],
  ['cancel', 'overlay-view'],
  ['cancel', 'merging'],
  ...notTapped,
]
/** Reached, but the source of the same pair has answered before: the code is the same. */
const answeredBefore: readonly [Role, Mark][] = [
  ['sync-clone', 'restore-clone'],
  ['restore-clone', 'restore-clone'],
  ['sync-clone', 'restore-u-clone'],
  ['restore-clone', 'restore-u-clone'],
  ['restore-u-clone', 'restore-clone'],
  ['restore-u-clone', 'restore-u-clone'],
]
/** Reached, but the volume is a base besides, and answers as one. */
const answeredAsBase: readonly [Role, Mark][] = [
  ['sync-clone', 'merging'],
  ['restore-source', 'merging'],
  ['restore-u-clone', 'merging'],
  ['change', 'merging'],
  ['fence', 'merging'],
]

const marksOf = ({ world }: History, of: number, session?: number) =>
  stack.flatMap((layer) => layer.marks(world.own[layer.name], of, session))
const refusalIn = (history: History, from: number) =>
  history.ledger.from(from).find(({ kind }) => kind === 'command.refused')

for (const { role, mark, on, past, session, layer = 'ok' } of everyCell) {
  const code = table[role]![mark]!
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

test('the matrix is the one that was written out by hand, cell by cell', () => {
  assert.equal(JSON.parse(JSON.stringify(admission)), table)
})

test('every cell of the table is here', () => {
  const listed = [
    ...everyCell.map(({ role, mark }) => [role, mark]),
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
    const isProtected = mark === 'restore-clone'
    const first = isProtected ? 'restore-source' : 'restore-u-source'
    assert.is(admission[source][first], admission[role][mark])
    given(...base, restore('p', isProtected)).and((history) => {
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

test('cells that cannot be: what is merged into is not restored, and a clone that is written with its source has no view', () => {
  for (const isProtected of [true, false]) {
    given(...base, view()).and((history) =>
      assert.is(history.enter(restore('p', isProtected))[1]?.code, 'E_BUSY_OVERLAY'),
    )
    given(...base, restore('p', isProtected), view()).and((history) =>
      assert.is(history.enter(merge(6))[1]?.code, 'E_BUSY_RESTORE'),
    )
  }
  given(...base, restore('p', false)).and((history) =>
    assert.is(history.enter(preserve('x', 2))[1]?.code, 'E_BUSY_RESTORE'),
  )
})

test('cells that are answered as a base: what is merged into has a view', () => {
  for (const [role, mark] of answeredAsBase) {
    const of = role === 'sync-clone' || role === 'restore-u-clone' ? 2 : 1
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
