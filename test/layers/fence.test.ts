/** The metadata fence: its life, its gate, what its owner may do. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NewEvent } from '../../src/events/columns.ts'
import { fencesOf } from '../../src/layers/fence-state.ts'
import { loadWorld, saveWorld, stateHashText } from '../../src/volume/snapshot.ts'
import { checked } from '../support/checked.ts'
import { block, given, passed, read, refusal, refused, type Step, write, zeroes } from '../support/given.ts'
import {
  asks,
  durable,
  fails,
  fence,
  fenceIn,
  hosts,
  patternPlace,
  raise,
  reports,
  update,
} from '../support/given-fence.ts'
import { History } from '../support/history.ts'

const test = suite('fence')

const filled: readonly Step[] = [...hosts, write(1, { count: 16 })]
const fenced: readonly Step[] = [...filled, raise(), durable]
const partial: readonly Step[] = [...filled, raise({ meta: [8], covered: [9, 10] }), durable]
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

test('raise: closes, saves, waits for its pattern, writes it, is up', () => {
  given(...filled)
    .when(raise())
    .then(raise(), { kind: 'fence.requested', tag: 1 }, { kind: 'fence.saved', tag: 1 })
    .and(phase('saving'))
    .and(holds(...original))
    .when(durable)
    .then(
      { kind: 'fence.pattern' },
      { kind: 'fence.pattern_written', payload: patternPlace, length: block, fate: 'passed' },
      { kind: 'fence.pattern_written', payload: patternPlace, offset: block, fate: 'passed' },
      { kind: 'fence.pattern_written', payload: patternPlace, offset: 8 * block, fate: 'passed' },
      { kind: 'fence.raised', tag: 1 },
    )
    .and(holds(...behind))
    .and(phase('fenced'))
})

test('lower: valid metadata, the mountable block last and after the rest is durable, then gone', () => {
  given(...fenced)
    .when(fence('lower'))
    .then(
      fence('lower'),
      { kind: 'fence.lowering', detail: { kind: 'saved' } },
      { kind: 'fence.meta_written', offset: block, fate: 'passed' },
      { kind: 'fence.meta_written', offset: 8 * block, fate: 'passed' },
    )
    .and(holds(patternPlace, old(1)))
    .when({ kind: 'fence.flushed', tag: 1, about: 3 })
    .then(...refusal({ kind: 'fence.flushed', tag: 1, about: 3 }, 'E_NOT_ACTIVE'))
    .when(durable)
    .then(
      { kind: 'fence.flushed' },
      { kind: 'fence.meta_written', offset: 0, fate: 'passed' },
      { kind: 'fence.flushed' },
      { kind: 'fence.lowered', detail: { kind: 'saved' } },
    )
    .and(holds(...original))
    .and(none)
})

test('raise is refused where it makes no sense', () => {
  const now = given(...filled)
  const wrong: readonly [NewEvent, Parameters<typeof refusal>[1]][] = [
    [raise({ name: '' }), 'E_NAME'],
    [raise({ volume: 7 }), 'E_NO_VOLUME'],
    [raise({ session: 9 }), 'E_NO_SESSION'],
    [raise({ meta: [], last: 0 }), 'E_RANGE'],
    [raise({ meta: [16] }), 'E_RANGE'],
    [raise({ last: 5 }), 'E_RANGE'],
    [raise({ covered: [40] }), 'E_RANGE'],
  ]
  for (const [asked, code] of wrong) now.when(asked).then(...refusal(asked, code))
  const odd = raise()
  const lengthless = { ...odd, detail: { ...odd.detail, meta: [0] } }
  now.when(lengthless).then(...refusal(lengthless, 'E_RANGE'))
  const unaligned = { ...odd, detail: { ...odd.detail, meta: [0, 100] } }
  now.when(unaligned).then(...refusal(unaligned, 'E_RANGE'))
  now.when(raise(), raise()).then(...refusal(raise(), 'E_ALREADY'))
  now.when(raise({ name: 'g' })).then(...refusal(raise({ name: 'g' }), 'E_BUSY_FENCE'))
})

test('two fences on disjoint ranges stand side by side and end apart', () => {
  const second = raise({ name: 'g', meta: [2], covered: [3] })
  given(...partial, second, durable)
    .and((history) =>
      assert.equal([fenceIn(history, 1).phase, fenceIn(history, 2).phase], ['fenced', 'fenced']),
    )
    .when(fence('lower', 1, 'g'), durable)
    .and((history) => assert.equal([...fencesOf(history.world).byTag.keys()], [1]))
    .and((history) => assert.equal([history.place(1, 2), history.place(1, 8)], [old(2), patternPlace]))
})

test('enforced: others read the pattern, nothing behind it, and write nothing', () => {
  const meta = read(2, { ...other, count: 2 })
  const data = read(3, { ...other, at: 5 })
  const straddling = read(4, { ...other, at: 1, count: 2 })
  const writes = [write(5, other), write(6, { ...other, at: 5 }), zeroes(7, { ...other, at: 7, count: 2 })]
  const now = given(...fenced)
    .when(meta)
    .then(passed(meta))
  for (const one of [data, straddling, ...writes]) now.when(one).then(refused(one, 'E_FENCED'))
  now.and(holds(...behind))
})

test('the gate is closed to all others from the request on', () => {
  const meta = read(2, other)
  given(...filled, raise())
    .when(meta)
    .then(refused(meta, 'E_FENCED'))
    .when(read(3))
    .then(passed(read(3)))
    .when(write(4, { at: 5 }))
    .then(refused(write(4, { at: 5 }), 'E_AGAIN'))
})

test('the owner writes data in its operation alone, and metadata never', () => {
  const data = write(2, { at: 5 })
  given(...fenced)
    .when(data)
    .then(refused(data, 'E_STATE'))
    .when(fence('operate'))
    .then(fence('operate'), { kind: 'op.started' })
    .when(data)
    .then(passed(data))
    .and((history) => assert.ok(fenceIn(history).dirty))
    .when(write(3))
    .then(refused(write(3), 'E_FENCED'))
    .when(fence('lower'))
    .then(...refusal(fence('lower'), 'E_STATE'))
    .when(fence('finish'))
    .then(fence('finish'), { kind: 'op.finished' })
    .when(fence('lower'), write(4, { at: 6 }))
    .then(refused(write(4, { at: 6 }), 'E_AGAIN'))
    .when(durable)
    .and(none)
})

test('a fence stops nothing that lies beside it', () => {
  const now = given(...partial)
  for (const at of [0, 7, 11, 15]) {
    for (const asked of [read(2, { ...other, at }), write(3, { ...other, at })])
      now.when(asked).then(passed(asked))
  }
  now.when(read(4, { ...other, at: 8 })).then(passed(read(4, { ...other, at: 8 })))
  for (const at of [9, 10])
    now.when(read(5, { ...other, at })).then(refused(read(5, { ...other, at }), 'E_FENCED'))
})

test('advisory: others go through once it is up, and each is recorded', () => {
  const violated = (asked: NewEvent): NewEvent => ({
    kind: 'fence.violation',
    tag: 1,
    session: 2,
    request: asked.request!,
    offset: asked.offset!,
  })
  const meta = write(2, other)
  const data = read(3, { ...other, at: 5 })
  given(...filled, raise({ advisory: true }))
    .when(meta)
    .then(refused(meta, 'E_FENCED'))
    .when(data)
    .then(passed(data))
    .when(durable, meta)
    .then(passed(meta), violated(meta))
    .when(data)
    .then(passed(data), violated(data))
    .when(read(4, other))
    .then(passed(read(4, other)))
    .when(fence('lower'), durable)
    .and(holds(...original))
})

test('update changes the copy of the owner, and the device only when lowered', () => {
  given(...fenced, update(1, 5000))
    .and(holds(...behind))
    .when(update(2, 6000))
    .then(...refusal(update(2, 6000), 'E_RANGE'))
    .when(update(1, 6000, 2))
    .then(...refusal(update(1, 6000, 2), 'E_NOT_OWNER'))
    .when(fence('lower'))
    .then(
      fence('lower'),
      { kind: 'fence.lowering', detail: { kind: 'working' } },
      { kind: 'fence.meta_written', payload: 5000, fate: 'passed' },
      { kind: 'fence.meta_written', payload: old(8), fate: 'passed' },
    )
    .when(durable)
    .and(holds(old(0), 5000, old(2)))
})

test('a block of zeros is an update like any other', () => {
  const check = checked()
  const history = new History(check)
  const steps: readonly Step[] = [...fenced, update(1, 0), fence('lower'), durable]
  for (const step of steps) typeof step === 'function' ? step(history) : history.enter(step)
  history.end()
  assert.equal(check.findings, [])
  assert.equal(history.places(1, 3), [old(0), 0, old(2)])
})

test('abort gives the metadata back as it was, unless data changed', () => {
  given(...fenced, update(1, 5000), fence('abort'), durable)
    .and(holds(...original))
    .and(none)
  given(...filled, raise(), fence('abort'))
    .and(holds(...original))
    .and(none)
  given(...operating, write(2, { at: 5 }), fence('finish'))
    .when(fence('abort'))
    .then(...refusal(fence('abort'), 'E_DIRTY'))
})

test('an operation that failed after it changed data is stuck: done again, or forced', () => {
  const stuck = [...operating, write(2, { at: 5 }), fails()]
  given(...stuck).and(phase('stuck'))
  for (const verb of ['lower', 'abort'] as const) {
    given(...stuck)
      .when(fence(verb))
      .then(...refusal(fence(verb), 'E_DIRTY'))
  }
  given(...stuck, fence('operate'), fence('finish'), fence('lower'), durable).and(none)
  given(...stuck)
    .when(fence('force'))
    .then(
      fence('force'),
      { kind: 'fence.forced' },
      { kind: 'fence.lowering' },
      { kind: 'fence.meta_written', fate: 'passed' },
      { kind: 'fence.meta_written', fate: 'passed' },
    )
    .when(durable)
    .and(none)
  given(...operating, fails()).and(phase('fenced'))
  given(...fenced)
    .when(fence('force'))
    .then(...refusal(fence('force'), 'E_STATE'))
})

test('the fence outlives its owner, and another takes it over explicitly', () => {
  const close = { kind: 'session.close', session: 1 } as const
  given(...fenced, close)
    .and(phase('fenced'))
    .when(fence('lower', 2))
    .then(...refusal(fence('lower', 2), 'E_NOT_OWNER'))
    .when(fence('takeover', 2))
    .then(fence('takeover', 2), { kind: 'fence.taken_over', session: 2, detail: { owner: 'other' } })
    .when(fence('lower', 2), durable)
    .and(none)
  given(...fenced)
    .when(fence('takeover', 9))
    .then(...refusal(fence('takeover', 9), 'E_NO_SESSION'))
  given(...fenced)
    .when(fence('lower', 1, 'x'))
    .then(...refusal(fence('lower', 1, 'x'), 'E_NOT_ACTIVE'))
})

test('a state with fences is kept and found again', () => {
  const states: readonly (readonly Step[])[] = [
    [...filled, raise()],
    [...fenced, asks(), reports(0, 4, 50_000)],
    [...fenced, update(1, 5000), fence('lower')],
    partial,
  ]
  for (const past of states) {
    given(...past).and(({ world }) => {
      const { seq, plain, pages } = saveWorld(world)
      const again = loadWorld({ seq, plain: JSON.parse(JSON.stringify(plain)), pages })
      assert.is(stateHashText(again), stateHashText(world))
    })
  }
})

test.run()
