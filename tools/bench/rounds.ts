/**
 * Contenders measured in turn, round after round, in one process: what disturbs the machine disturbs all of them, and
 * only ratios of medians are believed. Every other round goes backwards, so that none always follows the same one: a
 * sync is dearer behind a peer that left the file system work to do.
 */

import { showProgress } from '../remark.ts'

export interface Contender {
  readonly name: string
  /** One go. Returns what it took, in the unit of its lines: less is better. */
  go(): number | Promise<number>
}

export interface Rounds {
  readonly rounds: number
  /** Goes of each contender before the first that counts. */
  readonly warmup: number
}

/** The median of what each contender took. */
export async function medians(
  contenders: readonly Contender[],
  { rounds, warmup }: Rounds,
): Promise<Map<string, number>> {
  const taken = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
  for (let round = -warmup; round < rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      showProgress(() => `${contender.name}, round ${Math.max(0, round + 1)} of ${rounds}`)
      const took = await contender.go()
      if (round >= 0) taken.get(contender.name)!.push(took)
    }
  }
  return new Map([...taken].map(([name, all]) => [name, median(all)]))
}

/** The middle one; of an even count the upper of the two. NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Microseconds that `act` takes. */
export async function microseconds(act: () => unknown): Promise<number> {
  const from = process.hrtime.bigint()
  await act()
  return Number(process.hrtime.bigint() - from) / 1000
}

/** Lets the collector do now what it would otherwise do during the next go. Needs --expose-gc. */
export function collectGarbage(): void {
  globalThis.gc?.()
}
