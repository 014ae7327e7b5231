/** Points found by the index are those found by reading the journal, with a clock that goes back between two starts. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockIndex } from '../../src/block-index/block-index.ts'
import { indexedSeq } from '../../src/block-index/points.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { type Point, seqOf } from '../../src/replay/point.ts'
import { manualClock } from '../support/clock.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'
import { startRun } from '../support/run.ts'
import { openMemory } from '../support/store.ts'

const test = suite('points in the block index')
const temporary = temporaryFolder()
test.after(() => temporary.remove())

/** Two lives of a journal, the clock of the second behind that of the first, each with marks and writes. */
async function twoLives(): Promise<Journal> {
  const run = await startRun()
  await run.volume('a', 16)
  await run.volume('b', 16)
  await run.must('session.open', { name: 'host' })
  for (let k = 0; k < 60; k++) {
    run.clock.advance(k % 3)
    await run.io('io.write', { at: k % 16, volume: 1 + (k % 2) })
    if (k % 20 === 5) await run.engine.submit({ kind: 'mark', volume: 2, detail: { label: `m${k}` } })
  }
  for (const key of ['a', 'b', 'b'])
    await run.engine.submit({ kind: 'mark', volume: 1, detail: { label: 'm25', key } })
  const refused = await run.engine.submit({ kind: 'mark', volume: 1, detail: { label: 'm45', key: 'a' } })
  assert.is(refused.code, 'E_KEY_USED')
  await run.engine.close()
  const opened = await openMemory({ store: run.opened.store, head: run.opened.head })
  const engine = await openEngine({ ...opened, clock: manualClock() })
  const { made: session } = await engine.submit({ kind: 'session.open', detail: { name: 'late' } })
  for (let k = 0; k < 20; k++) {
    const data = new Uint8Array(4096).fill(k)
    await engine.submit({ kind: 'io.write', session, volume: 1, offset: 0, data })
  }
  await engine.submit({ kind: 'mark', volume: 1, detail: { label: 'm5' } })
  await engine.settled()
  return opened.journal
}

const seqOrError = (asked: Promise<number>) => asked.catch(({ message }: Error) => message)

test('marks and times, at every instant there is and between them, whatever the segments', async () => {
  const journal = await twoLives()
  const instants = new Set<bigint>()
  for await (const frame of journal.read(1)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      const atNs = frame.instantNs + BigInt(row.at)
      for (const near of [-1n, 0n, 1n]) instants.add(atNs + near)
    }
  }
  const points: Point[] = [
    ...[...instants].map((atNs): Point => ({ by: 'time', atNs })),
    ...['m5', 'm25', 'm45'].map((name): Point => ({ by: 'mark', name })),
    { by: 'seq', number: 7 },
    { by: 'last' },
  ]
  assert.ok(points.length > 50)
  for (const segmentEvents of [1_000_000, 40, 1]) {
    const folder = temporary.fresh('index')
    await BlockIndex.open(journal, { folder, segmentEvents })
    const index = await BlockIndex.open(journal, { folder, segmentEvents })
    assert.is(index.added, 0)
    for (const volume of [0, 1, 2]) {
      for (const point of points) {
        const expected = await seqOrError(seqOf(journal, point, volume))
        const found = await seqOrError(index.seqOf(journal, point, volume))
        assert.is(found, expected, `${segmentEvents} ${String(volume)}`)
      }
    }
    await fails('NO_SUCH_POINT', () => index.seqOf(journal, { by: 'mark', name: 'none' }, 1))
  }
})

test('what is found there is not read from the journal: a mark reads nothing, a time the stretch it lies in', async () => {
  const journal = await twoLives()
  const { last } = journal.bounds()
  const reads: [number, number][] = []
  const watched = new Proxy(journal, {
    get(target, name) {
      if (name === 'read') {
        return (from: number, to: number) => {
          reads.push([from, to])
          return target.read(from, to)
        }
      }
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const index = await BlockIndex.open(journal, { folder: temporary.fresh('index'), segmentEvents: 16 })
  await index.seqOf(watched, { by: 'mark', name: 'm45' }, 2)
  assert.equal(reads, [])
  for await (const frame of journal.read(20, 20)) {
    await index.seqOf(watched, { by: 'time', atNs: frame.instantNs }, 1)
  }
  assert.is(reads.length, 1)
  const [[from, to]] = reads as [[number, number]]
  assert.ok(to - from < 32 && to < last, `events ${from} to ${to} of ${last} were read`)
  assert.is(
    await indexedSeq([], journal, { by: 'time', atNs: 0n }, 1),
    last,
    'an index of nothing knows no instant',
  )
})

test.run()
