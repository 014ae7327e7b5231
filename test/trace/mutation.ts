/** Damage done to traces by a seed: bits, bytes, lengths, order and numbers, as disks, pipes and people do it. */

import type { Prng } from '../../src/core/prng.ts'

type Damage = (bytes: Uint8Array, random: Prng, other: Uint8Array) => Uint8Array

const joined = (...parts: Uint8Array[]) => Uint8Array.from(Buffer.concat(parts))
const encoder = new TextEncoder()

/** Puts `part` in the place of `length` bytes at `at`. */
function spliced(bytes: Uint8Array, at: number, length: number, part: Uint8Array): Uint8Array {
  return joined(bytes.subarray(0, at), part, bytes.subarray(at + length))
}

const somewhere = (bytes: Uint8Array, random: Prng) => random.below(Math.max(1, bytes.length))

const nasty: readonly Uint8Array[] = [
  Uint8Array.of(0),
  Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0xff, 0xff, 0xff, 0x7f),
  Uint8Array.of(0, 0, 0, 0x40),
  Uint8Array.of(0xc3, 0x28, 0xe2, 0x82),
  encoder.encode('\x1b]0;owned\x07\x1b[31m'),
  encoder.encode('\u009b31m\u202e'),
  encoder.encode('\n'),
  encoder.encode('\r\n\n'),
  encoder.encode('"'),
  encoder.encode(','),
  encoder.encode('-1'),
  encoder.encode('1e400'),
  encoder.encode('99999999999999999999'),
  encoder.encode('9'.repeat(400)),
  encoder.encode('18446744073709551616'),
  encoder.encode('0x7fffffffffffffff'),
  encoder.encode('__proto__'),
]

const damages: readonly Damage[] = [
  (bytes, random) => {
    const copy = Uint8Array.from(bytes)
    for (let k = 1 + random.below(8); k > 0; k--) copy[somewhere(copy, random)]! ^= 1 << random.below(8)
    return copy
  },
  (bytes, random) => bytes.slice(0, somewhere(bytes, random)),
  (bytes, random) => bytes.slice(somewhere(bytes, random)),
  (bytes, random) =>
    spliced(bytes, somewhere(bytes, random), random.below(16), nasty[random.below(nasty.length)]!),
  (bytes, random) => spliced(bytes, somewhere(bytes, random), 0, nasty[random.below(nasty.length)]!),
  (bytes, random) => {
    const at = somewhere(bytes, random)
    const width = random.below(2) === 0 ? 4 : 8
    return spliced(bytes, at, width, bytes.slice(at, at + width).reverse())
  },
  (bytes, random) => {
    const at = somewhere(bytes, random)
    const part = bytes.slice(at, at + random.below(300))
    return spliced(bytes, somewhere(bytes, random), 0, part)
  },
  (bytes, random, other) => {
    const at = somewhere(other, random)
    return spliced(
      bytes,
      somewhere(bytes, random),
      random.below(300),
      other.slice(at, at + random.below(300)),
    )
  },
  (bytes, random) =>
    spliced(bytes, somewhere(bytes, random), random.below(64), new Uint8Array(random.below(5000))),
  (bytes, random) => {
    const found = bytes.findIndex((byte, k) => k >= somewhere(bytes, random) && byte >= 48 && byte <= 57)
    return found < 0 ? bytes : spliced(bytes, found, 1, nasty[12 + random.below(6)]!)
  },
]

/** The bytes with one to three kinds of damage; `other` is content of another kind to mix in. */
export function mutated(bytes: Uint8Array, random: Prng, other: Uint8Array): Uint8Array {
  let result = bytes
  for (let k = 1 + random.below(3); k > 0; k--)
    result = damages[random.below(damages.length)]!(result, random, other)
  return result
}
