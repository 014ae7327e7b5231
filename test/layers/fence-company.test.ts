/** Fences in company: with clones, restores and backups of the same volume. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fencesOf } from '../../src/layers/fence-state.ts'
import { cancel, outsidePair } from '../support/asked.ts'
import {
  backup,
  cloned,
  copied,
  copyEnds,
  crash,
  given,
  pair,
  refusal,
  restore,
  type Step,
  session,
  stop,
  sync,
  volume,
  write,
} from '../support/given.ts'
import { durable, fence, fenceIn, hosts, late, patternPlace, raise } from '../support/given-fence.ts'
import { type History, outside } from '../support/history.ts'

const test = suite('fence in company')

const filled: readonly Step[] = [...hosts, write(1, { count: 16 })]
const fenced: readonly Step[] = [...filled, raise(), durable]
const old = (at: number) => 1000 + at * 8
const other = { session: 2 }
const original = [...Array(16).keys()].map(old)
const none = ({ world }: History) => assert.is(fencesOf(world).byTag.size, 0)
const phase = (name: string) => (history: History) => assert.is(fenceIn(history).phase, name)
const holds =
  (...places: number[]) =>
  (history: History) =>
    assert.equal(history.places(1, places.length), places)

const clonedHosts: readonly Step[] = [...cloned, session('other'), write(1, { count: 16 })]

test('a restore behind a full fence leaves the pattern alone; the clone wrote the metadata that is lowered', () => {
  const from = [...clonedHosts, { ...write(9, { volume: 2, count: 16 }) }, raise(), durable]
  const start = { ...restore('p'), session: 1 }
  given(...from)
    .when(restore('p'))
    .then(...refusal(restore('p'), 'E_FENCED'))
    .when(start)
    .and((history) => {
      assert.is(fenceIn(history).phase, 'operating')
      assert.is(fenceIn(history).buffered.blocks, 3)
    })
    .when(fence('lower'))
    .then(...refusal(fence('lower'), 'E_BUSY_RESTORE'))
    .when(copied)
    .and(phase('ready'))
    .and((history) => {
      const clone = history.places(2, 16)
      assert.equal(
        history.places(1, 16),
        clone.map((place, at) => ([0, 1, 8].includes(at) ? patternPlace : place)),
      )
    })
    .when(fence('lower'), durable)
    .and((history) => assert.equal(history.places(1, 16), history.places(2, 16)))
})

test('a restore behind a partial fence is refused', () => {
  const start = { ...restore('p'), session: 1 }
  given(...clonedHosts, raise({ meta: [8], covered: [9] }), durable)
    .when(start)
    .then(...refusal(start, 'E_PARTIAL'))
})

test('a crash in a restore behind a fence: the restore goes on, the pattern stays', () => {
  const start = { ...restore('p'), session: 1 }
  given(...clonedHosts, raise(), durable, start, copyEnds(1, 0), crash)
    .and(phase('operating'))
    .and(holds(patternPlace, patternPlace))
    .when(copied)
    .and(phase('ready'))
    .and((history) => assert.is(history.place(1, 8), patternPlace))
})

test('a fence on a source that is being restored copies its metadata first', () => {
  given(...clonedHosts, restore('p'))
    .when(raise({ meta: [8] }))
    .and(phase('closing'))
    .when(copied, durable)
    .and((history) => {
      assert.is(fenceIn(history).phase, 'fenced')
      assert.is(fenceIn(history).saved.place(8), history.place(2, 8))
      assert.is(history.place(1, 8), patternPlace)
    })
})

test('a fence waits for no backup but its internal writes do', () => {
  const own = { ...backup('b'), session: 1 }
  given(...fenced)
    .when(backup('b'))
    .then(...refusal(backup('b'), 'E_FENCED'))
    .when(own)
    .then(own, { kind: 'backup.flag_set' }, { kind: 'backup.started' })
    .when(fence('lower'))
    .then(fence('lower'), { kind: 'fence.lowering' })
    .when(stop('b'), durable)
    .and(none)
    .and(holds(...original))
  given(...filled, backup('b'))
    .when(raise())
    .then(...refusal(raise(), 'E_BUSY_HOLD'))
})

test('a clone that follows its source cannot be fenced', () => {
  given(volume('disk'), volume('clone'), session(), pair('p'), sync('p'))
    .when(raise({ volume: 2 }))
    .then(...refusal(raise({ volume: 2 }), 'E_BUSY_SYNC'))
})

test('what is on its way is waited for; a deadline ends the waiting', () => {
  const changed = [...cloned, session('other'), write(1, { count: 8 }), sync('p')]
  given(...changed, write(2, { at: 5, ...other }))
    .and((history) => assert.is(history.ledger.at(history.world.seq).fate, 'queued'))
    .when(raise({ meta: [4] }))
    .then(raise({ meta: [4] }), { kind: 'fence.requested' })
    .when(copyEnds(2, 1))
    .and((history) => assert.is(fenceIn(history).phase, 'saving'))
  given(...changed, write(2, { at: 5, ...other }), raise({ meta: [4] }))
    .when(late())
    .then(late(), { kind: 'fence.aborted', code: 'E_DEADLINE' })
    .and(none)
    .when(late())
    .then(...refusal(late(), 'E_NOT_ACTIVE'))
})

test('the pattern waits for copies that run where it goes', () => {
  given(...cloned, session('other'), write(1, { count: 8 }), sync('p'), raise({ meta: [0, 12] }), durable)
    .and(phase('raising'))
    .when(copyEnds(2, 0))
    .and(phase('fenced'))
    .when(copied)
    .and((history) => assert.equal([history.place(2, 0), history.place(2, 12)], [patternPlace, patternPlace]))
})

test('an unprotected restore is refused behind a fence, and no fence is raised on one', () => {
  const start = { ...restore('p', false), session: 1 }
  given(...clonedHosts, raise(), durable)
    .when(start)
    .then(...refusal(start, 'E_FENCED'))
  given(...clonedHosts, restore('p', false))
    .when(raise())
    .then(...refusal(raise(), 'E_BUSY_RESTORE'))
    .and(none)
})

test('a restore that is cancelled behind a fence leaves it stuck; nobody saw a mixture, so it needs no force', () => {
  const start = { ...restore('p'), session: 1 }
  const ask = { ...cancel('p', false), session: 1 }
  const behindIt = [...clonedHosts, { ...write(9, { volume: 2, count: 16 }) }, raise(), durable, start]
  given(...behindIt, copyEnds(1, 0), ask, copied)
    .and(phase('stuck'))
    .and((history) => assert.equal([history.place(1, 0), history.place(1, 8)], [patternPlace, patternPlace]))
    .when(fence('lower'))
    .then(...refusal(fence('lower'), 'E_DIRTY'))
    .when(start, copied)
    .and(phase('ready'))
    .when(fence('lower'), durable)
    .and((history) => assert.equal(history.places(1, 16), history.places(2, 16)))
  const other = { ...cancel('p', true), session: 2 }
  given(...behindIt)
    .when(other)
    .then(...refusal(other, 'E_FENCED'))
})

test('behind an advisory fence others read the mixture: the cancel has to be forced', () => {
  const start = { ...restore('p'), session: 1 }
  const ask = (force: boolean) => ({ ...cancel('p', force), session: 1 })
  given(...clonedHosts, { ...write(9, { volume: 2, count: 16 }) }, raise({ advisory: true }), durable, start)
    .when(ask(false))
    .then(...refusal(ask(false), 'E_MIXED'))
    .when(ask(true), copied)
    .and(phase('stuck'))
})

test('metadata of a clone outside comes with its copies and waits beside the volume', () => {
  const start = { ...restore('p'), session: 1 }
  given(...filled, outsidePair('p'), raise(), durable, start)
    .and((history) => assert.is(fenceIn(history).buffered.blocks, 0))
    .when(copied)
    .and((history) => {
      assert.is(fenceIn(history).phase, 'ready')
      assert.is(fenceIn(history).buffered.blocks, 3)
      assert.equal([history.place(1, 0), history.place(1, 2)], [patternPlace, outside(2)])
    })
    .when(fence('lower'), durable)
    .and((history) => assert.equal(history.places(1, 16), [...Array(16).keys()].map(outside)))
})

test('a fence raised while a clone outside is restored saves the metadata that came from there', () => {
  given(...filled, outsidePair('p'), restore('p'), raise())
    .and(phase('closing'))
    .when(copied, durable)
    .and(phase('fenced'))
    .when(fence('abort'), durable, copied)
    .and((history) => assert.equal(history.places(1, 16), [...Array(16).keys()].map(outside)))
})

test('metadata raised during a restore that is cancelled waits for the end of it', () => {
  given(...clonedHosts, { ...write(9, { volume: 2, count: 16 }) }, restore('p'), cancel('p'), raise())
    .and(phase('closing'))
    .when(copied, durable)
    .and(phase('fenced'))
})

test.run()
