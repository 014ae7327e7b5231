/** The disk under test is an abstract-level like another one: it passes the suite that comes with abstract-level. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Disk } from '../../src/sim/disk.ts'
import { FaultyLevel } from '../../src/sim/faulty-level.ts'
import { levelSuite } from '../support/level-suite.ts'

const utf8 = { keyEncoding: 'utf8', valueEncoding: 'utf8' }
const shipped = levelSuite('abstract-level, its own suite', (options) => {
  return new FaultyLevel(new Disk(), {}, { ...utf8, ...options } as never)
})
shipped.run()

const test = suite('abstract-level over a disk under test')
const text = (disk: Disk) => new FaultyLevel(disk, {}, utf8 as never) as unknown as TextLevel

interface TextLevel {
  put(key: string, value: string): Promise<void>
  clear(options?: object): Promise<void>
  getMany(keys: string[]): Promise<(string | undefined)[]>
  hasMany(keys: string[]): Promise<boolean[]>
  sublevel(name: string): TextLevel
  keys(): { all(): Promise<string[]> }
}

test('the suite has its hundreds of tests', () => {
  assert.ok(shipped.count() > 500, `${shipped.count()}`)
})

test('many are got and cleared, of a part of it too, and a power cut may take the clearing back', async () => {
  const disk = new Disk()
  const level = text(disk)
  const part = level.sublevel('part')
  for (const key of ['a', 'b', 'c']) await level.put(key, key.toUpperCase())
  await part.put('d', 'D')
  disk.processCrash()
  assert.equal(await level.getMany(['a', 'x']), ['A', undefined])
  assert.equal(await level.hasMany(['a', 'x']), [true, false])
  await level.clear({ gte: 'b' })
  assert.equal(await level.keys().all(), ['!part!d', 'a'])
  await part.clear()
  assert.equal(await level.keys().all(), ['a'])
  disk.powerLoss(1)
  assert.equal(await level.keys().all(), ['!part!d', 'a'])
})

test('what is read is the reader’s own', async () => {
  const level = new FaultyLevel(new Disk())
  const written = Buffer.of(7)
  await level.put(Uint8Array.of(1), written)
  written.fill(0)
  ;(await level.get(Uint8Array.of(1)))!.fill(0)
  for await (const [key, value] of level.iterator()) {
    key.fill(0)
    value.fill(0)
  }
  assert.equal(await level.get(Uint8Array.of(1)), Buffer.of(7))
})

test.run()
