/** Processes that race to open one journal: one has it, the others end with 11; a lock left by a dead one opens. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createVolume, type Serving, serveProgram } from '../../support/serve-program.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('races')
const folder = scratch()

test('three at once: exactly one has it, the others exit with 11; killed, its lock keeps nobody out', async () => {
  const journal = join(folder, 'race.journal')
  await createVolume(journal, 'disk', '--size', '1M')
  for (let round = 0; round < 3; round++) {
    const racing = [0, 1, 2].map((k) =>
      serveProgram(['-j', journal, '--socket', join(folder, `${round}-${k}.sock`)]),
    )
    const ended = await Promise.allSettled(racing)
    const winners = ended.filter((one): one is PromiseFulfilledResult<Serving> => one.status === 'fulfilled')
    const losers = ended.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
    for (const { value } of winners) assert.is(await value.end('SIGKILL'), 'SIGKILL')
    assert.is(winners.length, 1, losers.join())
    for (const loser of losers) assert.match(loser, /serve ended with 11: .*in use by another process/)
    assert.ok(existsSync(join(journal, 'db', 'LOCK')), 'the lock is still there')
    assert.is((await blockbox(['info', '-j', journal])).code, 0)
    assert.equal((await json('verify', '-j', journal)).findings, [])
  }
})

test.run()
