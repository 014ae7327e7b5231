/** Images as pieces: bounded, in order, holes left out or filled, and together the content that reads return. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../src/core/digest.ts'
import { imageDigest, imagePieces, mappedBytes, pieceBytes } from '../../src/images/export.ts'
import type { Volume } from '../../src/layers/layer.ts'
import { volumeRecord } from '../../src/layers/volume-record.ts'
import type { PayloadStore } from '../../src/payload/payload.ts'

const test = suite('image export')

const block = 4096
const step = block / 512

/** Payloads of one block each: every byte tells the place. */
const payload: PayloadStore = {
  put: () => 0,
  read(place, length) {
    const bytes = new Uint8Array(length)
    for (let k = 0; k < length / block; k++) bytes.fill((place / step + k) % 251, k * block, (k + 1) * block)
    return bytes
  },
  sync: async () => undefined,
}

function volumeOf(blocks: number): Volume {
  return volumeRecord({ id: 1, name: 'v', size: blocks * block, block })
}

/** What the volume holds, put together from its pieces. */
function assembled(volume: Volume, holes: boolean): Uint8Array {
  const content = new Uint8Array(volume.size)
  let end = 0
  for (const { offset, bytes, hole } of imagePieces(volume, payload, holes)) {
    assert.ok(bytes.length > 0 && bytes.length <= pieceBytes)
    assert.ok(holes ? offset === end : offset >= end && !hole)
    if (hole) assert.not(bytes.some((byte) => byte !== 0))
    content.set(bytes, offset)
    end = offset + bytes.length
  }
  if (holes) assert.is(end, volume.size)
  return content
}

const change = fc.record({
  first: fc.integer({ min: 0, max: 899 }),
  count: fc.integer({ min: 1, max: 300 }),
  place: fc.integer({ min: 0, max: 1000 }),
})

test('property: with and without holes the pieces are the content', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const volume = volumeOf(900)
      const model = new Uint8Array(volume.size)
      for (const { first, count, place } of changes) {
        const blocks = Math.min(count, 900 - first)
        if (place === 0) volume.map.zero(first, blocks)
        else volume.map.write(first, blocks, place * step)
        const bytes =
          place === 0 ? new Uint8Array(blocks * block) : payload.read(place * step, blocks * block)
        model.set(bytes, first * block)
      }
      assert.ok(Buffer.from(assembled(volume, false)).equals(model))
      assert.ok(Buffer.from(assembled(volume, true)).equals(model))
      assert.is(imageDigest(volume, payload), hex(sha256(model)))
    }),
    { numRuns: 60 },
  )
})

test('an empty volume of 16 TiB costs nothing', () => {
  const volume = volumeOf(2 ** 32)
  assert.equal([...imagePieces(volume, payload)], [])
  volume.map.write(2 ** 32 - 1, 1, 7 * step)
  const [piece, ...more] = imagePieces(volume, payload)
  assert.is(piece!.offset, volume.size - block)
  assert.is(more.length, 0)
  assert.is(mappedBytes(volume), block)
})

test.run()
