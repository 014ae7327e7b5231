/**
 * Stretches of zeros in what a read returned: they go out as holes, a few bytes instead of all of them. Looking costs
 * less than sending, and what is said is true of the very bytes that were read.
 */

export interface Stretch {
  readonly from: number
  readonly to: number
  readonly zero: boolean
}

const grain = 4096
const nothing = Buffer.alloc(grain)

/** All of `data` as stretches in order, cut at multiples of 4096. At most one for every 4096 bytes. */
export function stretches(data: Uint8Array): Stretch[] {
  const found: { from: number; to: number; zero: boolean }[] = []
  for (let from = 0; from < data.length; from += grain) {
    const to = Math.min(data.length, from + grain)
    const zero = isZero(data, from, to)
    const last = found.at(-1)
    if (last?.zero === zero) last.to = to
    else found.push({ from, to, zero })
  }
  return found
}

function isZero(data: Uint8Array, from: number, to: number): boolean {
  if (data[from] !== 0 || data[to - 1] !== 0) return false
  return nothing.compare(data, from, to, 0, to - from) === 0
}
