/**
 * Requests of any bytes through the engine and out as a trace: whoever replays the log gets the image, whatever the
 * block of the volume and the sector of the log.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../src/core/digest.ts'
import { Prng } from '../../src/core/prng.ts'
import { imageDigest } from '../../src/images/export.ts'
import { volumeAt } from '../../src/replay/volume-at.ts'
import { convert } from '../../src/run/conversion.ts'
import { exportEvents, exportTally } from '../../src/run/export-run.ts'
import { wholeSectors } from '../../src/run/whole-sectors.ts'
import { traceOutput } from '../../src/trace/output-format.ts'
import { type Run, startRun } from '../support/run.ts'
import { replayedLog } from './replayed-log.ts'

const test = suite('whole sectors')

/** A volume with a clone in step, requests of any bytes on it, and a cut of its end. */
async function ran(seed: number, block: number, steps: number): Promise<{ run: Run; size: number }> {
  const run = await startRun()
  const random = new Prng(seed)
  const size = block * (9 + random.below(24))
  const small = block * (1 + random.below(8))
  await run.must('volume.create', { name: 'v', size, block })
  await run.must('session.open', { name: 'host' })
  for (let k = 1; k <= steps; k++) {
    const kind = (['io.write', 'io.write', 'io.zeroes', 'io.discard', 'io.read'] as const)[random.below(5)]!
    const offset = random.below(size)
    const length = 1 + random.below(Math.min(size - offset, 4 * block))
    const data = Uint8Array.from({ length }, () => 1 + random.below(255))
    const bytes = kind === 'io.write' ? { data } : { length }
    const answer = await run.ask({ kind, session: 1, volume: 1, request: k, offset, ...bytes })
    assert.is(answer?.code, 'ok')
  }
  if (random.below(2) === 0) return { run, size }
  const cut = await run.engine.submit({ kind: 'volume.resize', volume: 1, detail: { size: small } })
  assert.is(cut.code, 'ok')
  return { run, size: small }
}

test('a log of any sector replays to the image', async () => {
  let partial = 0
  const block = fc.constantFrom(512, 4096)
  const sector = fc.constantFrom(512, 1024, 4096, 8192)
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      block,
      sector,
      fc.integer({ min: 1, max: 25 }),
      async (seed, of, unit, steps) => {
        const { run, size } = await ran(seed, of, steps)
        const { journal, payload } = run.opened
        const { volume } = await volumeAt(journal, 'v', { by: 'last' })
        const tally = exportTally()
        const pieces: Uint8Array[] = []
        const events = exportEvents({ journal, payload }, { volume: 1, sector: unit }, tally)
        const output = traceOutput('dm-log-writes')
        const { head, account } = await convert(
          events,
          { output, options: { sector: unit } },
          async (bytes) => {
            pieces.push(bytes.slice())
          },
        )
        const { left_out } = account
        assert.equal(
          Object.keys(left_out).filter((what) => what !== 'read'),
          [],
        )
        const log = Buffer.concat(pieces)
        log.set(head!)
        const room = Math.ceil((32 * of) / unit + 1) * unit
        const replayed = replayedLog(log, room)
        const image = Buffer.alloc(room)
        image.set(await contentOf(run, size))
        assert.is(replayed.imageAfter(replayed.entries), hex(sha256(image)))
        assert.is(hex(sha256(image.subarray(0, size))), await imageDigest(volume, payload))
        partial += tally.partial
      },
    ),
    { numRuns: 60 },
  )
  assert.ok(partial > 100, `${partial} requests covered a sector in part`)
})

/** What a host reads of the whole volume. */
async function contentOf(run: Run, size: number): Promise<Uint8Array> {
  const answer = await run.ask({
    kind: 'io.read',
    session: 1,
    volume: 1,
    request: 9999,
    offset: 0,
    length: size,
  })
  return answer!.data!
}

test('a format that knows any range gets the bytes of the hosts', async () => {
  const { run } = await ran(4, 4096, 20)
  const asked = run.answers.flatMap(({ ask }) => (ask.kind.startsWith('io.') ? [ask] : []))
  const seen: unknown[] = []
  const tally = exportTally()
  for await (const { events } of exportEvents(run.opened, { volume: 1, sector: 1 }, tally)) {
    for (const { op, offset, length } of events) if (op !== 'mark') seen.push([op, offset, length])
  }
  const told = asked.map((ask) => {
    const { kind, offset, length, data } = ask as {
      kind: string
      offset: number
      length?: number
      data?: Uint8Array
    }
    return [kind === 'io.zeroes' ? 'zero' : kind.slice(3), offset, length ?? data!.length]
  })
  assert.equal(seen.slice(0, told.length), told)
  assert.is(tally.partial, 0)
})

test('edges are writes, what lies between them is what it was, and nothing is told twice', () => {
  assert.equal(wholeSectors('zero', { offset: 100, length: 1500 }, 512), [
    { op: 'write', offset: 0, length: 512 },
    { op: 'zero', offset: 512, length: 1024 },
    { op: 'write', offset: 1536, length: 512 },
  ])
  assert.equal(wholeSectors('discard', { offset: 10, length: 20 }, 512), [
    { op: 'write', offset: 0, length: 512 },
  ])
  assert.equal(wholeSectors('discard', { offset: 512, length: 600 }, 512), [
    { op: 'discard', offset: 512, length: 512 },
    { op: 'write', offset: 1024, length: 512 },
  ])
  assert.equal(wholeSectors('write', { offset: 511, length: 2 }, 512), [
    { op: 'write', offset: 0, length: 1024 },
  ])
})

test.run()
