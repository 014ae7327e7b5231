/** The search against what is known of the line it searches, and the changes of content against every image there is. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { imageDigest } from '../../src/images/export.ts'
import { worldAt } from '../../src/replay/at.ts'
import { bisect } from '../../src/replay/bisect.ts'
import { contentChanges, madeAt } from '../../src/replay/content-changes.ts'
import { imageOf } from '../../src/volume/content.ts'
import { act, prepare, restoring } from '../support/busy.ts'
import { startRun } from '../support/run.ts'

const test = suite('bisect')

test('the first bad one is found with as few trials as can be', async () => {
  const line = fc
    .integer({ min: 1, max: 5000 })
    .chain((high) => fc.tuple(fc.constant(high), fc.integer({ min: 1, max: high })))
  await fc.assert(
    fc.asyncProperty(line, async ([high, first]) => {
      const asked: number[] = []
      const found = await bisect(0, high, async (index) => {
        asked.push(index)
        return index >= first ? 'bad' : 'good'
      })
      assert.equal(found, { firstBad: first, lastGood: first - 1 })
      assert.ok(asked.length <= Math.ceil(Math.log2(high)), `${asked.length} trials of ${high}`)
      assert.is(new Set(asked).size, asked.length)
      assert.ok(asked.every((index) => index > 0 && index < high))
    }),
  )
})

test('what cannot be told is gone around, and what is left open is said', async () => {
  const line = fc.integer({ min: 1, max: 60 }).chain((high) =>
    fc.record({
      high: fc.constant(high),
      first: fc.integer({ min: 1, max: high }),
      skipped: fc.uniqueArray(fc.integer({ min: 1, max: high })),
    }),
  )
  await fc.assert(
    fc.asyncProperty(line, async ({ high, first, skipped }) => {
      const skips = (index: number) => skipped.includes(index) && index < high
      const asked = new Set<number>()
      const { firstBad, lastGood } = await bisect(0, high, async (index) => {
        assert.not(asked.has(index))
        asked.add(index)
        return skips(index) ? 'skip' : index >= first ? 'bad' : 'good'
      })
      const told = Array.from({ length: high + 1 }, (_, k) => k).filter((k) => !skips(k))
      assert.is(
        firstBad,
        told.find((k) => k >= first),
      )
      assert.is(
        lastGood,
        told.findLast((k) => k < first),
      )
    }),
  )
})

test('every event after which the image is another one is among the changes, copies and restores included', async () => {
  for (const seed of [1, 2, 3]) {
    const run = await startRun()
    await prepare(run)
    if (seed !== 2) await restoring(run)
    for (let k = 0; k < 60; k++) await act(run, (seed + k * 104_729) % 99_991)
    await run.settled()
    const { journal, payload } = run.opened
    const { last } = journal.bounds()
    const { volumes } = await worldAt(journal, last)
    for (const { id } of volumes.slice(0, 3)) {
      const made = await madeAt(journal, id)
      const changes = await contentChanges(journal, id, made, last)
      let before = ''
      let differ = 0
      for (let seq = made; seq <= last; seq++) {
        const world = await worldAt(journal, seq)
        const volume = world.volumes[id - 1]!
        if (volume.gone === true) break
        const digest = imageDigest(imageOf(world, volume), payload)
        if (before !== '' && digest !== before) {
          differ++
          assert.ok(changes.includes(seq), `volume ${id}: event ${seq} is missing from ${changes.join()}`)
        }
        before = digest
      }
      assert.ok(changes.length >= differ)
      if (id === 1) assert.ok(differ > 5, `${differ} changes`)
    }
  }
})

test.run()
