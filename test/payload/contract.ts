/** What every payload store promises. Run by one test file for each adapter. */

import fc from 'fast-check'
import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../src/core/digest.ts'
import { syntheticContent } from '../../src/core/prng.ts'
import { chunkOf, offsetOf } from '../../src/payload/chunk.ts'
import { type PayloadStore, placeUnit } from '../../src/payload/payload.ts'
import { fails } from '../support/frames.ts'

export interface PayloadPlace {
  /** Opens the store there; the one opened before is closed. */
  open(): Promise<PayloadStore>
  /** Makes what was put durable, as the journal does with the next frame. */
  commit(): Promise<void>
  close(): Promise<void>
}

/** Content that its number decides. */
export function contentOf(version: number, length: number): Uint8Array {
  return syntheticContent({ seed: 5, volume: 1, offset: 0, version }, length)
}

export function payloadSuite(name: string, place: () => Promise<PayloadPlace>): Test {
  const test = suite(name)

  test('what is put is read at once, after the commit, and after opening again', async () => {
    const at = await place()
    let store = await at.open()
    const lengths = [512, 4096, 512 * 3, 65_536, 512, 262_144, 4096, 300_032, 512]
    const put = lengths.map((length, k) => ({ k, length, place: store.put(contentOf(k, length)) }))
    const check = () => {
      for (const { k, length, place } of put) {
        assert.is(hex(sha256(store.read(place, length))), hex(sha256(contentOf(k, length))), `payload ${k}`)
      }
    }
    check()
    await at.commit()
    check()
    await at.close()
    store = await at.open()
    check()
    const more = store.put(contentOf(99, 4096))
    assert.ok(put.every(({ place }) => chunkOf(place) < chunkOf(more)))
    check()
    await at.commit()
    check()
    await at.close()
  })

  test('any part of a payload, in whole places, is read by adding to its place', async () => {
    const at = await place()
    const store = await at.open()
    const puts = Array.from({ length: 40 }, (_, k) => {
      const length = placeUnit * (1 + ((k * 7) % 50))
      return { k, length, place: store.put(contentOf(k, length)) }
    })
    const part = fc.tuple(fc.nat(39), fc.nat(), fc.nat(), fc.boolean())
    const property = fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
      for (const [k, from, count, commits] of parts) {
        const { length, place } = puts[k]!
        const units = length / placeUnit
        const first = from % units
        const bytes = placeUnit * (1 + (count % (units - first)))
        const expected = contentOf(k, length).subarray(first * placeUnit, first * placeUnit + bytes)
        assert.is(hex(store.read(place + first, bytes)), hex(expected))
        if (commits) await at.commit()
      }
    })
    await fc.assert(property, { numRuns: 30 })
    await at.close()
  })

  test('no run of places crosses from one payload’s chunk into another', async () => {
    const at = await place()
    const store = await at.open()
    const sizes = [512, 261_632, 512, 1024, 262_144, 512, 2 ** 22, 512]
    const places = sizes.map((length, k) => ({ length, place: store.put(contentOf(k, length)) }))
    for (const { length, place } of places) {
      assert.ok(place > 0)
      const end = place + length / placeUnit - 1
      assert.is(chunkOf(end), chunkOf(place))
      assert.is(offsetOf(end) + placeUnit, offsetOf(place) + length)
    }
    for (const [k, one] of places.entries()) {
      const next = places[k + 1]
      if (next === undefined || chunkOf(next.place) === chunkOf(one.place)) continue
      assert.is.not(one.place + one.length / placeUnit, next.place)
    }
    await at.close()
  })

  test('what is no payload is refused; what is not there is damage', async () => {
    const at = await place()
    const store = await at.open()
    for (const length of [0, 1, 511, 513, 4095]) await fails('USAGE', () => store.put(new Uint8Array(length)))
    const known = store.put(contentOf(1, 4096))
    await at.commit()
    for (const nowhere of [1, 2 ** 20, known + 2 ** 20 * 50, 2 ** 52]) {
      await fails('PAYLOAD_CORRUPT', () => store.read(known === nowhere ? 1 : nowhere, 8192))
    }
    await fails('PAYLOAD_CORRUPT', () => store.read(known, 4096 + 512))
    await fails('PAYLOAD_CORRUPT', () => store.read(known + 8, 512))
    assert.is(store.read(known, 4096).length, 4096)
    await at.close()
  })

  test('the caller may use its bytes again', async () => {
    const at = await place()
    const store = await at.open()
    const bytes = contentOf(1, 4096)
    const known = store.put(bytes)
    bytes.fill(0)
    assert.is(hex(store.read(known, 4096)), hex(contentOf(1, 4096)))
    await at.commit()
    assert.is(hex(store.read(known, 4096)), hex(contentOf(1, 4096)))
    await at.close()
  })

  return test
}
