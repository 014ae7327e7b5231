/** A checkpoint that the disk does not read: found by the simulator, as an opening that failed without a code. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { readCheckpoint, writeCheckpoint } from '../../src/journal/checkpoints.ts'
import { tables } from '../../src/journal/keys.ts'
import type { KvStore } from '../../src/journal/store.ts'
import { Disk } from '../../src/sim/disk.ts'
import { FaultyLevel } from '../../src/sim/faulty-level.ts'

const test = suite('a checkpoint that is not read')

for (const [what, table] of [
  ['list', tables.checkpoint],
  ['part', tables.part],
] as const) {
  test(`its ${what} meets an error of the disk: that is said with a code and what to do`, async () => {
    const disk = new Disk()
    const frameHash = new Uint8Array(32)
    const checkpoint = { seq: 7, frameHash, stateLow: 1, stateHigh: 2, parts: [Uint8Array.of(1, 2, 3)] }
    await writeCheckpoint(new FaultyLevel(disk) as unknown as KvStore, checkpoint)
    const fault = ({ key }: { readonly key?: Uint8Array }) => (key?.[0] === table ? 'refused' : undefined)
    const store = new FaultyLevel(disk, { fault }) as unknown as KvStore
    try {
      await readCheckpoint(store, 9, async () => true)
      assert.unreachable('the read fails')
    } catch (error) {
      assert.ok(error instanceof BlockboxError)
      assert.is(error.code, 'JOURNAL_IN_DOUBT')
      assert.match(error.message, /EIO.*open the journal again/)
    }
    const sound = await readCheckpoint(new FaultyLevel(disk) as unknown as KvStore, 9, async () => true)
    const parts = sound?.parts.map((part) => new Uint8Array(part))
    assert.equal({ ...sound, parts }, checkpoint)
  })
}

test.run()
