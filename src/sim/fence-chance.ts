/** What owners of fences and data movers ask by chance. */

import type { Range } from '../core/range.ts'
import type { CommandAsk } from '../engine/ask.ts'
import { moverTarget } from '../layers/fence-mover.ts'
import { type Fence, fencesOf } from '../layers/fence-state.ts'
import type { World } from '../layers/layer.ts'
import type { Dice } from './dice.ts'
import { stamped } from './io-chance.ts'

const verbs = ['operate', 'operate', 'finish', 'finish', 'lower', 'lower', 'lower', 'abort', 'force'] as const

/** A command about a fence, or the next report of a mover. */
export function fenceByChance(dice: Dice, world: World): CommandAsk {
  const one = dice.pick([...fencesOf(world).byTag.values()])
  const someone = dice.pick([...world.sessions.keys()]) ?? 1
  if (one === undefined || dice.once(8)) return raise(dice, someone, world.volumes[0]?.block ?? 512)
  const session = dice.once(10) ? someone : one.owner
  const detail = { name: one.name }
  if (!world.sessions.has(one.owner) && dice.once(2))
    return { kind: 'fence.takeover', session: someone, detail }
  if (one.phase === 'stuck' && dice.once(3)) return { kind: 'fence.force', session, detail }
  switch (dice.below(12)) {
    case 0:
      return { kind: 'fence.takeover', session: someone, detail }
    case 1:
      return { kind: 'fence.fail', session, code: 'E_IO', detail }
    case 2:
    case 3: {
      const { offset } = one.meta.ranges[0]!
      const at = dice.once(6) ? offset + one.block / 2 : offset
      const data = stamped(world.seq, at, one.block)
      return { kind: 'fence.update', session, offset: at, data, detail }
    }
    case 4:
    case 5:
    case 6: {
      if (one.mover?.running === true)
        return moved(dice, one, world) ?? { kind: 'fence.finish', session, detail }
      const digest = dice.of('d0', 'd1')
      const asked = { fence: one.name, image: 'image', digest, size: one.size, controlBytes: 100 }
      return { kind: 'mover.request', session, detail: asked }
    }
    case 7:
      return moved(dice, one, world) ?? { kind: `fence.${dice.of(...verbs)}`, session, detail }
    default:
      return { kind: `fence.${dice.of(...verbs)}`, session, detail }
  }
}

/** What the mover of one of the fences reports next, if one is at work; now and then what it should not. */
export function moverByChance(dice: Dice, world: World): CommandAsk | undefined {
  const fences = [...fencesOf(world).byTag.values()]
  const one = dice.pick(fences.filter(({ mover }) => mover?.running === true)) ?? dice.pick(fences)
  return one === undefined ? undefined : dice.once(8) ? wrong(dice, one, world) : moved(dice, one, world)
}

/** The next report of the mover that works behind a fence, if one does. */
function moved(dice: Dice, one: Fence, world: World): CommandAsk | undefined {
  const { mover, block } = one
  if (mover?.running !== true || (one.phase !== 'restoring' && one.phase !== 'operating')) return undefined
  const next = moverTarget(one).from(mover.sent)
  if (next !== undefined) {
    const most = (1 + dice.below(8)) * block
    return reportOf(one, { offset: next.offset, length: Math.min(next.length, most) }, world)
  }
  if (one.phase !== 'operating') return undefined
  return { kind: 'mover.report', tag: one.tag, detail: { done: true, controlBytes: 50 } }
}

/** A report that comes twice, too early or too late, is too long, of half a block, or of a mover that gave up. */
function wrong(dice: Dice, one: Fence, world: World): CommandAsk {
  const { tag, block, size, mover } = one
  const detail = { done: false, controlBytes: 0 }
  const at = mover === undefined ? 0 : (moverTarget(one).from(mover.sent)?.offset ?? 0)
  switch (dice.below(6)) {
    case 0:
      return reportOf(one, { offset: Math.max(0, at - block), length: block }, world)
    case 1:
      return reportOf(one, { offset: at + block, length: block }, world)
    case 2:
      return reportOf(one, { offset: at, length: size + block }, world)
    case 3:
      return reportOf(one, { offset: at + block / 2, length: 2 * block }, world)
    case 4:
      return { kind: 'mover.report', tag, detail: { done: true, controlBytes: 50 } }
    default:
      if (dice.once(4)) return { kind: 'mover.report', tag, code: 'E_IO', detail }
      return reportOf({ ...one, tag: Math.max(1, tag - 1) }, { offset: at, length: block }, world)
  }
}

function reportOf({ tag }: Fence, { offset, length }: Range, world: World): CommandAsk {
  const data = stamped(world.seq, offset, length)
  return { kind: 'mover.report', tag, offset, data, detail: { done: false, controlBytes: 0 } }
}

function raise(dice: Dice, session: number, block: number): CommandAsk {
  const first = dice.below(5)
  const meta = [first, first + 1 + dice.below(2)]
  const ranges = (blocks: readonly number[]) => blocks.flatMap((at) => [at * block, block])
  const covered = dice.once(2) ? [first, 5 + dice.below(3)] : []
  const detail = {
    name: dice.of('f', 'g', 'h'),
    meta: ranges(meta),
    covered: ranges(covered),
    full: covered.length === 0,
    advisory: dice.once(3),
    metaFirst: dice.once(4),
    last: dice.pick(meta)! * block,
    deadlineMs: dice.of(0, 0, 50),
  }
  return { kind: 'fence.raise', session, volume: dice.of(1, 1, 1, 2, 4, 5), detail }
}
