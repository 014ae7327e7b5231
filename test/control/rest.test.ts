/** Waiting for the end of what a command began: nobody is told of an end that a power cut could take back. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decided, until } from '../../src/control/rest.ts'
import type { World } from '../../src/layers/layer.ts'
import { turn } from '../support/run.ts'
import { onDisk } from '../support/slow-disk.ts'

const test = suite('rest')
const never = new AbortController().signal
const isMapped = ({ volumes }: World) => volumes[0]!.map.mapped > 0

/** What became of a wait so far. */
async function soFar(wait: Promise<unknown>): Promise<string> {
  const told = wait.then(
    () => 'told',
    (error: Error) => error.message,
  )
  await turn()
  await turn()
  return Promise.race([told, turn().then(() => 'waits')])
}

test('what was decided is waited for until it is durable; who only asks again need not', async () => {
  const { run, slow } = await onDisk()
  slow.hold()
  run.post('io.write', { at: 1 })
  await turn()
  assert.ok(isMapped(run.engine.world), 'decided, and in flight')
  const wait = until(run.engine, isMapped, never)
  assert.is(await soFar(decided(run.engine, isMapped, never)), 'told')
  assert.is(await soFar(wait), 'waits')
  slow.open()
  assert.is(await soFar(wait), 'told')
  assert.is(run.engine.durableSeq, run.engine.world.seq)
})

test('what was decided and could not be written is not told: the wait ends with the reason', async () => {
  const { run, slow } = await onDisk()
  slow.hold()
  run.post('io.write', { at: 1 })
  await turn()
  const wait = until(run.engine, isMapped, never)
  slow.fail(new Error('no such disk'))
  slow.open()
  assert.match(await soFar(wait), /store failed|in doubt/)
  assert.match(await soFar(until(run.engine, isMapped, never)), /store failed|in doubt/)
})

test('an engine that is closed, and a signal, end the wait', async () => {
  const { run } = await onDisk()
  const leave = new AbortController()
  const [wait, left] = [
    until(run.engine, isMapped, never),
    until(run.engine, isMapped, leave.signal),
  ] as const
  leave.abort(new Error('gone'))
  assert.is(await soFar(left), 'gone')
  assert.is(await soFar(wait), 'waits')
  await run.engine.close()
  assert.is(await soFar(wait), 'told')
})

test.run()
