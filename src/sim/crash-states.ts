/**
 * The crash states that a disk may legally be left in, from what somebody's storage code wrote to a volume: for tests
 * of that code, not of ours (our own promise is stronger: an acknowledged write is durable).
 *
 *     w1 w2 FLUSH w3 w4 ✗        w1, w2: there.   w3, w4: any of them, in any order, torn at any sector
 *     w1 w2(FUA) ✗               w2: there.       w1: perhaps
 *
 * The model is that of a disk with a volatile cache, as ALICE (OSDI 2014) and CrashMonkey (OSDI 2018) use it: a flush
 * makes durable what was complete before it, FUA the write itself, nothing else anything. A sector is written whole or
 * not at all.
 */

import { Prng } from '../core/prng.ts'

/** What was written, in order. Offsets are bytes. */
export type DiskOperation =
  | { readonly op: 'write'; readonly offset: number; readonly data: Uint8Array; readonly fua?: boolean }
  | { readonly op: 'zeroes'; readonly offset: number; readonly length: number; readonly fua?: boolean }
  | { readonly op: 'flush' }

/** A part of a write that survived: all of it, or its sectors [from, to). */
export interface Survivor {
  /** Which operation, by its place in the history. */
  readonly index: number
  readonly sectors?: { readonly from: number; readonly to: number }
}

export interface CrashState {
  /** The power failed after so many operations. */
  readonly after: number
  /** What is on the disk, in the order in which it got there. */
  readonly survivors: readonly Survivor[]
  /** One line for a person: what is missing. */
  readonly text: string
  /** The content of a disk of `size` bytes that held `before` (zeros unless given) at the start. */
  image(size: number, before?: Uint8Array): Uint8Array
}

export interface CrashOptions {
  /** `prefix`: what was not durable is there up to some write. `any`: any of it (the default). */
  readonly order?: 'prefix' | 'any'
  /** Also states in which one of the writes is torn. */
  readonly torn?: boolean
  /** Bytes of a sector. */
  readonly sector?: number
  /** At most so many states for each moment of the crash; beyond it a sample drawn with `seed`. */
  readonly limit?: number
  readonly seed?: number
}

/** All legal states, moment by moment, without those that repeat the moment before. */
export function* crashStates(
  history: readonly DiskOperation[],
  options: CrashOptions = {},
): Generator<CrashState> {
  const { limit = 256, seed = 1 } = options
  const random = new Prng(seed)
  for (let after = 0; after <= history.length; after++) {
    if (after > 0 && history[after - 1]!.op === 'flush' && !isLast(after, history)) continue
    const { durable, pending } = cacheAt(history, after)
    let given = 0
    for (const kept of subsets(pending, options.order ?? 'any', limit, random)) {
      if (given++ >= limit) break
      yield stateOf(history, after, [...durable, ...kept].sort(byIndex), pending.length - kept.length)
      if (options.torn !== true || kept.length === 0) continue
      const torn = kept.at(-1)!
      const sectors = Math.ceil(lengthOf(history[torn.index]!) / (options.sector ?? 512))
      for (let to = 1; to < sectors && given++ < limit; to++) {
        const cut = [...kept.slice(0, -1), { index: torn.index, sectors: { from: 0, to } }]
        yield stateOf(
          history,
          after,
          [...durable, ...cut].sort(byIndex),
          pending.length - kept.length,
          options.sector,
        )
      }
    }
  }
}

/** A flush changes no content: the state behind it is the one before with nothing pending, seen at the next write. */
function isLast(after: number, history: readonly DiskOperation[]): boolean {
  return after === history.length
}

function cacheAt(history: readonly DiskOperation[], after: number) {
  let flushed = 0
  for (let k = 0; k < after; k++) if (history[k]!.op === 'flush') flushed = k
  const durable: Survivor[] = []
  const pending: Survivor[] = []
  for (let index = 0; index < after; index++) {
    const operation = history[index]!
    if (operation.op === 'flush') continue
    const there = index < flushed || operation.fua === true
    ;(there ? durable : pending).push({ index })
  }
  return { durable, pending }
}

/** Which of the pending writes survive: all choices where they are few, else as many as `limit`, by chance. */
function* subsets(
  pending: readonly Survivor[],
  order: 'prefix' | 'any',
  limit: number,
  random: Prng,
): Generator<readonly Survivor[]> {
  if (order === 'prefix') {
    for (let count = 0; count <= pending.length; count++) yield pending.slice(0, count)
    return
  }
  if (pending.length <= Math.log2(limit)) {
    for (let bits = 0; bits < 2 ** pending.length; bits++) {
      yield pending.filter((_, k) => Math.floor(bits / 2 ** k) % 2 === 1)
    }
    return
  }
  yield []
  yield pending
  for (let k = 2; k < limit; k++) yield pending.filter(() => random.below(2) === 1)
}

function byIndex(a: Survivor, b: Survivor): number {
  return a.index - b.index
}

function lengthOf(operation: DiskOperation): number {
  if (operation.op === 'flush') return 0
  return operation.op === 'write' ? operation.data.length : operation.length
}

function stateOf(
  history: readonly DiskOperation[],
  after: number,
  survivors: readonly Survivor[],
  missing: number,
  sector = 512,
): CrashState {
  const torn = survivors.find(({ sectors }) => sectors !== undefined)
  const tear = torn === undefined ? '' : `, operation ${torn.index} torn after ${torn.sectors!.to} sectors`
  return {
    after,
    survivors,
    text: `power fails after operation ${after - 1}: ${missing} unflushed writes are lost${tear}`,
    image(size, before) {
      const image = new Uint8Array(size)
      if (before !== undefined) image.set(before.subarray(0, size))
      for (const survivor of survivors) apply(image, history[survivor.index]!, survivor, sector)
      return image
    },
  }
}

function apply(image: Uint8Array, operation: DiskOperation, { sectors }: Survivor, sector: number): void {
  if (operation.op === 'flush') return
  const { offset } = operation
  const from = (sectors?.from ?? 0) * sector
  const to = Math.min(lengthOf(operation), (sectors?.to ?? Number.MAX_SAFE_INTEGER) * sector)
  if (operation.op === 'write') image.set(operation.data.subarray(from, to), offset + from)
  else image.fill(0, offset + from, offset + to)
}
