/** Paces as people write them, schedules that never go back and never add lateness up, quantiles against sorting. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Lateness, paceText, parsePace, Schedule } from '../../src/run/pace.ts'

const test = suite('pace')

test('paces are read and written', () => {
  for (const [text, pace] of [
    ['fast', 0],
    ['recorded', 1],
    ['10x', 10],
    ['0.5x', 0.5],
  ] as const) {
    assert.is(parsePace(text), pace)
    assert.is(paceText(pace), text)
  }
  for (const text of ['', 'x', '0x', '-1x', '1', '1e3x', '99999999x', '0.0000001x', 'Recorded']) {
    assert.is(parsePace(text), undefined, text)
  }
})

test('each request is due at its own time, never before the one before it', () => {
  const times = fc.array(fc.integer({ min: 0, max: 10 ** 12 }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(times, fc.constantFrom(0.5, 1, 3, 1000), (given, pace) => {
      const schedule = new Schedule(pace, 'h')
      let latest = 0
      for (const [index, tNs] of given.entries()) {
        latest = Math.max(latest, tNs / pace)
        assert.is(schedule.dueNs(tNs, index), latest)
      }
    }),
  )
})

test('no time, or silence for more than an hour, is refused with what to do', () => {
  assert.throws(
    () => new Schedule(1, 'h').dueNs(null, 3),
    /host h: event 3 of its trace has no time.*use pace fast/,
  )
  assert.throws(() => new Schedule(1, 'h').dueNs(7200e9, 0), /2.0 hours would pass before event 0.*100x/)
  assert.is(new Schedule(100, 'h').dueNs(7200e9, 0), 72e9)
  assert.is(new Schedule(0, 'h').dueNs(null, 0), 0)
})

test('quantiles are within one bucket of the true ones', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 300 }), (late) => {
      const lateness = new Lateness()
      for (const [k, ns] of late.entries()) lateness.add(k * 1000, k * 1000 + ns)
      const sorted = [...late].sort((a, b) => a - b)
      const { p50Ns, p99Ns, maxNs, requests } = lateness.report()
      assert.is(requests, late.length)
      assert.is(maxNs, sorted.at(-1))
      for (const [part, ns] of [
        [0.5, p50Ns],
        [0.99, p99Ns],
      ] as const) {
        const exact = sorted[Math.ceil(part * late.length) - 1]!
        assert.ok(ns >= exact - 1 && ns <= (exact + 1) * 1.05 + 1, `${part}: ${ns}, sorted ${exact}`)
      }
    }),
  )
})

test('drift is of the whole run: lateness in the middle that was made up for is none', () => {
  const lateness = new Lateness()
  lateness.add(1e9, 1.5e9)
  lateness.add(2e9, 2.001e9)
  const { drift, scheduledNs, tookNs, maxNs } = lateness.report()
  assert.equal([scheduledNs, tookNs, maxNs], [2e9, 2.001e9, 0.5e9])
  assert.ok(Math.abs(drift - 0.0005) < 1e-9)
  assert.is(new Lateness().report().drift, 0)
})

test.run()
