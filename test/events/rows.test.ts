/** Rows from outside: each fault is found, and named by its row. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Columns, type NewEvent } from '../../src/events/columns.ts'
import { fates } from '../../src/events/kind.ts'
import { rowsFault } from '../../src/events/rows.ts'
import { Chance } from '../support/chance.ts'
import { copied, given, restore, session, volume } from '../support/given.ts'
import { History } from '../support/history.ts'

const test = suite('rows')

const write: NewEvent = {
  kind: 'io.write',
  op: 'write',
  fate: 'passed',
  session: 1,
  volume: 1,
  offset: 0,
  length: 512,
  payload: 9,
}
const seed: NewEvent = { kind: 'mark' }

function faultOf(spoil: (columns: Columns) => void, ...events: readonly NewEvent[]): string | undefined {
  const columns = new Columns()
  for (const [k, event] of [seed, ...events].entries()) columns.push(event, 10 + k)
  assert.is(rowsFault(columns, 10), undefined, 'before')
  spoil(columns)
  const fault = rowsFault(columns, 10)
  if (fault !== undefined) assert.is(fault.row, events.length, 'the last row is the spoilt one')
  return fault?.text
}

test('rows of any history are without a fault', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const history = new History()
    const chance = new Chance(seed, history)
    chance.begin()
    for (let k = 0; k < 60; k++) chance.step()
    assert.is(rowsFault(history.ledger.columns, 1), undefined)
  }
  given(volume('v'), session(), restore('p'), copied).and(({ ledger }) => {
    assert.is(rowsFault(ledger.columns, 1), undefined)
  })
})

test('numbers that nobody knows', () => {
  assert.match(faultOf((columns) => columns.kind.set([250], 1), write) ?? '', 'kind 250')
  assert.match(faultOf((columns) => columns.code.set([99], 1), write) ?? '', 'code 99')
  assert.match(faultOf((columns) => columns.fate.set([fates.length], 1), write) ?? '', `fate ${fates.length}`)
  assert.match(faultOf((columns) => columns.op.set([6], 1), write) ?? '', 'operation 6')
})

test('numbers that are none', () => {
  for (const wrong of [Number.NaN, -1, 0.5, 2 ** 53]) {
    assert.match(faultOf((columns) => columns.payload.set([wrong], 1), write) ?? '', 'payload')
    assert.match(faultOf((columns) => columns.offset.set([wrong], 1), write) ?? '', 'range')
    assert.match(faultOf((columns) => columns.length.set([wrong], 1), write) ?? '', 'range')
  }
  assert.match(faultOf((columns) => columns.at.set([Number.NaN], 1), write) ?? '', 'instant')
})

test('a refused request may have asked for any range', () => {
  const refused: NewEvent = { ...write, fate: 'refused', code: 'E_RANGE' }
  assert.is(
    faultOf((columns) => columns.offset.set([-5.5], 1), refused),
    undefined,
  )
  assert.match(faultOf((columns) => columns.offset.set([Number.NaN], 1), refused) ?? '', 'range')
})

test('a value where the kind has none', () => {
  assert.match(faultOf((columns) => columns.tag.set([1], 1), write) ?? '', 'column tag')
  assert.match(
    faultOf((columns) => columns.digestLow.set([1], 1), { kind: 'mark' }) ?? '',
    'column digestLow',
  )
})

test('an operation that is not the kind, a write without a payload', () => {
  assert.match(faultOf((columns) => columns.op.set([1], 1), write) ?? '', 'operation read')
  assert.match(faultOf((columns) => columns.payload.set([0], 1), write) ?? '', 'without a payload')
})

test('an event about nothing', () => {
  const lost: NewEvent = { kind: 'io.lost', session: 1, volume: 1, request: 1, about: 1 }
  assert.is(
    faultOf(() => undefined, lost),
    undefined,
  )
  assert.match(faultOf((columns) => columns.about.set([11], 1), lost) ?? '', 'before the first')
  assert.match(faultOf((columns) => columns.about.set([4000], 1), lost) ?? '', 'before the first')
})

test('a frame begins with an input', () => {
  const columns = new Columns()
  columns.push({ kind: 'session.opened', session: 1 }, 10)
  assert.equal(rowsFault(columns, 10), { row: 0, text: 'a frame begins with the outcome session.opened' })
})

test.run()
