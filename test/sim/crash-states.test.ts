/** The legal crash states of somebody's writes, held against all of them counted out by hand on a tiny disk. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CrashOptions } from '../../src/sim/crash-sample.ts'
import { type CrashState, crashStates } from '../../src/sim/crash-states.ts'
import type { DiskOperation } from '../../src/sim/disk-operation.ts'

const test = suite('crash states')
const size = 8 * 4096

function write(block: number, fill: number, fua = false): DiskOperation {
  return { op: 'write', offset: block * 4096, data: new Uint8Array(4096).fill(fill), fua }
}

const flush: DiskOperation = { op: 'flush' }
const fills = (image: Uint8Array) => Array.from({ length: 4 }, (_, k) => image[k * 4096]!)
/** What is in the first bytes of the blocks, of writes that are not torn. */
const imagesOf = (history: readonly DiskOperation[], options: CrashOptions = {}) =>
  new Set(
    [...crashStates(history, { torn: false, ...options })].map((state) => fills(state.image(size)).join(' ')),
  )

test('what was flushed is there, of the rest any part', () => {
  const images = imagesOf([write(0, 1), flush, write(1, 2), write(2, 3)])
  assert.equal([...images].sort(), ['0 0 0 0', '1 0 0 0', '1 0 3 0', '1 2 0 0', '1 2 3 0'])
})

test('in order of the writes where that is asked for', () => {
  const images = imagesOf([write(1, 2), write(2, 3)], { order: 'prefix' })
  assert.equal([...images].sort(), ['0 0 0 0', '0 2 0 0', '0 2 3 0'])
})

test('FUA makes its own write durable once it is answered, and no other', () => {
  const states = [...crashStates([write(0, 1), write(1, 2, true)], { torn: false })]
  const at = (answered: number) =>
    states
      .filter((state) => state.after === 2 && state.answered.size === answered)
      .map((state) => fills(state.image(size)).join(' '))
      .sort()
  assert.equal(at(1), ['0 0 0 0', '0 2 0 0', '1 0 0 0', '1 2 0 0'])
  assert.equal(at(2), ['0 2 0 0', '1 2 0 0'])
})

/** Sectors of 512 bytes at the start of the disk, as `-` or as the letter that was written. */
function sectors(state: CrashState, count: number): string {
  const image = state.image(size)
  return Array.from({ length: count }, (_, k) => String.fromCharCode(image[k * 512] || 45)).join('')
}
const letters = (letter: string, offset: number, length: number, fua = false): DiskOperation => ({
  ...{ op: 'write', offset, fua },
  data: new Uint8Array(length).fill(letter.charCodeAt(0)),
})
const kinds = (history: readonly DiskOperation[], count: number, options: CrashOptions = {}) =>
  [...new Set([...crashStates(history, options)].map((state) => sectors(state, count)))].sort()

test('a FUA write that is in flight may be torn', () => {
  assert.equal(kinds([letters('a', 0, 1024, true)], 2), ['--', '-a', 'a-', 'aa'])
})

test('of writes in flight any sectors survive', () => {
  const history = [letters('a', 0, 1024), letters('b', 1024, 512)]
  assert.equal(kinds(history, 3), ['---', '--b', '-a-', '-ab', 'a--', 'a-b', 'aa-', 'aab'])
})

test('a write that begins inside a sector of the disk leaves no half sector', () => {
  for (const state of crashStates([letters('a', 256, 1024)])) {
    const bytes = [...state.image(1536)].map((byte) => (byte === 0 ? '-' : 'a')).join('')
    for (const [from, to] of [
      [256, 512],
      [512, 1024],
      [1024, 1280],
    ] as const)
      assert.match(bytes.slice(from, to), /^(-+|a+)$/)
  }
})

test('a flush covers what was answered before it was asked', () => {
  const early: DiskOperation[] = [
    { ...letters('a', 0, 512), answered: 2 },
    flush,
    letters('b', 512, 512, true),
  ]
  assert.ok(kinds(early, 2).includes('-b'))
  assert.not.ok(kinds([letters('a', 0, 512), flush, letters('b', 512, 512, true)], 2).includes('-b'))
})

test('it is said whether all states were given, and a sample is bounded and drawn by its seed', () => {
  const history = [letters('a', 0, 16384), letters('b', 16384, 16384)]
  const given = (options: CrashOptions) => {
    const shown: string[] = []
    const all = crashStates(history, options)
    for (let next = all.next(); ; next = all.next()) {
      if (next.done === true) return { shown, ...next.value }
      assert.is(next.value.exhaustive, false)
      shown.push(sectors(next.value, 64))
    }
  }
  const first = given({ limit: 100, seed: 7 })
  assert.is(first.sampled, first.moments)
  assert.is(first.states, first.moments * 100)
  assert.equal(given({ limit: 100, seed: 7 }).shown, first.shown)
  assert.not.equal(given({ limit: 100, seed: 8 }).shown, first.shown)
  assert.ok(first.shown.includes('-'.repeat(32) + 'b'.repeat(32)))
  assert.ok([...crashStates(history, { torn: false })].every(({ exhaustive }) => exhaustive))
})

test('a state says what is missing', () => {
  const texts = [...crashStates([letters('a', 0, 1024)])].map(({ text }) => text)
  assert.equal(texts.slice(0, 4), [
    'power fails after operation 0 was asked (no answer to 0): write 0 is lost',
    'power fails after operation 0 was asked (no answer to 0): write 0 lacks sectors 1',
    'power fails after operation 0 was asked (no answer to 0): write 0 lacks sectors 0',
    'power fails after operation 0 was asked (no answer to 0): nothing is lost',
  ])
})

test('a history that makes no sense is refused', () => {
  assert.throws(
    () => crashStates([{ ...letters('a', 0, 512), answered: 0 }]).next(),
    /answered before it is asked/,
  )
  assert.throws(() => crashStates([letters('a', -1, 512)]).next(), /offset -1/)
})

const sector = 2
const disk = 6

/** A history on a disk of three sectors of two bytes each: whose bytes are theirs by their place in it. */
const histories = fc
  .array(
    fc.record({
      kind: fc.constantFrom('write', 'write', 'fua', 'zeroes', 'flush'),
      offset: fc.nat(disk - 1),
      length: fc.integer({ min: 1, max: 4 }),
      late: fc.constantFrom(0, 0, 1, 2, Number.POSITIVE_INFINITY),
    }),
    { maxLength: 4 },
  )
  .map((asked) =>
    asked.map(({ kind, offset, length, late }, index): DiskOperation => {
      const answered = Math.min(index + 1 + late, late === Number.POSITIVE_INFINITY ? late : asked.length)
      if (kind === 'flush') return { op: 'flush', answered }
      const fits = Math.min(length, disk - offset)
      if (kind === 'zeroes') return { op: 'zeroes', offset, length: fits, answered }
      return {
        op: 'write',
        offset,
        data: new Uint8Array(fits).fill(index + 1),
        fua: kind === 'fua',
        answered,
      }
    }),
  )

/** All orders of all choices of a list. */
function* arrangements(list: readonly number[]): Generator<number[]> {
  yield []
  for (const [k, first] of list.entries())
    for (const rest of arrangements([...list.slice(0, k), ...list.slice(k + 1)])) yield [first, ...rest]
}

/** What sector `number` may hold, by trying every order in which any of the writes may have reached it. */
function contents(
  history: readonly DiskOperation[],
  after: number,
  upTo: number,
  number: number,
): Set<string> {
  const answered = (index: number) => history[index]!.answered!
  const touching: number[] = []
  const bytesOf = (index: number) => {
    const one = history[index]!
    if (one.op === 'flush') return []
    const length = one.op === 'write' ? one.data.length : one.length
    return [0, 1].map((k) => number * sector + k).filter((at) => at >= one.offset && at < one.offset + length)
  }
  for (let index = 0; index < after; index++) if (bytesOf(index).length > 0) touching.push(index)
  const isDurable = (index: number) => {
    const one = history[index]!
    if (one.op !== 'flush' && one.fua === true && answered(index) <= upTo) return true
    return history.some((other, at) => {
      return other.op === 'flush' && at < after && answered(at) <= upTo && answered(index) <= at
    })
  }
  const isPart = (index: number) => bytesOf(index).length < sector
  /** Two parts of a sector that are both seen are so in the order asked. */
  const isLegal = (order: readonly number[]) =>
    order.every((early, k) =>
      order.slice(k + 1).every((late, gap) => {
        const seen = [early, ...order.slice(k + 1, k + 2 + gap)].every(isPart)
        return answered(late) > early && (!seen || early < late)
      }),
    )
  const found = new Set<string>()
  for (const order of arrangements(touching)) {
    if (touching.some((index) => isDurable(index) && !order.includes(index))) continue
    if (!isLegal(order)) continue
    const bytes = [0, 0]
    for (const index of order) {
      const filled = history[index]!.op === 'write' ? index + 1 : 0
      for (const at of bytesOf(index)) bytes[at - number * sector] = filled
    }
    found.add(bytes.join())
  }
  return found
}

test('the states are those that every order of every choice of sectors leads to, and no others', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const moments = new Map<string, Set<string>>()
      for (const state of crashStates(history, { sector, limit: 100_000 })) {
        assert.is(state.exhaustive, true)
        const key = `${state.after} ${[...state.answered].join()}`
        if (!moments.has(key)) moments.set(key, new Set())
        moments.get(key)!.add(state.image(disk).join())
      }
      let given: Set<string> | undefined
      for (let asked = 0; asked <= history.length; asked++) {
        const after = Math.min(asked + 1, history.length)
        const answers = history.flatMap(({ answered }, k) => (k < after && answered! <= asked ? [k] : []))
        let images = ['']
        for (let number = 0; number < 3; number++) {
          const held = [...contents(history, after, asked, number)]
          images = images.flatMap((image) =>
            held.map((content) => (image === '' ? content : `${image},${content}`)),
          )
        }
        given = moments.get(`${after} ${answers.join()}`) ?? given
        assert.equal([...given!].sort(), [...new Set(images)].sort())
      }
    }),
    { numRuns: 400 },
  )
})

test('a sample has legal states only', () => {
  fc.assert(
    fc.property(
      histories,
      fc.constantFrom('any' as const, 'prefix' as const),
      fc.boolean(),
      (history, order, torn) => {
        const images = (options: CrashOptions) =>
          [...crashStates(history, { sector, ...options })].map((state) => {
            return `${state.after} ${state.answered.size} ${state.image(disk).join()}`
          })
        const legal = new Set(images({ limit: 100_000 }))
        for (const one of images({ limit: 3, order, torn })) assert.ok(legal.has(one), one)
      },
    ),
    { numRuns: 300 },
  )
})

test.run()
