/**
 * The block index: it says what listening to the whole history says, however it was made, and is never believed about a
 * journal it was not made for.
 */

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerBlock } from '../../src/block-index/block-answer.ts'
import { BlockIndex } from '../../src/block-index/block-index.ts'
import { SegmentDamaged } from '../../src/block-index/segment.ts'
import { hex, sha256 } from '../../src/core/digest.ts'
import { Prng } from '../../src/core/prng.ts'
import { blockSteps, relatedVolumes } from '../../src/inspect/block-history.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { observe } from '../../src/replay/observe.ts'
import { branchesMade } from '../support/branching.ts'
import { act, prepare, restoring } from '../support/busy.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'
import { Listener, most } from '../support/listener.ts'
import { type Run, startRun } from '../support/run.ts'

const test = suite('block index')

const temporary = temporaryFolder()
test.after(() => temporary.remove())

/** A busy time, the same for the same seed. */
async function busy(seed: number, steps = 150): Promise<Run> {
  const run = await startRun({ checkpointEvery: 60 })
  await prepare(run)
  const random = new Prng(seed)
  for (let step = 0; step < steps; step++) await act(run, random.below(1_000_000))
  await run.settled()
  return run
}

/** Holds every block of an index against what listening to the journal says; returns how many steps there were. */
async function compare(journal: Journal, index: BlockIndex): Promise<number> {
  const listener = new Listener()
  await observe(journal, [listener])
  let steps = 0
  for (let volume = 1; volume <= listener.seen.at(-1)!.length; volume++) {
    for (let block = 0; block < most; block++) {
      const touches = index.touches(relatedVolumes(index.roster, volume), block)
      const told = blockSteps(index.roster, volume, touches, index.begins)
      assert.equal(told, blockSteps(listener.roster, volume, listener.of(volume, block)))
      steps += told.length
    }
  }
  return steps
}

test('it says what listening says, in one segment or in many', async () => {
  for (const [seed, segmentEvents] of [
    [1, 1_000_000],
    [2, 16],
    [3, 1],
  ] as const) {
    const { journal } = (await busy(seed)).opened
    const folder = temporary.fresh('index')
    const index = await BlockIndex.open(journal, { folder, segmentEvents })
    assert.ok((await compare(journal, index)) > 100)
    assert.is(index.added, journal.bounds().last)
    const again = await BlockIndex.open(journal, { folder, segmentEvents })
    assert.is(again.added, 0)
    assert.is(readdirSync(folder).length > 5, segmentEvents < 100)
    await compare(journal, again)
  }
})

test('it goes on where it ended, whatever was going on then', async () => {
  const run = await startRun({ checkpointEvery: 50 })
  const { journal } = run.opened
  const folder = temporary.fresh('index')
  await prepare(run)
  await restoring(run)
  const random = new Prng(5)
  let index = await BlockIndex.open(journal, { folder, segmentEvents: 64 })
  for (let round = 0; round < 12; round++) {
    for (let step = 0; step < 15; step++) await act(run, random.below(1_000_000))
    await run.settled()
    const before = index.added
    index = await BlockIndex.open(journal, { folder, segmentEvents: 64 })
    assert.ok(index.added < journal.bounds().last && before > 0)
  }
  assert.ok((await compare(journal, index)) > 200)
})

test('a branch has what it was made of, from the events that say so', async () => {
  const run = await busy(13, 60)
  const { journal } = run.opened
  const { engine } = run
  const { size, id } = engine.world.volumes[0]!
  const detail = { name: 'branch', from: id, seq: engine.world.seq, size }
  const made = await run.must('volume.branch', detail)
  await branchesMade(engine)
  await run.io('io.write', { volume: made, at: 1, session: [...engine.world.sessions.keys()][0]! })
  await run.settled()
  const folder = temporary.fresh('index')
  const index = await BlockIndex.open(journal, { folder, segmentEvents: 32 })
  assert.ok((await compare(journal, index)) > 50)
  const kinds = new Set<string>()
  for (let block = 0; block < most; block++) {
    const touches = index.touches(relatedVolumes(index.roster, made), block)
    for (const { seq } of blockSteps(index.roster, made, touches, index.begins)) {
      for await (const frame of journal.read(seq, seq)) {
        const row = frame.open()
        row.index = seq - frame.first
        kinds.add(row.kind)
      }
    }
  }
  assert.equal([...kinds].sort(), ['branch.report', 'io.write'])
})

test('one of another journal is thrown away, also when it is the same but for its end', async () => {
  const folder = temporary.fresh('index')
  const one = (await busy(7)).opened.journal
  const other = (await busy(8)).opened.journal
  await BlockIndex.open(one, { folder, segmentEvents: 32 })
  const index = await BlockIndex.open(other, { folder, segmentEvents: 32 })
  assert.is(index.added, other.bounds().last)
  await compare(other, index)

  const long = await busy(9, 60)
  await BlockIndex.open(long.opened.journal, { folder, segmentEvents: 32 })
  const end = long.opened.journal.bounds().last
  const twin = await busy(9, 60)
  assert.is(twin.opened.journal.bounds().last, end)
  for (const fill of [1, 2]) {
    const run = fill === 1 ? long : twin
    run.post('io.write', { at: 3, fill })
    await run.settled()
  }
  await BlockIndex.open(long.opened.journal, { folder, segmentEvents: 32 })
  const parted = await BlockIndex.open(twin.opened.journal, { folder, segmentEvents: 32 })
  assert.ok(parted.added > 0, 'the segment that ends with a frame of the other is not believed')
  await compare(twin.opened.journal, parted)
})

test('what is damaged, missing or unfinished is made again', async () => {
  const { journal } = (await busy(11)).opened
  const folder = temporary.fresh('index')
  const open = () => BlockIndex.open(journal, { folder, segmentEvents: 40 })
  await open()
  const names = readdirSync(folder).sort()
  const at = (k: number) => join(folder, names[k]!)
  const harms: (() => void)[] = [
    () => rmSync(at(2)),
    () => writeFileSync(at(1), readFileSync(at(1)).subarray(0, 90)),
    () => writeFileSync(at(0), ''),
    () => flip(at(3), 50),
    () => flip(at(3), 110),
    () => writeFileSync(`${at(1)}.new`, 'half'),
    () => rmSync(folder, { recursive: true }),
  ]
  for (const harm of harms) {
    harm()
    await compare(journal, await open())
    assert.equal(readdirSync(folder).sort().slice(0, 4), names.slice(0, 4))
  }
  const index = await open()
  flip(at(1), readFileSync(at(1)).length - 3000)
  let caught = 0
  for (let block = 0; block < most; block++) {
    for (const volume of [1, 2, 3]) {
      try {
        index.touches([volume], block)
      } catch (error) {
        assert.instance(error, SegmentDamaged)
        caught++
      }
    }
  }
  assert.ok(caught > 0, 'a damaged page is never believed')
})

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at]! ^= 4
  writeFileSync(path, bytes)
}

test('a journal that gave up its beginning is indexed from there, with what was there before', async () => {
  const run = await startRun({ checkpointEvery: 40 })
  await prepare(run)
  await restoring(run)
  for (let k = 0; k < 60; k++) {
    run.post('io.write', { at: 12 + (k % 3) })
    await run.settled()
  }
  await run.settled()
  const { journal } = run.opened
  const { seq } = (await journal.checkpoint())!
  const all = await BlockIndex.open(journal, { folder: temporary.fresh('index') })
  const folder = temporary.fresh('index')
  await BlockIndex.open(journal, { folder })
  await journal.truncateBefore(seq)
  const first = journal.bounds().first
  assert.ok(first > 40, `the journal begins with event ${first}`)
  const index = await BlockIndex.open(journal, { folder })
  assert.is(index.begins, first - 1)
  for (let volume = 1; volume <= 3; volume++) {
    for (let block = 0; block < 16; block++) {
      const steps = (one: BlockIndex) =>
        blockSteps(one.roster, volume, one.touches(relatedVolumes(one.roster, volume), block), one.begins)
      const later = steps(all).filter((step) => step.seq >= first)
      assert.equal(
        steps(index).filter(({ what }) => what !== 'there'),
        later,
        `block ${block} of ${volume}`,
      )
    }
  }
})

/** What is told of a block full of one byte. */
function digestOf(fill: number): string {
  return hex(sha256(new Uint8Array(4096).fill(fill))).slice(0, 16)
}

test('an answer names who wrote, what was there before and after, and which image answered', async () => {
  const run = await startRun()
  await prepare(run)
  await run.io('io.write', { at: 5, fill: 7 })
  await run.io('io.write', { at: 4, count: 4, fill: 9 })
  await run.io('io.zeroes', { at: 5 })
  await run.io('io.read', { at: 4, count: 2 })
  await run.settled()
  const { journal, payload } = run.opened
  const index = await BlockIndex.open(journal, { folder: temporary.fresh('index') })
  const question = { volume: 1, block: 5, limit: 4 }
  const { records, steps, reads } = await answerBlock(index, { journal, payload }, question)
  assert.equal([steps, reads], [5, 1])
  const told = records.map(({ by, host, before, after, differs }) => [
    by,
    host,
    before.digest,
    after.digest,
    differs,
  ])
  const nines = digestOf(9)
  assert.equal(told, [
    ['write by host', 'host', told[0]![2], digestOf(7), true],
    ['write by host', 'host', digestOf(7), nines, true],
    ['zeroes by host', 'host', nines, 'zeros', true],
    ['read by host', 'host', 'zeros', 'zeros', false],
  ])
  const until = await answerBlock(index, { journal, payload }, { volume: 1, block: 5, to: records[0]!.seq })
  assert.is(until.records.at(-1)!.seq, records[0]!.seq)
  assert.is(until.steps, 2)
})

test('zeros are zeros, written or not, and the same bytes again are no difference', async () => {
  const run = await startRun()
  await prepare(run)
  await run.io('io.write', { at: 7, fill: 0 })
  await run.io('io.write', { at: 6, count: 2, fill: 4 })
  await run.io('io.write', { at: 7, fill: 4 })
  await run.settled()
  const { journal, payload } = run.opened
  const index = await BlockIndex.open(journal, { folder: temporary.fresh('index') })
  const { records } = await answerBlock(index, { journal, payload }, { volume: 1, block: 7 })
  assert.equal(
    records.map(({ after, differs }) => [after.digest, differs]),
    [
      ['zeros', false],
      [digestOf(4), true],
      [digestOf(4), false],
    ],
  )
})

test('an index that cannot be written says what to do', async () => {
  const { journal } = (await busy(13, 5)).opened
  const file = temporary.fresh('file')
  writeFileSync(file, '')
  const error = await fails('USAGE', () => BlockIndex.open(journal, { folder: join(file, 'index') }))
  assert.match(error.message, '--index DIR')
})

test.run()
