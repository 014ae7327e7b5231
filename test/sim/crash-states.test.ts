/** The legal crash states of somebody's writes; a small log with and without its flush, on a volume of the recorder. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../src/core/digest.ts'
import { flag } from '../../src/events/kind.ts'
import { crashHistory } from '../../src/sim/crash-history.ts'
import { crashStates, type DiskOperation } from '../../src/sim/crash-states.ts'
import { startRun } from '../support/run.ts'

const test = suite('crash states')
const size = 8 * 4096

function write(block: number, fill: number, fua = false): DiskOperation {
  return { op: 'write', offset: block * 4096, data: new Uint8Array(4096).fill(fill), fua }
}

const fills = (image: Uint8Array) => Array.from({ length: 4 }, (_, k) => image[k * 4096]!)
const imagesOf = (history: readonly DiskOperation[], options = {}) =>
  [...crashStates(history, options)].map((state) => fills(state.image(size)).join(' '))

test('what was flushed is there, of the rest any part', () => {
  const images = new Set(imagesOf([write(0, 1), { op: 'flush' }, write(1, 2), write(2, 3)]))
  assert.equal([...images].sort(), ['0 0 0 0', '1 0 0 0', '1 0 3 0', '1 2 0 0', '1 2 3 0'])
})

test('in order of the writes where that is asked for', () => {
  const images = new Set(imagesOf([write(1, 2), write(2, 3)], { order: 'prefix' }))
  assert.equal([...images].sort(), ['0 0 0 0', '0 2 0 0', '0 2 3 0'])
})

test('FUA makes its own write durable, and no other', () => {
  const last = [...crashStates([write(0, 1), write(1, 2, true)])].filter(({ after }) => after === 2)
  assert.equal(last.map((state) => fills(state.image(size)).join(' ')).sort(), ['0 2 0 0', '1 2 0 0'])
})

test('a torn write is there up to a sector', () => {
  const torn = [...crashStates([write(0, 7)], { torn: true })].filter(({ text }) => text.includes('torn'))
  assert.is(torn.length, 7)
  for (const [k, state] of torn.entries()) {
    const image = state.image(size)
    assert.is(image.indexOf(0), (k + 1) * 512)
  }
})

test('a flush never loses anything, whatever is chosen', () => {
  const operation = fc.oneof(
    fc.record({ block: fc.nat(3), fill: fc.integer({ min: 1, max: 9 }), fua: fc.boolean() }),
    fc.constant('flush' as const),
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 7 }), (operations) => {
      const history = operations.map(
        (one): DiskOperation => (one === 'flush' ? { op: 'flush' } : write(one.block, one.fill, one.fua)),
      )
      for (const state of crashStates(history, { limit: 64 })) {
        const flushed = history.slice(0, state.after).findLastIndex(({ op }) => op === 'flush')
        const there = new Set(state.survivors.map(({ index }) => index))
        for (let k = 0; k < state.after; k++) {
          const one = history[k]!
          if (one.op !== 'flush' && (k < flushed || one.fua === true)) assert.ok(there.has(k))
        }
      }
    }),
  )
})

/** Somebody's storage code: a record, then a header that says it counts; `flushes` between the two, or not. */
async function toyLog(flushes: boolean): Promise<DiskOperation[]> {
  const run = await startRun()
  const volume = await run.volume('disk', 8)
  const session = await run.must('session.open', { name: 'toy' })
  const to = { volume, session }
  const record = new Uint8Array(4096).fill(5)
  await run.engine.submit({ kind: 'io.write', ...to, offset: 4096, data: record })
  if (flushes) await run.engine.submit({ kind: 'io.flush', ...to })
  const header = new Uint8Array(4096)
  header.set(sha256(record), 0)
  await run.engine.submit({ kind: 'io.write', ...to, offset: 0, data: header, flags: flag.fua })
  await run.settled()
  return crashHistory(run.opened.journal, run.opened.payload, volume)
}

/** True when a header that is there names the record that is there. */
function isSound(image: Uint8Array): boolean {
  const header = image.subarray(0, 32)
  return header.every((byte) => byte === 0) || hex(header) === hex(sha256(image.subarray(4096, 8192)))
}

test('a log that forgets its flush is found out, one that has it is not', async () => {
  const broken = async (flushes: boolean) => {
    const states = [...crashStates(await toyLog(flushes), { torn: true })]
    return states.filter((state) => !isSound(state.image(size))).map(({ text }) => text)
  }
  assert.equal(await broken(true), [])
  assert.ok((await broken(false)).length > 0)
})

test.run()
