/** What a read returns, byte by byte, against an array of bytes that every write went to. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readContent } from '../../src/images/content.ts'
import { blockBytes, startRun } from '../support/run.ts'

const test = suite('content')

const blocks = 16
const size = blocks * blockBytes

/** Writes of patterns that no two blocks share, at any block. */
const writes = fc.array(
  fc.record({ at: fc.nat(blocks - 1), count: fc.integer({ min: 1, max: 5 }), seed: fc.nat(250) }),
  { minLength: 1, maxLength: 8 },
)
const reads = fc.array(fc.record({ offset: fc.nat(size - 1), length: fc.integer({ min: 1, max: 20_000 }) }), {
  minLength: 1,
  maxLength: 8,
})

test('a read of any bytes returns what the last writes left there, and zeros where none was', async () => {
  const property = fc.asyncProperty(writes, reads, async (written, asked) => {
    const run = await startRun()
    await run.volume('disk', blocks)
    await run.must('session.open', { name: 'host' })
    const oracle = new Uint8Array(size)
    for (const { at, count, seed } of written) {
      const length = Math.min(count, blocks - at) * blockBytes
      const data = Uint8Array.from(
        { length },
        (_, k) => (seed + 7 * k + 31 * Math.floor(k / blockBytes)) % 251,
      )
      oracle.set(data, at * blockBytes)
      await run.ask({ kind: 'io.write', session: 1, volume: 1, offset: at * blockBytes, data })
    }
    await run.settled()
    const { world } = run.engine
    for (const { offset, length } of asked) {
      const bytes = Math.min(length, size - offset)
      const expected = oracle.subarray(offset, offset + bytes)
      const found = readContent(world, world.volumes[0]!, run.opened.payload, offset, bytes)
      assert.ok(Buffer.from(found).equals(expected), `${bytes} bytes at ${offset}`)
      const answer = await run.ask({ kind: 'io.read', session: 1, volume: 1, offset, length: bytes })
      assert.ok(Buffer.from(answer!.data!).equals(expected), `a read of ${bytes} bytes at ${offset}`)
    }
    await run.engine.close()
  })
  await fc.assert(property, { numRuns: 60, seed: 11 })
})

test.run()
