/**
 * Dependencies against a naive oracle that compares every request with every older one that is open, with answers in
 * any order; and that the search does not look at all that is open.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { overlap } from '../../src/core/range.ts'
import { Dependencies, type Dependent } from '../../src/run/dependency.ts'

const test = suite('dependencies')

const unit = 4096
const anyRequest = fc.record({
  op: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('read', 'write') },
    { weight: 1, arbitrary: fc.constantFrom('flush', 'mark') },
  ),
  block: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 4096 })),
  blocks: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant(2048)),
  fua: fc.boolean(),
})

type Given = typeof anyRequest extends fc.Arbitrary<infer T> ? T : never

function dependent({ op, block, blocks, fua }: Given, io: number): Dependent {
  const ranged = op === 'read' || op === 'write'
  const range = ranged ? { offset: block * unit, length: blocks * unit } : { offset: 0, length: 0 }
  return { io, op: op as Dependent['op'], ...range, fua: fua && op === 'write' }
}

/** Whether `later` may not be sent before `older` is answered, as the header of the module says. */
function mustWait(older: Dependent, later: Dependent): boolean {
  if (older.op === 'mark' || later.op === 'mark') return true
  if (later.op === 'flush') return older.op !== 'read'
  if (older.op === 'flush') return later.op === 'write'
  if (older.op === 'write' && older.fua === true && later.op === 'write') return true
  return (older.op === 'write' || later.op === 'write') && overlap(older, later)
}

test('what is ready is what waits for no open request, whatever the order of answers', () => {
  const steps = fc.array(fc.oneof(anyRequest, fc.nat({ max: 1000 })), { minLength: 1, maxLength: 120 })
  fc.assert(
    fc.property(steps, (given) => {
      const dependencies = new Dependencies()
      const open: Dependent[] = []
      const sent: Dependent[] = []
      let io = 0
      for (const step of given) {
        if (typeof step !== 'number') {
          const request = dependent(step, io++)
          dependencies.add(request)
          open.push(request)
        } else if (sent.length > 0 && step % 2 === 0) {
          const [answered] = sent.splice(step % sent.length, 1)
          dependencies.done(answered!.io)
          open.splice(open.indexOf(answered!), 1)
        } else {
          const ready = open.filter(
            (later) =>
              !sent.includes(later) && !open.some((older) => older.io < later.io && mustWait(older, later)),
          )
          assert.is(dependencies.peek(), ready[0]?.io)
          assert.is(dependencies.take(), ready[0]?.io)
          if (ready[0] !== undefined) sent.push(ready[0])
        }
        assert.is(dependencies.waiting, open.length - sent.length)
      }
    }),
    { numRuns: 400 },
  )
})

test('everything is sent in the end, each after all it waits for', () => {
  fc.assert(
    fc.property(fc.array(anyRequest, { maxLength: 80 }), fc.infiniteStream(fc.nat()), (given, chance) => {
      const dependencies = new Dependencies()
      const requests = given.map(dependent)
      for (const request of requests) dependencies.add(request)
      const answered = new Set<number>()
      const sent: number[] = []
      while (answered.size < requests.length) {
        for (let io = dependencies.take(); io !== undefined; io = dependencies.take()) {
          const later = requests[io]!
          for (const older of requests.slice(0, io)) {
            assert.ok(!mustWait(older, later) || answered.has(older.io), `${io} goes before ${older.io}`)
          }
          sent.push(io)
        }
        const [io] = sent.splice(chance.next().value % sent.length, 1)
        dependencies.done(io!)
        answered.add(io!)
      }
      assert.is(dependencies.waiting, 0)
    }),
  )
})

test('a hundred thousand open requests do not slow the next one down', () => {
  const timeOf = (open: number) => {
    const dependencies = new Dependencies()
    for (let io = 0; io < open; io++) dependencies.add({ io, op: 'write', offset: io * 65_536, length: 4096 })
    const began = process.hrtime.bigint()
    for (let k = 0; k < 2000; k++) {
      dependencies.add({ io: open + k, op: 'write', offset: ((k * 7919) % open) * 65_536, length: 4096 })
    }
    return Number(process.hrtime.bigint() - began)
  }
  timeOf(2000)
  const best = (open: number) => Math.min(timeOf(open), timeOf(open), timeOf(open))
  const [few, many] = [best(1000), best(100_000)]
  assert.ok(many < few * 20 + 5e6, `${many} ns with 100 times as many open, ${few} ns before`)
})

test('requests come in order, and only open ones are answered', () => {
  const dependencies = new Dependencies()
  dependencies.add({ io: 5, op: 'read', offset: 0, length: 512 })
  assert.throws(() => dependencies.add({ io: 5, op: 'read', offset: 0, length: 512 }), /comes after 5/)
  assert.throws(() => dependencies.done(4), /is not open/)
})

test.run()
