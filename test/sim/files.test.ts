/** What a power cut leaves of simulated files: synced bytes under synced names always, of the rest a first part. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { allLost, type FileLoss, Files } from '../../src/sim/files.ts'

const test = suite('files under test')

/** Files with two segments whose names are durable. */
function named(): Files {
  const files = new Files()
  files.make()
  files.syncOwnName()
  for (const segment of [1, 2]) files.create(segment)
  files.syncNames()
  return files
}

const all = (files: Files, segment: number) => [...files.read(segment, 0, files.size(segment))]

interface Written {
  readonly segment: number
  readonly at: number
  readonly bytes: Uint8Array
  isDurable: boolean
  isForsaken: boolean
}

/** A file made of nothing but the writes that survive, in order: what the real one must be. */
function rebuilt(writes: readonly Written[], segment: number, { kept, torn }: FileLoss): number[] {
  const file: number[] = []
  let loose = 0
  for (const { at, bytes, isDurable, segment: own } of writes) {
    const index = isDurable ? -1 : loose++
    const half = index === kept ? torn : undefined
    if (own !== segment || (index >= kept && half === undefined)) continue
    const length = half === undefined || half.zeros ? bytes.length : half.bytes
    for (let k = 0; k < length; k++) {
      while (file.length <= at + k) file.push(0)
      if (half === undefined || k < half.bytes) file[at + k] = bytes[k]!
    }
  }
  return file
}

const step = fc.record({
  segment: fc.constantFrom(1, 2),
  at: fc.nat(12),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }),
  next: fc.constantFrom('nothing', 'sync', 'fail', 'lie'),
})

for (const appends of [true, false]) {
  test(`files that are ${appends ? 'appended to' : 'written over'} are what survives, in order`, () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 25 }),
        fc.nat(10),
        fc.option(fc.record({ bytes: fc.nat(8), zeros: fc.boolean() })),
        (steps, kept, torn) => {
          const files = named()
          const writes: Written[] = []
          const promises: Written[] = []
          for (const { segment, at: anywhere, bytes, next } of steps) {
            const at = appends ? files.size(segment) : anywhere
            files.write(segment, at, bytes)
            writes.push({ segment, at, bytes, isDurable: false, isForsaken: false })
            const own = writes.filter((one) => one.segment === segment && !one.isDurable)
            if (next === 'sync') {
              files.sync(segment)
              for (const one of own) one.isDurable = !one.isForsaken
            } else if (next === 'fail' && appends) {
              files.forsake(segment)
              for (const one of own) one.isForsaken = true
            } else if (next === 'lie') {
              files.lie(segment)
              promises.push(...own)
            }
          }
          const loose = writes.filter(({ isDurable }) => !isDurable)
          assert.is(files.unsynced, loose.length)
          const half = loose[kept]
          const isTorn = torn !== null && half !== undefined
          const bytes = Math.min(torn?.bytes ?? 0, half?.bytes.length ?? 0)
          const loss = { kept, nameless: true, ...(isTorn && { torn: { bytes, zeros: torn.zeros } }) }
          const expected = [1, 2].map((segment) => rebuilt(writes, segment, loss))
          const broken = promises.some((one) => !one.isDurable && loose.indexOf(one) >= kept)
          assert.is(files.fork().powerLoss(loss), broken)
          files.powerLoss(loss)
          assert.equal(
            [1, 2].map((segment) => all(files, segment)),
            expected,
          )
          files.powerLoss(allLost)
          assert.equal(
            [1, 2].map((segment) => all(files, segment)),
            expected,
          )
        },
      ),
    )
  })
}

test('a name is lost until it is synced, with all that is synced in the file, and with the folder every file', () => {
  for (const own of [false, true]) {
    for (const names of [false, true]) {
      const files = new Files()
      files.make()
      if (own) files.syncOwnName()
      files.create(1)
      if (names) files.syncNames()
      files.write(1, 0, Uint8Array.of(5))
      files.sync(1)
      assert.is(files.hasLooseName, !own || !names)
      const lucky = files.fork()
      assert.is(lucky.powerLoss({ kept: 0, nameless: false }), false)
      assert.equal(all(lucky, 1), [5])
      assert.is(files.powerLoss(allLost), false)
      assert.equal(files.numbers(), own ? (names ? [1] : []) : undefined)
    }
  }
})

test('a name that somebody believes in is a broken promise when it is gone', () => {
  const files = new Files()
  files.make()
  files.syncOwnName()
  files.create(1)
  files.syncNames('promised')
  assert.ok(files.isBelieved)
  assert.is(files.powerLoss(allLost), true)
  assert.equal(files.numbers(), [])
})

test('all that a power cut may leave is gone through: each number of writes, torn both ways, names or none', () => {
  const files = named()
  files.create(3)
  files.write(3, 0, Uint8Array.of(1, 2, 3, 4))
  files.write(3, 4, Uint8Array.of(5, 6))
  const found = new Set<string>()
  for (const loss of files.losses()) {
    const left = files.fork()
    left.powerLoss(loss)
    found.add(left.has(3) ? all(left, 3).join('') : 'gone')
  }
  assert.equal([...found].sort(), ['', '12', '1200', '1234', '12345', '123450', '123456', 'gone'])
})

test('a fork goes its own way', () => {
  const files = named()
  files.write(1, 0, Uint8Array.of(1))
  const fork = files.fork()
  fork.write(1, 0, Uint8Array.of(2))
  fork.create(9)
  files.flip(1, 0, 7)
  assert.equal([all(files, 1), all(fork, 1), files.has(9)], [[129], [2], false])
})

test.run()
