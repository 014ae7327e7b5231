/**
 * Bisect: the first of many things in order that is bad, asked about as few of them as can be.
 *
 *     good ├────────── low ─── middle ─── high ──────────┤ bad
 *                       ▲── good ──┴── bad ──▲        skip: the nearest to the middle that was not skipped
 *
 * Without skips it asks ceil(log2(high - low)) times.
 */

/** What a trial says; `skip` when it cannot tell. */
export type Trial = 'good' | 'bad' | 'skip'

export interface Bisected {
  /** The first one found bad. */
  readonly firstBad: number
  /** The last one found good: those between the two were skipped, and the first bad one may be among them. */
  readonly lastGood: number
}

/** Searches between `low`, known to be good, and `high`, known to be bad. Rejects with what a trial rejects with. */
export async function bisect(
  low: number,
  high: number,
  trial: (index: number) => Promise<Trial>,
): Promise<Bisected> {
  const skipped = new Set<number>()
  let lastGood = low
  let firstBad = high
  for (;;) {
    const index = nearMiddle(lastGood, firstBad, skipped)
    if (index === undefined) return { firstBad, lastGood }
    const said = await trial(index)
    if (said === 'good') lastGood = index
    else if (said === 'bad') firstBad = index
    else skipped.add(index)
  }
}

/** The one nearest to the middle between two that may still be asked about. */
function nearMiddle(low: number, high: number, skipped: ReadonlySet<number>): number | undefined {
  const middle = Math.floor((low + high) / 2)
  for (let away = 0; middle - away > low || middle + away < high; away++) {
    for (const index of [middle - away, middle + away]) {
      if (index > low && index < high && !skipped.has(index)) return index
    }
  }
  return undefined
}
