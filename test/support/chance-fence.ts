/** What happens to fences by chance: raised, used, lowered, given up, taken over; and what movers report. */

import type { Prng } from '../../src/core/prng.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { moverTarget } from '../../src/layers/fence-mover.ts'
import { type Fence, fencesOf } from '../../src/layers/fence-state.ts'
import type { World } from '../../src/layers/layer.ts'
import { block } from './given.ts'
import { asks, awaitedOf, ends, fails, fence, late, raise, update } from './given-fence.ts'
import type { History } from './history.ts'

const verbs = ['operate', 'operate', 'finish', 'finish', 'lower', 'lower', 'lower', 'abort', 'force'] as const

/** The reports that fences wait for, and the next of each mover. */
export function fenceReports(world: World): NewEvent[] {
  const fences = [...fencesOf(world).byTag.values()]
  return [...fences.map(awaitedOf), ...fences.map(moved)].filter((report) => report !== undefined)
}

function moved(one: Fence): NewEvent | undefined {
  const { mover, tag } = one
  if (mover?.running !== true || (one.phase !== 'restoring' && one.phase !== 'operating')) return undefined
  const next = moverTarget(one).from(mover.sent)
  if (next === undefined) return one.phase === 'operating' ? ends(tag) : undefined
  const length = Math.min(next.length, 5 * block)
  const payload = mover.sent % (7 * block) === 0 ? 0 : 200_000 + mover.sent
  return {
    kind: 'mover.report',
    tag,
    offset: next.offset,
    length,
    payload,
    detail: { done: false, controlBytes: 0 },
  }
}

/** The owner of the oldest fence that covers a whole volume; session 1 when there is none. */
export function ownerByChance(world: World): number {
  return [...fencesOf(world).byTag.values()].find(({ full }) => full)?.owner ?? 1
}

/** One command about a fence, most of them sensible for the state they come in. */
export function fenceByChance(random: Prng, history: History): NewEvent {
  const all = [...fencesOf(history.world).byTag.values()]
  const one = all[random.below(Math.max(1, all.length))]
  const sessions = [...history.world.sessions.keys()]
  const someone = sessions[random.below(Math.max(1, sessions.length))] ?? 1
  if (one === undefined || random.below(8) === 0) return raised(random, someone)
  const owner = random.below(10) === 0 ? someone : one.owner
  switch (random.below(12)) {
    case 0:
      return fence('takeover', someone, one.name)
    case 1:
      return late(one.tag, one.name)
    case 2:
      return fails('E_IO', owner, one.name)
    case 3:
    case 4:
      return update(one.meta.ranges[0]!.offset / block, 300_000 + random.below(1000), owner, one.name)
    case 5:
    case 6: {
      const asked = asks(owner, { digest: `d${random.below(2)}`, blocks: one.size / block })
      return { ...asked, detail: { ...asked.detail, fence: one.name } }
    }
    default:
      return fence(verbs[random.below(verbs.length)]!, owner, one.name)
  }
}

function raised(random: Prng, session: number): NewEvent {
  const volume = [1, 1, 1, 2, 4, 5, 6][random.below(7)]!
  const first = random.below(5)
  const meta = [first, first + 1 + random.below(2)]
  const part = random.below(2) === 0 ? { covered: [first, 5 + random.below(3)] } : {}
  const name = ['f', 'g', 'h'][random.below(3)]!
  const flags = { advisory: random.below(3) === 0, metaFirst: random.below(4) === 0 }
  return raise({ name, session, volume, meta, ...part, ...flags, last: meta[random.below(2)]! })
}
