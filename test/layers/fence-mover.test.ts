/** The data mover behind a fence, the image's metadata first or last, and what a crash leaves of a fence. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fencesOf } from '../../src/layers/fence-state.ts'
import { block, crash, given, read, refusal, refused, type Step, session, write } from '../support/given.ts'
import {
  asks,
  durable,
  ends,
  fence,
  fenceIn,
  hosts,
  moverFails,
  patternPlace,
  raise,
  reports,
} from '../support/given-fence.ts'
import type { History } from '../support/history.ts'

const test = suite('fence, mover and crash')

const filled: readonly Step[] = [...hosts, write(1, { count: 16 })]
const fenced: readonly Step[] = [...filled, raise(), durable]
const operating: readonly Step[] = [...fenced, fence('operate')]
const other = { session: 2 }
const old = (at: number) => 1000 + at * 8
const original = [...Array(16).keys()].map(old)
const behind = original.map((place, at) => ([0, 1, 8].includes(at) ? patternPlace : place))
const none = ({ world }: History) => assert.is(fencesOf(world).byTag.size, 0)
const phase = (name: string) => (history: History) => assert.is(fenceIn(history).phase, name)
const holds =
  (...places: number[]) =>
  (history: History) =>
    assert.equal(history.places(1, places.length), places)

test('the mover writes data to the device and keeps metadata in the buffer, which lowering writes', () => {
  given(...fenced)
    .when(asks())
    .then(asks(), { kind: 'mover.requested' }, { kind: 'mover.dispatched' }, { kind: 'op.started' })
    .when(reports(0, 4, 50_000))
    .then(
      reports(0, 4, 50_000),
      { kind: 'fence.meta_buffered', offset: 0, length: 2 * block, payload: 50_000 },
      { kind: 'mover.copied', offset: 2 * block, length: 2 * block, payload: 50_016, fate: 'passed' },
    )
    .and(holds(patternPlace, patternPlace, 50_016, 50_024, old(4)))
    .when(reports(5, 1, 60_000))
    .then(...refusal(reports(5, 1, 60_000), 'E_RANGE'))
    .when(ends())
    .then(...refusal(ends(), 'E_STATE'))
    .when(reports(4, 11, 0), reports(15, 1, 70_000), ends())
    .then(
      ends(),
      { kind: 'mover.done', detail: { dataBytes: 16 * block, controlBytes: 150 } },
      { kind: 'op.finished' },
    )
    .when(fence('lower'))
    .and((history) => assert.is(fenceIn(history).kind, 'buffered'))
    .when(durable)
    .and(holds(50_000, 50_008, 50_016, 50_024, 0, 0, 0, 0, 0))
    .and((history) => assert.is(history.place(1, 15), 70_000))
})

test('a mover that fails leaves the fence stuck, and goes on where it stopped', () => {
  given(...fenced, asks(), reports(0, 4, 50_000), moverFails())
    .and(phase('stuck'))
    .when(asks())
    .and((history) => assert.is(fenceIn(history).mover?.sent, 4 * block))
    .when(reports(4, 12, 90_000), ends())
    .and(phase('ready'))
  given(...fenced, asks(), reports(0, 4, 50_000), moverFails(), asks(1, { digest: 'another' })).and(
    (history) => assert.is(fenceIn(history).mover?.sent, 0),
  )
  const unknown = asks(1, { digest: '' })
  given(...fenced, unknown, reports(0, 4, 50_000), moverFails(), unknown).and((history) =>
    assert.is(fenceIn(history).mover?.sent, 0, 'an image without a digest may be another one by now'),
  )
})

test('mover requests that make no sense', () => {
  const wide = asks(1, { blocks: 17 })
  given(...fenced)
    .when(wide)
    .then(...refusal(wide, 'E_SIZE'))
    .when(asks(2))
    .then(...refusal(asks(2), 'E_NOT_OWNER'))
    .when(asks(), asks())
    .then(...refusal(asks(), 'E_STATE'))
    .when(fence('finish'))
    .then(...refusal(fence('finish'), 'E_STATE'))
    .when(reports(0, 1, 0, 2))
    .then(...refusal(reports(0, 1, 0, 2), 'E_NOT_ACTIVE'))
})

test('metadata first: on the device, read back, the pattern over it, then up and on', () => {
  given(...filled, raise({ metaFirst: true }))
    .and(phase('restoring'))
    .when(asks())
    .then(asks(), { kind: 'mover.requested' }, { kind: 'mover.dispatched' })
    .when(reports(0, 2, 50_000))
    .then(
      reports(0, 2, 50_000),
      { kind: 'fence.meta_restored', payload: 50_000, length: 2 * block, fate: 'passed' },
      { kind: 'fence.meta_buffered', payload: 50_000, length: 2 * block },
    )
    .and(holds(50_000, 50_008, old(2)))
    .when(read(2, other))
    .then(refused(read(2, other), 'E_FENCED'))
    .when(reports(8, 1, 60_000), durable)
    .and(phase('operating'))
    .and(holds(...behind))
    .when(reports(0, 16, 80_000), ends(), fence('lower'), durable)
    .and(none)
    .and((history) =>
      assert.equal(
        history.places(1, 16),
        original.map((_, at) => 80_000 + at * 8),
      ),
    )
})

const crashes: readonly [string, readonly Step[], string | undefined, readonly number[]][] = [
  ['closing nothing', [...filled, raise()], undefined, original],
  [
    'image metadata is on the device',
    [...filled, raise({ metaFirst: true }), asks(), reports(0, 2, 50_000)],
    undefined,
    original,
  ],
  ['up', fenced, 'fenced', behind],
  ['operating, nothing changed', operating, 'fenced', behind],
  ['ready', [...operating, fence('finish')], 'ready', behind],
  ['lowering', [...fenced, fence('lower')], 'lowering', [patternPlace, ...original.slice(1)]],
]
for (const [what, past, found, places] of crashes) {
  test(`crash while ${what}`, () => {
    const after = given(...past, crash)
    after.and((history) => {
      if (found === undefined) none(history)
      else phase(found)(history)
      holds(...places)(history)
    })
    if (found === 'lowering')
      after
        .when(durable)
        .and(none)
        .and(holds(...original))
  })
}

test('crash while operating: stuck, and the mover goes on behind what it copied', () => {
  given(...fenced, asks(), reports(0, 4, 50_000), crash)
    .and(phase('stuck'))
    .when(session('again'), fence('takeover', 3), asks(3))
    .and((history) => assert.is(fenceIn(history).mover?.sent, 4 * block))
})

test('crash while an abort is under way: it is done again', () => {
  given(...fenced, fence('abort'), crash, durable)
    .and(none)
    .and(holds(...original))
})

test.run()
