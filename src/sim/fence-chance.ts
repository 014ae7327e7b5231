/** What owners of fences and data movers ask by chance. */

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
  switch (dice.below(12)) {
    case 0:
      return { kind: 'fence.takeover', session: someone, detail }
    case 1:
      return { kind: 'fence.fail', session, code: 'E_IO', detail }
    case 2:
    case 3: {
      const { offset } = one.meta.ranges[0]!
      const data = stamped(world.seq, offset, one.block)
      return { kind: 'fence.update', session, offset, data, detail }
    }
    case 4: {
      const digest = dice.of('d0', 'd1')
      const asked = { fence: one.name, image: 'image', digest, size: one.size, controlBytes: 100 }
      return { kind: 'mover.request', session, detail: asked }
    }
    case 5:
    case 6:
    case 7:
      return moved(one, world) ?? { kind: `fence.${dice.of(...verbs)}`, session, detail }
    default:
      return { kind: `fence.${dice.of(...verbs)}`, session, detail }
  }
}

/** The next report of the mover that works behind a fence, if one does. */
function moved(one: Fence, world: World): CommandAsk | undefined {
  const { mover, tag, block } = one
  if (mover?.running !== true || (one.phase !== 'restoring' && one.phase !== 'operating')) return undefined
  const next = moverTarget(one).from(mover.sent)
  if (next !== undefined) {
    const length = Math.min(next.length, 5 * block)
    const data = stamped(world.seq, next.offset, length)
    const detail = { done: false, controlBytes: 0 }
    return { kind: 'mover.report', tag, offset: next.offset, data, detail }
  }
  if (one.phase !== 'operating') return undefined
  return { kind: 'mover.report', tag, detail: { done: true, controlBytes: 50 } }
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
