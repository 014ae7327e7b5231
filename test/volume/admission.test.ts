/**
 * The admission matrix, cell by cell: each cell is brought about and answered as the table says, and a refused
 * command changes nothing; cells that cannot come about are listed with the reason, and the reason is shown.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Code } from '../../src/events/code.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import type { Mark, Target } from '../../src/layers/layer.ts'
import { admission } from '../../src/volume/admission.ts'
import { stateHashText } from '../../src/volume/snapshot.ts'
import { stack } from '../../src/volume.ts'
import {
  backup,
  cancel,
  copied,
  fracture,
  given,
  pair,
  remove,
  restore,
  type Step,
  session,
  sync,
  volume,
  write,
} from '../support/given.ts'
import type { History } from '../support/history.ts'

const test = suite('admission')

type Role = Target['role']

/** Volume 1 is the source of p (clone 2) and q (clone 3); 4 and 5 are free; everything on 1 is new since. */
const base: readonly Step[] = [
  ...['disk', 'second', 'third', 'fourth', 'fifth'].map((name) => volume(name)),
  session(),
  write(1, { count: 16 }),
  pair('p', 1, 2),
  pair('q', 1, 3),
]

/** The command of each role, about a volume; p and q are there. */
const commands: Readonly<Record<Role, (volume: number) => NewEvent>> = {
  backup: (of) => backup('asked', [of]),
  pair: (of) => pair('asked', of, 5),
  'sync-source': () => sync('p'),
  'sync-clone': () => sync('p'),
  'restore-source': () => restore('p'),
  'restore-clone': () => restore('p'),
  'restore-u-clone': () => restore('p', false),
  fracture: () => fracture('p'),
  cancel: () => cancel('p'),
  change: (of) => remove(of),
}

interface Cell {
  readonly role: Role
  readonly mark: Mark
  /** The volume that has the mark, and that the command is about in that role. */
  readonly on: number
  readonly past: readonly Step[]
  /** Where the layer refuses after the table let it pass. */
  readonly then?: Code
}

const held = (of: number): Step[] => [backup('b', [of])]
const writes = (of: number): Step[] => [backup('b', [of]), write(9, { volume: of })]

const cells: readonly Cell[] = [
  { role: 'backup', mark: 'held', on: 1, past: held(1) },
  { role: 'backup', mark: 'held-writes', on: 1, past: writes(1) },
  { role: 'backup', mark: 'restore-source', on: 1, past: [restore('p')] },
  { role: 'backup', mark: 'restore-clone', on: 2, past: [restore('p')] },
  { role: 'backup', mark: 'sync-source', on: 1, past: [sync('p')] },
  { role: 'backup', mark: 'sync-clone', on: 2, past: [sync('p')] },
  { role: 'backup', mark: 'sync-clone', on: 2, past: [sync('p'), copied] },
  { role: 'pair', mark: 'held', on: 1, past: held(1) },
  { role: 'pair', mark: 'held-writes', on: 1, past: writes(1) },
  { role: 'pair', mark: 'restore-source', on: 1, past: [restore('p')] },
  { role: 'pair', mark: 'restore-clone', on: 2, past: [restore('p')] },
  { role: 'pair', mark: 'sync-source', on: 1, past: [sync('p')] },
  { role: 'pair', mark: 'sync-clone', on: 2, past: [sync('p')] },
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
]

/** A source is no clone and a clone no source; a clone has one pair, whose source answers first. */
const cannotBe: readonly [Role, Mark][] = [
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

const marksOf = ({ world }: History, of: number) =>
  stack.flatMap((layer) => layer.marks(world.own[layer.name], of))
const refusalIn = (history: History, from: number) =>
  history.ledger.from(from).find(({ kind }) => kind === 'command.refused')

for (const { role, mark, on, past } of cells) {
  const code = admission[role][mark]
  test(`${role} on a volume that is ${mark}: ${code}`, () => {
    given(...base, ...past).and((history) => {
      assert.ok(marksOf(history, on).includes(mark), `the volume is ${mark}`)
      const asked = commands[role](on)
      const before = stateHashText(history.world)
      const from = history.world.seq + 1
      history.enter(asked)
      const answer = refusalIn(history, from)
      assert.is(answer?.code ?? 'ok', code)
      if (code === 'ok') return
      assert.equal(history.ledger.from(from).length, 2, 'nothing but the refusal is on record')
      assert.is(stateHashText(history.world), before, 'a refused command changes nothing')
    })
  })
}

test('every cell of the table is here', () => {
  const listed = [...cells.map(({ role, mark }) => [role, mark]), ...cannotBe, ...answeredBefore].map(String)
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
