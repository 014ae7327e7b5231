/** Idempotency keys as the askers of an engine see them: in flight, across a restart, on record. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import type { CommandAsk } from '../../src/engine/ask.ts'
import { replay } from '../../src/replay/replay.ts'
import { blockBytes, startRun } from '../support/run.ts'

const test = suite('keys of commands')

const create = (name: string, key: string): CommandAsk => ({
  kind: 'volume.create',
  key,
  detail: { name, size: 4 * blockBytes, block: blockBytes },
})

test('a repetition gets the answer of the first, asked in the same breath or after a restart', async () => {
  const run = await startRun()
  const [one, two] = await Promise.all([
    run.engine.submit(create('a', 'k1')),
    run.engine.submit(create('a', 'k1')),
  ])
  assert.equal([one.code, one.made, one.repeats], ['ok', 1, undefined])
  assert.equal([two.code, two.made, two.repeats], ['ok', 1, one.seq])
  assert.ok(two.seq > one.seq, 'the repetition is on record itself')
  await run.engine.close()

  const again = await startRun({ on: run.opened })
  const three = await again.engine.submit(create('a', 'k1'))
  assert.equal([three.code, three.made, three.repeats], ['ok', 1, one.seq])
  const other = await again.engine.submit(create('b', 'k1'))
  assert.equal([other.code, other.made], ['E_KEY_USED', 0])
  assert.is(again.engine.world.volumes.length, 1)
  assert.equal((await replay(again.opened.journal, { checks })).findings, [])
})

test('what is no key, and a key for what takes none, is turned away without a record', async () => {
  const { engine } = await startRun()
  const wrong: CommandAsk[] = [
    create('a', ''),
    create('a', 'two words'),
    create('a', 'x'.repeat(129)),
    { kind: 'run.end', key: 'k', detail: { scenario: 's' } },
  ]
  const before = engine.world.seq
  for (const ask of wrong) {
    try {
      await engine.submit(ask)
      assert.unreachable(`${ask.kind} with key ${ask.key}`)
    } catch (error) {
      assert.is((error as { code?: string }).code, 'USAGE')
    }
  }
  assert.is(engine.world.seq, before)
})

test.run()
