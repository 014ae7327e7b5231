/**
 * A process with several writers is killed (SIGKILL) at random moments, ten times on one journal; and what counts its
 * promises can tell a lost, a torn and an invented block.
 */

// limit: 240 s

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng } from '../../src/core/prng.ts'
import { faultsOf, killOne, Told } from '../../tools/kills/round.ts'
import { stamped } from '../../tools/kills/stamp.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('killed writers')
const folder = temporaryFolder()
test.after(() => folder.remove())

test('killed ten times: what was acknowledged is there, nothing else is', async () => {
  const path = folder.fresh('killed')
  const told = new Told()
  const random = new Prng(11)
  for (let k = 0; k < 10; k++) {
    await killOne(path, told, { ready: k % 4 !== 3, ms: 10 + random.below(250) })
    assert.equal(await faultsOf(path, told), [], `after kill ${k + 1}`)
  }
  assert.ok(told.acknowledged > 50, `only ${told.acknowledged} writes were acknowledged`)
  const more = new Told()
  for (const line of ['s 3 2 999999', 'a 3 2 999999']) more.take(line)
  assert.match((await faultsOf(path, more)).join(), /block 3 holds.*block 4 holds/)
  assert.ok(readdirSync(join(path, 'payload')).length > 1, 'long writes are in segments')
})

test('a block that is older than acknowledged, torn, or of nobody is a fault', () => {
  const told = new Told()
  for (const line of ['s 1 1 5', 'a 1 1 5', 's 1 1 6', 's 2 1 7']) told.take(line)
  assert.match(told.fault(1, stamped(4)) ?? '', 'block 1 holds 4, 5 was acknowledged')
  assert.match(told.fault(1, stamped(7)) ?? '', 'nobody wrote 7')
  const torn = stamped(5)
  torn.set(stamped(6).subarray(0, 512))
  assert.is(told.fault(1, torn), 'block 1 is torn')
  assert.is(told.fault(1, stamped(6)), undefined)
  assert.match(told.fault(1, stamped(5)) ?? '', 'block 1 holds 5, 6 was acknowledged', 'what was seen stays')
  assert.is(told.fault(2, stamped(0)), undefined)
  assert.is(told.fault(9, stamped(0)), undefined)
})

test.run()
