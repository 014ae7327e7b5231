/**
 * The time of the machine for a run: its monotonic clock, and waits that end within a millisecond of what was asked.
 * A timer is late by up to two milliseconds, so the last of them are spent turning the event loop.
 */

import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Timekeeper } from './pace.ts'

const timerSlackMs = 2

export function machineTime(): Timekeeper {
  const zero = process.hrtime.bigint()
  return {
    nowNs: () => Number(process.hrtime.bigint() - zero),
    async sleep(ms, signal) {
      if (signal.aborted) return
      const timer = Math.min(2 ** 31 - 1, Math.floor(ms) - timerSlackMs)
      try {
        if (timer >= 1) await setTimeout(timer, undefined, { signal })
        else await setImmediate(undefined, { signal })
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  }
}
