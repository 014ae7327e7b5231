/** What is decided while a frame is in flight: what each answer waits for, and how far the state may be ahead. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { turn } from '../support/run.ts'
import { onDisk, stateOf } from '../support/slow-disk.ts'

const test = suite('in flight')

test('what arrives while a frame is in flight is decided at once, and waits for no more than it has to', async () => {
  const { run, slow } = await onDisk()
  await run.io('io.write', { at: 7, fill: 4 })
  const before = run.engine.durableSeq
  slow.hold()
  const first = run.io('io.write', { at: 1, fill: 5 })
  await turn()
  const [elsewhere, there] = [run.io('io.read', { at: 7 }), run.io('io.read', { at: 1 })]
  assert.equal([await stateOf(elsewhere), await stateOf(there)], ['ok', 'waits'])
  assert.is((await elsewhere)!.data![0], 4)
  const second = run.io('io.write', { at: 2, fill: 6 })
  assert.is(await stateOf(second), 'waits')
  assert.is(run.engine.world.seq, (before ?? 0) + 4, 'all of it is decided')
  assert.is(run.engine.durableSeq, undefined)
  const mapped = run.engine.look((world) => world.volumes[0]!.map.mapped)
  assert.is(await Promise.race([mapped, turn().then(() => 'waits')]), 'waits')
  slow.open()
  assert.is(await mapped, 3)
  assert.equal([await stateOf(first), await stateOf(there), await stateOf(second)], ['ok', 'ok', 'ok'])
  assert.is((await there)!.data![0], 5)
})

test('buffered: a write is answered while another frame is in flight, and no more than a frame ahead', async () => {
  const { run, slow } = await onDisk({ ack: 'buffered' })
  slow.hold()
  assert.is(await stateOf(run.io('io.write', { at: 1 })), 'ok')
  assert.is(await stateOf(run.io('io.write', { at: 2, fill: 9 })), 'ok')
  assert.is((await run.io('io.read', { at: 2 }))!.data![0], 9)
  const flush = run.io('io.flush')
  assert.is(await stateOf(flush), 'waits')
  for (let k = 0; k < 1021; k++) run.post('io.write', { at: 3 })
  assert.is(await stateOf(run.io('io.write', { at: 4 })), 'waits')
  slow.open()
  assert.is(await stateOf(flush), 'ok')
  await run.settled()
  assert.equal(run.errors, [])
})

test.run()
