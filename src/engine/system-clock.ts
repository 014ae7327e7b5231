/** The clock of the machine: wall time carried forward by the monotonic clock, so that it never runs backwards. */

import type { Clock } from '../core/clock.ts'

export function systemClock(): Clock {
  const startedNs = BigInt(Date.now()) * 1_000_000n
  const zero = process.hrtime.bigint()
  return {
    nowNs: () => startedNs + process.hrtime.bigint() - zero,
    after(ms, call) {
      const timer = setTimeout(call, Math.min(ms, 2 ** 31 - 1))
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
