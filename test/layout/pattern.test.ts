/** The fence pattern: readable from any sector of the device, and nothing else is taken for it. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { decodePattern, encodePattern } from '../../src/layout/pattern.ts'

const test = suite('pattern')

const pattern = { fence: 12, owner: 'backup-host', seq: 123_456, saved: 'ab'.repeat(32) }

test('every sector says all of it', () => {
  const bytes = encodePattern(pattern, 8192)
  for (let at = 0; at < 8192; at += 512) assert.equal(decodePattern(bytes, at), pattern)
  assert.match(new TextDecoder().decode(bytes.subarray(0, 200)), /BLOCKBOX FENCE/)
})

test('no sector bears the mark of a boot sector or a superblock', () => {
  const bytes = encodePattern(pattern, 4096)
  assert.is.not(bytes[510]! + bytes[511]! * 256, 0xaa55)
  assert.is.not(bytes[1080]! + bytes[1081]! * 256, 0xef53)
})

test('what is no pattern is none', () => {
  const bytes = encodePattern(pattern, 512)
  assert.is(decodePattern(new Uint8Array(512)), undefined)
  assert.is(decodePattern(bytes.subarray(0, 511)), undefined)
  assert.is(decodePattern(bytes, 1), undefined)
  for (const at of [0, 20, 100, 510, 511]) {
    const damaged = bytes.slice()
    damaged[at] = 1
    assert.is(decodePattern(damaged), undefined, `byte ${at}`)
  }
})

test('an owner whose name has no room is refused', () => {
  assert.throws(() => encodePattern({ ...pattern, owner: 'x'.repeat(600) }, 512), /no room/)
})

test.run()
