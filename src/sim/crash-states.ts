/**
 * The crash states that a disk may legally be left in, from what somebody's storage code wrote to a volume: for tests
 * of that code, not of ours (our own promise is stronger: an acknowledged write is durable).
 *
 *     w1 w2 FLUSH w3 w4 ✗     w1, w2: there.   w3, w4: any of their sectors
 *     w1 w2(FUA) ✗            once w2 is answered it is there, before that any of its sectors.   w1: any of its sectors
 *     w1 asked, FLUSH asked, w1 answered, FLUSH answered ✗       w1: any of its sectors, for the flush was too early
 *
 * The model is that of a disk with a volatile cache, as ALICE (OSDI 2014) and CrashMonkey (OSDI 2018) use it: a flush
 * that was answered makes durable what was answered before it was asked (NBD, virtio), an answered FUA write itself,
 * nothing else anything. A sector of the disk is written whole or not at all (sector-choices.ts).
 */

import { BlockboxError } from '../core/errors.ts'
import { Prng } from '../core/prng.ts'
import { CrashMoment, type Seen } from './crash-moment.ts'
import { type CrashOptions, crashSample } from './crash-sample.ts'
import { answeredOf, type DiskOperation } from './disk-operation.ts'

/** A write that survived: all of it, or some sectors. */
export interface Survivor {
  /** Which operation, by its place in the history. */
  readonly index: number
  /** Of the disk, by number; all that it touches unless told otherwise. */
  readonly sectors?: readonly number[]
}

export interface CrashState {
  /** The power failed after so many operations had been asked. */
  readonly after: number
  /** Which of them had been answered: what your code has promised by then must be there. */
  readonly answered: ReadonlySet<number>
  /** What is on the disk, or lies under later writes that are. */
  readonly survivors: readonly Survivor[]
  /** False when its moment has more states than `limit`: those given are a sample. */
  readonly exhaustive: boolean
  /** One line for a person: what is missing. */
  readonly text: string
  /** The content of a disk of `size` bytes that held `before` (zeros unless given) at the start. */
  image(size: number, before?: Uint8Array): Uint8Array
}

/** How much `crashStates` gave; it is what the generator returns. */
export interface CrashCount {
  readonly moments: number
  readonly states: number
  /** Moments of which only a sample was given: 0 when every legal state was. */
  readonly sampled: number
}

/**
 * All legal states, moment by moment: after each operation that was asked, and at the end, when all answers are in. A
 * moment between has the states of the one that follows it with the same answers. Throws USAGE for a history that
 * makes no sense.
 */
export function* crashStates(
  history: readonly DiskOperation[],
  options: CrashOptions = {},
): Generator<CrashState, CrashCount> {
  const { sector = 512, limit = 1024 } = options
  refuseNonsense(history, sector, limit)
  const random = new Prng(options.seed ?? 1)
  const count = { moments: 0, states: 0, sampled: 0 }
  let last: CrashMoment | undefined
  for (let asked = 0; asked <= history.length; asked++) {
    const after = Math.min(asked + 1, history.length)
    const moment = new CrashMoment(history, after, asked, sector)
    if (moment.repeats(last)) continue
    last = moment
    count.moments++
    const { exhaustive, states } = crashSample(moment, { ...options, limit }, random)
    if (!exhaustive) count.sampled++
    for (const seen of states) {
      count.states++
      yield stateOf(moment, seen, exhaustive)
    }
  }
  return count
}

function refuseNonsense(history: readonly DiskOperation[], sector: number, limit: number): void {
  const wrong = (text: string) => new BlockboxError('USAGE', text)
  if (!Number.isInteger(sector) || sector < 1) throw wrong(`a sector has ${sector} bytes: say a whole number`)
  if (!Number.isInteger(limit) || limit < 2) throw wrong(`the limit is ${limit} states: say 2 or more`)
  for (const [index, operation] of history.entries()) {
    if (!(answeredOf(history, index) > index))
      throw wrong(`operation ${index} is answered before it is asked: \`answered\` counts operations asked`)
    if (operation.op === 'flush') continue
    const length = operation.op === 'write' ? operation.data.length : operation.length
    if (Number.isSafeInteger(operation.offset + length) && operation.offset >= 0 && length >= 0) continue
    throw wrong(`operation ${index} has offset ${operation.offset} and length ${length}: both count bytes`)
  }
}

function stateOf(moment: CrashMoment, seen: readonly Seen[], exhaustive: boolean): CrashState {
  const { after, answered, pending } = moment
  const missing = missingSectors(moment, seen)
  const survivors = (): Survivor[] => {
    const lost = new Set(
      pending.filter((index) => missing.get(index)?.length === moment.sectorsOf(index).length),
    )
    const there = [...moment.writes].filter((index) => !lost.has(index))
    return there.map((index) => {
      const gone = missing.get(index)
      if (gone === undefined) return { index }
      return { index, sectors: moment.sectorsOf(index).filter((number) => !gone.includes(number)) }
    })
  }
  return {
    ...{ after, answered, exhaustive },
    get survivors() {
      return survivors()
    },
    get text() {
      return textOf(moment, missing)
    },
    image: (size, before) => moment.image(seen, size, before),
  }
}

/** Of each write that is not whole, the sectors that did not survive; what lies under a later write did. */
function missingSectors({ open }: CrashMoment, seen: readonly Seen[]): Map<number, number[]> {
  const missing = new Map<number, number[]>()
  for (const [k, { number, shares }] of open.entries()) {
    const base = shares.find(({ index, whole }) => whole && index === seen[k]![0])
    for (const { index, durable } of shares) {
      if (durable || seen[k]!.includes(index) || (base !== undefined && index < base.index)) continue
      missing.set(index, [...(missing.get(index) ?? []), number])
    }
  }
  return missing
}

function textOf(moment: CrashMoment, missing: ReadonlyMap<number, readonly number[]>): string {
  const { after, answered, pending } = moment
  const unanswered = Array.from({ length: after }, (_, index) => index).filter(
    (index) => !answered.has(index),
  )
  const when = after === 0 ? 'power fails at once' : `power fails after operation ${after - 1} was asked`
  const open = unanswered.length === 0 ? '' : ` (no answer to ${unanswered.join(', ')})`
  const told = [...missing].map(([index, gone]) => {
    const all = moment.sectorsOf(index).length
    return gone.length === all ? `write ${index} is lost` : `write ${index} lacks sectors ${gone.join(', ')}`
  })
  if (told.length > 0) return `${when}${open}: ${told.join('; ')}`
  return `${when}${open}: ${pending.length === 0 ? 'all is durable' : 'nothing is lost'}`
}
