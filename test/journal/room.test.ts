/** Room: a journal is not opened on a disk that has less free than opening it may write. */

import { statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { openToGoOn } from '../../src/engine/open-folder.ts'
import { hasRoom, wantedBytes } from '../../src/journal/room.ts'
import { temporaryFolder } from '../support/folder.ts'

const test: Test = suite('room for a journal')
const folder = temporaryFolder()
test.after(() => folder.remove())

test('what is wanted grows with what the database would write again', async () => {
  const path = folder.fresh()
  await (await openToGoOn(path, { create: true })).close()
  const least = wantedBytes(path)
  assert.ok(least >= 2 * 2 ** 20 && least < 3 * 2 ** 20, `${least} bytes`)
  assert.ok(hasRoom(path))
  const log = join(path, 'db', '999999.log')
  writeFileSync(log, '')
  truncateSync(log, 12_345)
  assert.is(wantedBytes(path), least + 12_345)
  const { bavail, bsize } = statfsSync(path)
  truncateSync(log, Math.min(2 * bavail * bsize, 2 ** 43))
  assert.is(hasRoom(path), wantedBytes(path) <= bavail * bsize)
  assert.not(hasRoom(path), 'logs that are as long as twice what is free')
})

test('a folder that cannot be asked has none', () => {
  assert.not(hasRoom(join(folder.fresh(), 'none')))
})

test.run()
