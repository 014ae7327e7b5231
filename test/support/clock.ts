/** A clock that moves when it is told to, either way; what was asked of it is called in the order it falls due. */

import type { Clock } from '../../src/core/clock.ts'

export interface ManualClock extends Clock {
  /** Moves the wall and calls back whatever falls due on the way. */
  advance(ms: number): void
  /** Sets the wall back or forward without time passing for those who wait: somebody changed the machine's clock. */
  jump(ms: number): void
  /** How many wait, and how long the next one still has to. */
  waiting(): { readonly count: number; readonly nextMs: number }
}

/** A clock that shows `startIso` at first. */
export function manualClock(startIso = '2026-01-31T12:00:00Z'): ManualClock {
  let wallNs = BigInt(Date.parse(startIso)) * 1_000_000n
  let passedMs = 0
  const timers = new Map<number, { readonly dueMs: number; readonly call: () => void }>()
  let made = 0
  const earliest = () => [...timers].sort(([, a], [, b]) => a.dueMs - b.dueMs)[0]
  return {
    nowNs: () => wallNs,
    after(ms, call) {
      const id = made++
      timers.set(id, { dueMs: passedMs + ms, call })
      return () => timers.delete(id)
    },
    advance(ms) {
      passedMs += ms
      wallNs += BigInt(ms) * 1_000_000n
      for (let next = earliest(); next !== undefined && next[1].dueMs <= passedMs; next = earliest()) {
        timers.delete(next[0])
        next[1].call()
      }
    },
    jump(ms) {
      wallNs += BigInt(ms) * 1_000_000n
    },
    waiting: () => ({ count: timers.size, nextMs: (earliest()?.[1].dueMs ?? passedMs) - passedMs }),
  }
}
