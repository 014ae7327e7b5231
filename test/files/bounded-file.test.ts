/** Files that somebody names are read up to a bound, whatever they are; and no further. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readBounded } from '../../src/files/bounded-file.ts'
import { readHeads, readKey } from '../../tools/kept-heads.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'

const test = suite('bounded files')
const folder = temporaryFolder()
test.after(() => folder.remove())

const root = folder.fresh('files')
mkdirSync(root)

test('up to the bound it is read whole, behind it refused', async () => {
  const path = join(root, 'a')
  for (const bytes of [0, 1, 65_535, 65_536, 65_537, 100_000]) {
    writeFileSync(path, Buffer.alloc(bytes, 7))
    assert.is(readBounded(path, bytes).compare(Buffer.alloc(bytes, 7)), 0)
    if (bytes > 0)
      assert.match((await fails('USAGE', () => readBounded(path, bytes - 1))).message, 'more than')
  }
})

test('a device without an end is refused, a folder and what is not there too', async () => {
  assert.match((await fails('USAGE', () => readBounded('/dev/zero', 100_000))).message, 'more than')
  await fails('USAGE', () => readBounded(root, 10))
  await fails('USAGE', () => readBounded(join(root, 'none'), 10))
})

test('a pipe is read', () => {
  const script = `
    const { readBounded } = await import(${JSON.stringify(new URL('../../src/files/bounded-file.js', import.meta.url).href)})
    console.log(readBounded('/dev/stdin', 100).toString())`
  const piped = 'printf "a token" | "$0" --input-type=module -e "$1"'
  const { stdout } = spawnSync('sh', ['-c', piped, process.execPath, script], { encoding: 'utf8' })
  assert.is(stdout, 'a token\n')
})

test('heads and keys that are longer than any', async () => {
  const path = join(root, 'long')
  writeFileSync(path, '')
  truncateSync(path, 2 ** 31)
  await fails('USAGE', () => readHeads(path))
  await fails('USAGE', () => readKey(path, 'public'))
})

test.run()
