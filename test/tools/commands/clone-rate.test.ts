/** `blockbox clone sync --rate`: how fast a pair is copied is as it was asked, and on the record. */

import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('clone sync --rate')
const journal = join(scratch(), 'a.journal')

test('a rate is recorded with the start of the copy; none is none', async () => {
  for (const name of ['vol', 'twin']) await json('volume', 'create', name, '--size', '1M', '-j', journal)
  await json('clone', 'create', 'mirror', '--source', 'vol', '--clone', 'twin', '-j', journal)
  await json('clone', 'sync', 'mirror', '--rate', '50', '-j', journal)
  await json('clone', 'fracture', 'mirror', '-j', journal)
  await json('clone', 'sync', 'mirror', '-j', journal)
  const { out } = await blockbox(['log', '-j', journal, '--kind', 'sync.started', '--json'])
  const rates = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).detail?.rate)
  assert.equal(rates, [50, undefined])
  assert.is((await blockbox(['clone', 'sync', 'mirror', '--rate', '0', '-j', journal])).code, 2)
})

test.run()
