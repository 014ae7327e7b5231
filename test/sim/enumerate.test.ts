/** Every deed of the small world, with a crash at each disk write and a second one in the recovery. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { enumerateCrashes } from '../../src/sim/enumerate.ts'
import { FaultyLevel } from '../../src/sim/faulty-level.ts'
import { Files } from '../../src/sim/files.ts'
import { deeds } from '../../src/sim/small-world.ts'

const test = suite('crash enumeration')

test('one deed: no crash loses, invents or halves anything', async () => {
  const { sequences, crashes, findings } = await enumerateCrashes({ most: 1 })
  assert.equal(findings, [])
  assert.is(sequences, deeds.length)
  assert.ok(crashes > 4 * deeds.length)
})

test('two deeds around a restore, a hold and a view', async () => {
  const names = ['restore.start', 'a copy ends', 'write one block', 'backup.start', 'preserve.create']
  const among = deeds.filter(({ name }) => names.includes(name))
  const { sequences, findings } = await enumerateCrashes({ most: 2, among })
  assert.equal(findings, [])
  assert.is(sequences, 5 + 25)
})

test('a store that does not sync is found', async () => {
  const sound = Object.getOwnPropertyDescriptor(FaultyLevel.prototype, '_put')!
  const { value: put } = sound as { value: (key: Uint8Array, bytes: Uint8Array, options: object) => unknown }
  Object.defineProperty(FaultyLevel.prototype, '_put', {
    ...sound,
    value(key: Uint8Array, bytes: Uint8Array) {
      return put.call(this, key, bytes, { sync: false })
    },
  })
  try {
    const among = deeds.filter(({ name }) => name === 'write one block' || name === 'backup.start')
    const { findings } = await enumerateCrashes({ most: 2, among })
    assert.ok(findings.length > 0)
  } finally {
    Object.defineProperty(FaultyLevel.prototype, '_put', sound)
  }
})

test('segments whose data, or whose names, are not synced are found', async () => {
  for (const forgotten of ['sync', 'syncNames', 'syncOwnName'] as const) {
    const sound = Object.getOwnPropertyDescriptor(Files.prototype, forgotten)!
    Object.defineProperty(Files.prototype, forgotten, { ...sound, value: () => undefined })
    try {
      const among = deeds.filter(({ name }) => name === 'write one block')
      const { findings } = await enumerateCrashes({ most: 1, among })
      assert.is(findings[0]?.rule, 'payload', forgotten)
    } finally {
      Object.defineProperty(Files.prototype, forgotten, sound)
    }
  }
})

test.run()
