/** The lines of `npm run canaries`: what is not caught, not there or not planted is said, never left out. */

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { linesOf, type PlantedCanary, parsePlanted } from '../../tools/canaries/row.ts'

const test = suite('canaries tool')

const bird: PlantedCanary = {
  name: 'A-I1: x',
  rows: ['A-I1'],
  planted: 'media',
  caught: true,
  by: 'check A-I1',
}

test('a canary belongs to the row of its rule and to the rows that name it', () => {
  const manifest = [
    { row: 'A-I1', says: 'one' },
    { row: '9: two', says: 'two', by: ['A-I1: x'] },
  ]
  const lines = linesOf(manifest, [bird])
  assert.equal(
    lines.map(({ row, canary }) => [row, canary?.name]),
    [
      ['A-I1', 'A-I1: x'],
      ['9: two', 'A-I1: x'],
    ],
  )
})

test('a row without a canary has a line, and one that names what is not there is not caught', () => {
  const [none, absent] = linesOf(
    [
      { row: 'A-I2', says: 'nothing' },
      { row: 'A-I3', says: 'gone', by: ['A-I3: y'] },
    ],
    [bird],
  )
  assert.is(none!.canary, undefined)
  assert.is(absent!.canary!.caught, false)
})

test('what the planting program prints is read back', () => {
  const line = JSON.stringify({ rule: 'A-I1', what: 'x', planted: 'media', caught: true, by: 'check A-I1' })
  assert.equal(parsePlanted(`a remark\n${line}\n`), [bird])
})

test('a row that does not exist is an error of usage; one that does is proved', () => {
  const tool = fileURLToPath(new URL('../../tools/canaries.js', import.meta.url))
  const run = (...args: string[]) => spawnSync(process.execPath, [tool, ...args], { encoding: 'utf8' })
  assert.is(run('--row', 'Z-I9').status, 2)
  const { status, stdout } = run('--row', 'S3-I14')
  assert.is(status, 0)
  assert.match(
    stdout,
    /S3-I14 +partial write: the protected bit after the acknowledgement +media +check S3-I14/,
  )
  assert.match(stdout, /\n2 of 2 caught\n/)
})

test.run()
