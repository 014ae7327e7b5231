/**
 * Which states of a moment are given: all of them where they are few enough, else those that find most bugs (each
 * prefix of the writes, one write lost, one alone, one torn) and then others by chance, no two alike.
 */

import type { Prng } from '../core/prng.ts'
import type { CrashMoment, Seen } from './crash-moment.ts'

export interface CrashOptions {
  /** `prefix`: of what may be gone all is there up to some write. `any`: any of it (the default). */
  readonly order?: 'prefix' | 'any'
  /** False: a write is there whole or not at all, and those that cover the same bytes land in the order asked. */
  readonly torn?: boolean
  /** Bytes of a sector of the disk; 512 unless told otherwise. */
  readonly sector?: number
  /** All states of a moment are given up to so many, else a sample of so many; 1024 unless told otherwise. */
  readonly limit?: number
  /** Draws the samples. */
  readonly seed?: number
}

export interface CrashSample {
  readonly exhaustive: boolean
  readonly states: Iterable<readonly Seen[]>
}

/** Tells whether a write that may be gone survives in a sector of the disk. */
type Survives = (index: number, sector: number) => boolean

/** The states of a moment, at most `limit`. */
export function crashSample(
  moment: CrashMoment,
  { order = 'any', torn = true, limit }: CrashOptions & { readonly limit: number },
  random: Prng,
): CrashSample {
  const { pending, open } = moment
  const seen = (survives: Survives) => moment.seenWith(survives)
  if (order === 'prefix') {
    const exhaustive = prefixCount(moment, torn) <= limit
    const all = exhaustive
      ? prefixes(moment, torn)
      : sampled(moment, limit, () => anyPrefix(moment, torn, random))
    return { exhaustive, states: unlike(mapped(all, seen), limit) }
  }
  if (!torn) {
    const exhaustive = 2 ** pending.length <= limit
    const all = exhaustive
      ? subsets(pending)
      : sampled(moment, limit, () => inSet(pending.filter(() => random.below(2) === 1)))
    return { exhaustive, states: unlike(mapped(all, seen), limit) }
  }
  const count = open.reduce((product, { choices }) => product * choices.count, 1)
  if (count <= limit) return { exhaustive: true, states: unlike(products(moment, count), limit) }
  const byChance = (): readonly Seen[] =>
    random.below(2) === 1
      ? open.map(({ choices }) => choices.any(random))
      : seen(
          oneTorn(
            moment,
            pending.filter(() => random.below(2) === 1),
            random,
          ),
        )
  const telling = mapped(tellingStates(moment, limit / 2, random), seen)
  return { exhaustive: false, states: unlike(joined(telling, repeated(limit * 4, byChance)), limit) }
}

/** Every combination of what the sectors may hold. */
function* products({ open }: CrashMoment, count: number): Generator<readonly Seen[]> {
  for (let number = 0; number < count; number++) {
    let left = number
    yield open.map(({ choices }) => {
      const seen = choices.at(left % choices.count)
      left = Math.floor(left / choices.count)
      return seen
    })
  }
}

function inSet(writes: readonly number[]): Survives {
  const set = new Set(writes)
  return (index) => set.has(index)
}

function* subsets(pending: readonly number[]): Generator<Survives> {
  for (let bits = 0; bits < 2 ** pending.length; bits++) {
    yield inSet(pending.filter((_, k) => Math.floor(bits / 2 ** k) % 2 === 1))
  }
}

function prefixCount(moment: CrashMoment, torn: boolean): number {
  const { pending } = moment
  if (!torn) return pending.length + 1
  return pending.reduce((sum, index) => sum + 2 ** moment.sectorsOf(index).length - 1, 1)
}

/** All writes up to one, and of that one any sectors. */
function* prefixes(moment: CrashMoment, torn: boolean): Generator<Survives> {
  yield () => false
  for (const last of moment.pending) {
    const sectors = moment.sectorsOf(last)
    for (let bits = torn ? 1 : 2 ** sectors.length - 1; bits < 2 ** sectors.length; bits++) {
      const there = new Set(sectors.filter((_, k) => Math.floor(bits / 2 ** k) % 2 === 1))
      yield (index, sector) => index < last || (index === last && there.has(sector))
    }
  }
}

function anyPrefix(moment: CrashMoment, torn: boolean, random: Prng): Survives {
  const { pending } = moment
  const count = random.below(pending.length + 1)
  const writes = pending.slice(0, count)
  return torn ? oneTorn(moment, writes, random, writes.at(-1)) : inSet(writes)
}

/** `writes` survive, but for some sectors of one of them. */
function oneTorn(
  moment: CrashMoment,
  writes: readonly number[],
  random: Prng,
  which = writes[random.below(Math.max(1, writes.length))],
): Survives {
  const whole = inSet(writes)
  if (which === undefined) return whole
  const there = new Set(moment.sectorsOf(which).filter(() => random.below(2) === 1))
  return (index, sector) => (index === which ? there.has(sector) : whole(index, sector))
}

/** What is looked at first where there are too many: all there, and then write by write, the newest first. */
function* tellingStates(moment: CrashMoment, most: number, random: Prng): Generator<Survives> {
  const { pending } = moment
  yield () => true
  yield () => false
  for (const one of pending.slice(-Math.ceil(most / 4)).reverse()) {
    yield (index) => index < one
    yield (index) => index !== one
    yield (index) => index === one
    yield oneTorn(moment, pending, random, one)
  }
}

/** The same for who wants whole writes, or prefixes of them. */
function* sampled({ pending }: CrashMoment, limit: number, any: () => Survives): Generator<Survives> {
  yield () => true
  yield () => false
  for (const one of pending.slice(-Math.ceil(limit / 2))) yield (index) => index < one
  yield* repeated(limit * 4, any)
}

function* repeated<Item>(times: number, make: () => Item): Generator<Item> {
  for (let k = 0; k < times; k++) yield make()
}

function* mapped<From, To>(items: Iterable<From>, to: (item: From) => To): Generator<To> {
  for (const item of items) yield to(item)
}

function* joined<Item>(...lists: readonly Iterable<Item>[]): Generator<Item> {
  for (const list of lists) yield* list
}

/** The first `most` that differ. */
function* unlike(states: Iterable<readonly Seen[]>, most: number): Generator<readonly Seen[]> {
  const given = new Set<string>()
  for (const state of states) {
    const key = state.map((seen) => seen.join('+')).join(' ')
    if (given.has(key)) continue
    given.add(key)
    yield state
    if (given.size === most) return
  }
}
