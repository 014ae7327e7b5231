/**
 * What hosts ask by chance: every operation, on whole blocks and on parts of them, overlapping, with FUA and metadata
 * flags, on volumes and views, and now and then a request that makes no sense.
 */

import { syntheticContent } from '../core/prng.ts'
import type { IoAsk } from '../engine/ask.ts'
import { flag, type IoKind } from '../events/kind.ts'
import type { World } from '../layers/layer.ts'
import type { Dice } from './dice.ts'

/** Volumes larger than this are there for long payloads. */
const largeBytes = 2 ** 16

const operations: readonly [IoKind, ...IoKind[]] = [
  ...(['io.write', 'io.write', 'io.write', 'io.write', 'io.read', 'io.read', 'io.read'] as const),
  ...(['io.zeroes', 'io.discard', 'io.flush'] as const),
]

/** The bytes of write number `request` at an offset: each sector says who wrote it, and where. */
export function stamped(request: number, offset: number, length: number): Uint8Array {
  const from = Math.floor(offset / 512) * 512
  const to = Math.ceil((offset + length) / 512) * 512
  const sectors = syntheticContent({ seed: 1, volume: 0, offset: from, version: request }, to - from)
  return sectors.subarray(offset - from, offset - from + length)
}

/** A request of a host. `request` is its number, unlike any other's. */
export function ioByChance(dice: Dice, world: World, request: number): IoAsk {
  const session = dice.pick([...world.sessions.keys()]) ?? 1
  const there = world.volumes.filter(({ gone }) => !gone)
  const hot = there.slice(0, 2)
  const volume = dice.once(2) ? dice.pick(hot) : dice.pick(there)
  const kind = dice.of(...operations)
  const flags = (dice.once(6) ? flag.meta : 0) | (dice.once(8) ? flag.fua : 0)
  const asked = { kind, session, volume: volume?.id ?? 1, request, flags }
  if (kind === 'io.flush') return asked
  if (volume === undefined || dice.once(60)) return nonsense(dice, asked)
  const { size, block } = volume
  const blocks = size / block
  const at = dice.below(blocks)
  const count = 1 + dice.below(Math.min(blocks - at, dice.once(size > largeBytes ? 2 : 4) ? blocks : 3))
  const range = { offset: at * block, length: count * block }
  const { offset, length } = dice.once(3) ? part(dice, range) : range
  if (kind === 'io.read') return { ...asked, offset, length, lend: dice.once(2) }
  if (kind !== 'io.write') return { ...asked, offset, length }
  return { ...asked, offset, data: stamped(request, offset, length) }
}

function part(dice: Dice, { offset, length }: { offset: number; length: number }) {
  const from = dice.below(length)
  return { offset: offset + from, length: 1 + dice.below(length - from) }
}

function nonsense(dice: Dice, asked: IoAsk): IoAsk {
  const data = asked.kind === 'io.write' ? { data: new Uint8Array(512) } : { length: 512 }
  const wrong: readonly [Partial<IoAsk>, ...Partial<IoAsk>[]] = [
    { volume: 999, offset: 0 },
    { session: 999, offset: 0 },
    { offset: 2 ** 52 },
    { offset: -512 },
    { offset: Number.MAX_SAFE_INTEGER },
  ]
  return { ...asked, ...data, ...dice.of(...wrong) }
}
