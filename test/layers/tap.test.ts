/** The rules of taps, without an engine: what is forwarded, what the far server's answers do, how it all ends. */

import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NewEvent } from '../../src/events/columns.ts'
import { tap } from '../../src/layers/tap.ts'
import { isOnRecord, tapOf, unknownBytes } from '../../src/layers/tap-state.ts'
import { loadWorld, saveWorld, stateHashText } from '../../src/volume/snapshot.ts'
import { checked } from '../support/checked.ts'
import {
  backup,
  block,
  breaks,
  close,
  crash,
  discard,
  failed,
  flush,
  given,
  lost,
  passed,
  preserve,
  read,
  refusal,
  refused,
  session,
  stop,
  volume,
  volumeBlocks,
  write,
  zeroes,
} from '../support/given.ts'
import { answers, attach, detach, forwarded, freedAfar, report, tapped } from '../support/given-tap.ts'
import { History, revived } from '../support/history.ts'

const test = suite('tap')

const waiting = ({ world }: History) => [...tapOf(world, 1)!.waiting.keys()]
const known = ({ world }: History) =>
  Array.from({ length: volumeBlocks }, (_, k) =>
    isOnRecord(world, world.volumes[0]!, { offset: k * block, length: block }) ? 1 : 0,
  ).join('')
const none = '0'.repeat(volumeBlocks)

test('a request takes effect with the answer of the far server, not before', () => {
  given(...tapped)
    .when(write(1, { at: 2, count: 2 }))
    .then(forwarded(write(1, { at: 2, count: 2 })))
    .and((history) => assert.is(history.place(1, 2), 0))
    .when(answers())
    .then(report(7), freedAfar(write(1)))
    .and((history) => {
      assert.equal(history.places(1, 5), [0, 0, 1000, 1008, 0])
      assert.equal(waiting(history), [])
    })
})

test('reads, zeros, trims and flushes are forwarded alike', () => {
  for (const asked of [read(1), zeroes(1), discard(1), flush(1)]) {
    given(...tapped)
      .when(asked)
      .then(forwarded(asked))
      .when(answers())
      .then(report(7), freedAfar(asked))
      .and((history) => assert.equal(waiting(history), []))
  }
})

test('answers may come in another order', () => {
  given(...tapped, write(1), write(2, { at: 1 }))
    .when(report(8))
    .then(report(8), freedAfar(write(2)))
    .and((history) => assert.equal([history.place(1, 0), history.place(1, 1)], [0, 2000]))
    .when(report(7))
    .and((history) => assert.equal([history.place(1, 0), history.place(1, 1)], [1000, 2000]))
})

test('a request that the far server refuses has no effect', () => {
  given(...tapped, write(1))
    .when(answers('E_NOSPC'))
    .then(report(7, 'E_NOSPC'), failed(write(1), 'E_NOSPC'))
    .and((history) => {
      assert.is(history.place(1, 0), 0)
      assert.equal(waiting(history), [])
    })
})

test('an answer that nobody waits for is refused', () => {
  given(...tapped, write(1), answers())
    .when(report(7))
    .then(...refusal(report(7), 'E_NOT_ACTIVE'))
    .when(report(3))
    .then(...refusal(report(3), 'E_NOT_ACTIVE'))
})

test('what was written whole is known, what was trimmed or failed is not', () => {
  const part = { ...write(2), offset: block + 512, length: 2 * block }
  given(...tapped)
    .and((history) => assert.is(known(history), none))
    .when(write(1, { at: 4, count: 3 }), answers())
    .and((history) => assert.is(known(history), '0000111000000000'))
    .when(part, answers())
    .and((history) => assert.is(known(history), '0010111000000000'))
    .when(zeroes(3, { at: 8, count: 2 }), answers())
    .and((history) => assert.is(known(history), '0010111011000000'))
    .when(discard(4, { at: 5 }), answers())
    .and((history) => assert.is(known(history), '0010101011000000'))
    .when(write(5, { at: 8 }), answers('E_IO'))
    .and((history) => assert.is(known(history), '0010101001000000'))
    .when(zeroes(6, { at: 9 }), answers('E_UNSUPPORTED'), read(7, { at: 4 }), answers('E_IO'))
    .and((history) => {
      assert.is(known(history), '0010101001000000', 'a fast zero that was not done changed nothing')
      assert.is(unknownBytes(history.world, 1), 12 * block)
    })
})

test('where the old content was copied first all is known until something is trimmed or lost', () => {
  given(volume('disk'), session(), attach(1, true))
    .and((history) => assert.is(unknownBytes(history.world, 1), 0))
    .when(discard(1, { at: 3 }), answers(), write(2, { at: 5 }), answers('E_IO'))
    .and((history) => assert.is(known(history), '1110101111111111'))
    .when(write(3, { at: 3 }), answers())
    .and((history) => assert.is(known(history), '1111101111111111'))
})

test('a tap that ends loses what waits and refuses what comes, until the recorder starts anew', () => {
  given(...tapped, write(1), read(2, { at: 3 }))
    .when(detach('E_TAP_ENDED'))
    .then(detach('E_TAP_ENDED'), lost(write(1), 'E_TAP_ENDED'), lost(read(2), 'E_TAP_ENDED'), {
      kind: 'tap.detached',
      volume: 1,
      code: 'E_TAP_ENDED',
    })
    .when(write(3))
    .then(refused(write(3), 'E_TAP_ENDED'))
    .when(flush(4))
    .then(refused(flush(4), 'E_TAP_ENDED'))
    .when(detach())
    .then(...refusal(detach(), 'E_NOT_ACTIVE'))
    .when(crash, session(), write(5, { session: 2 }))
    .then(passed(write(5, { session: 2 })))
})

test('a crash loses what waits, whose blocks nobody knows then', () => {
  given(...tapped, write(1, { count: 2 }), answers(), write(2, { at: 1 }), flush(3))
    .when(crash)
    .and((history) => {
      const ends = history.ledger.from(8).filter(({ kind }) => kind === 'io.lost')
      assert.equal(
        ends.map(({ code, about }) => [about, code]),
        [
          [10, 'E_CRASH'],
          [11, 'E_CRASH'],
        ],
      )
      assert.is(known(history), '1000000000000000')
    })
})

test('a host that leaves does not take back what it asked', () => {
  given(...tapped, write(1), close())
    .and((history) => assert.equal(waiting(history), [7]))
    .when(answers())
    .and((history) => assert.is(history.place(1, 0), 1000))
})

test('a backup holds writes before they are forwarded', () => {
  given(...tapped, backup('b'), write(1))
    .and((history) => assert.equal(waiting(history), []))
    .when(read(2, { at: 1 }))
    .then(forwarded(read(2, { at: 1 })))
    .when(answers(), stop('b'))
    .and((history) => {
      const released = history.ledger.from(1).find(({ kind }) => kind === 'hold.released')
      assert.is(released?.fate, 'forwarded')
      assert.equal(waiting(history).length, 1)
    })
    .when(answers())
    .and((history) => assert.is(history.place(1, 0), 1000))
})

test('no session of a tapped volume is sent to a view of it: the far server has its content', () => {
  const rebind: NewEvent = { kind: 'session.rebind', session: 1, detail: { from: 1, to: 2 } }
  given(...tapped, preserve('view', 1))
    .when(rebind)
    .then(...refusal(rebind, 'E_TAPPED'))
})

test('a tap is of a volume as long as the far disk', () => {
  const short = { ...attach(), detail: { uri: 'nbd://far', size: block, copied: false } }
  given(volume('disk'), session())
    .when(short)
    .then(...refusal(short, 'E_SIZE'))
  given(volume('disk'), session())
    .when(attach(2))
    .then(...refusal(attach(2), 'E_NO_VOLUME'))
})

test('a history that breaks the rules is found', () => {
  const begun = () => {
    const history = new History()
    for (const step of tapped) history.enter(step)
    return history
  }
  breaks('T-I1', () =>
    begun().plant({ ...freedAfar(write(1)), volume: 1, about: 5, length: block, payload: 8 }),
  )
  breaks('T-I2', () => begun().plant({ ...passed(write(1)) }))
  breaks('T-I1', () => begun().plant({ kind: 'tap.detached', volume: 2 }))
  const twice = begun()
  twice.enter(write(1))
  breaks('T-I1', () => twice.plant({ kind: 'tap.detached', volume: 1 }))
  const never = new History()
  for (const step of [volume('disk'), session()]) never.enter(step)
  breaks('T-I1', () => never.plant(forwarded(write(1))))
})

test('an overlapping write that overtakes another is found', () => {
  const check = checked()
  const history = new History(check)
  for (const step of [...tapped, write(1), write(2), report(8), report(7)]) history.enter(step)
  history.end()
  assert.ok(check.findings.some(({ rule, seq }) => rule === 'G-I5' && seq === 10))
})

test('requests that wait at the end are no finding, and a checkpoint has them', () => {
  const check = checked()
  const history = new History(check)
  for (const step of [...tapped, write(1), answers, write(2, { at: 1 }), flush(3)]) {
    if (typeof step === 'function') step()(history)
    else history.enter(step)
  }
  history.end()
  assert.equal(check.findings, [])
  const loaded = loadWorld(saveWorld(history.world))
  assert.is(stateHashText(loaded), stateHashText(history.world))
  assert.is(stateHashText(revived(history).world), stateHashText(history.world))
  assert.equal([...tapOf(loaded, 1)!.waiting.keys()], waiting(history))
  assert.equal(tap.load(undefined).byVolume.size, 0, 'a state older than taps')
})

test('whatever happens, the record decides again to the same, and the known blocks are those of a plain count', () => {
  void fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(9), fc.nat(15), fc.nat(3), fc.boolean()), { maxLength: 60 }),
      (steps) => {
        const check = checked()
        const history = new History(check)
        for (const step of tapped) history.enter(step)
        const counted = new Set<number>()
        let host = 1
        for (const [k, [what, at, more, last]] of steps.entries()) {
          const count = Math.min(1 + more, volumeBlocks - at)
          const place = { at, count, session: host }
          const [io] = last ? waiting(history).slice(-1) : waiting(history)
          const one = io === undefined ? undefined : tapOf(history.world, 1)!.waiting.get(io)!
          const over = [...(tapOf(history.world, 1)?.waiting.values() ?? [])].some(
            ({ offset, length }) => offset < (at + count) * block && at * block < offset + length,
          )
          if (what < 4 && !over) history.enter([write, zeroes, discard, read][what]!(k + 1, place))
          else if (what === 4) history.enter(flush(k + 1, { session: host }))
          else if (one === undefined) continue
          else if (what < 9) {
            const code = what === 8 ? 'E_IO' : 'ok'
            history.enter(report(one.io, code))
            for (let b = one.offset / block; b < (one.offset + one.length) / block; b++) {
              if (code === 'ok' && (one.op === 'write' || one.op === 'zeroes')) counted.add(b)
              else if (one.op !== 'read' && one.op !== 'flush') counted.delete(b)
            }
          } else if (more === 0) {
            for (const { op, offset, length } of tapOf(history.world, 1)!.waiting.values()) {
              if (op === 'read' || op === 'flush') continue
              for (let b = offset / block; b < (offset + length) / block; b++) counted.delete(b)
            }
            crash(history)
            history.enter(session())
            host = history.world.sessionsOpened
            break
          }
        }
        history.end()
        assert.equal(check.findings, [])
        const bits = Array.from({ length: volumeBlocks }, (_, b) => (counted.has(b) ? 1 : 0)).join('')
        assert.is(known(history), bits)
        assert.is(stateHashText(revived(history).world), stateHashText(history.world))
        assert.is(stateHashText(loadWorld(saveWorld(history.world))), stateHashText(history.world))
      },
    ),
    { numRuns: 300 },
  )
})

test.run()
