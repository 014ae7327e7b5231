/** The clock of the machine: wall time carried forward by the monotonic clock, so that it never runs backwards. */

import type { Clock } from '../core/clock.ts'

/** What one timer can wait; longer waits are several. */
const longestMs = 2 ** 31 - 1

export function systemClock(): Clock {
  const startedNs = BigInt(Date.now()) * 1_000_000n
  const zero = process.hrtime.bigint()
  return {
    nowNs: () => startedNs + process.hrtime.bigint() - zero,
    after(ms, call) {
      let timer: NodeJS.Timeout
      const wait = (left: number) => {
        const now = Math.min(left, longestMs)
        timer = setTimeout(() => (left > now ? wait(left - now) : call()), now)
        timer.unref()
      }
      wait(ms)
      return () => clearTimeout(timer)
    },
  }
}
