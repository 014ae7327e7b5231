/** Goes through the crash states of a history, and asks of each what somebody's storage code would make of it. */

import type { CrashOptions } from './crash-sample.ts'
import { type CrashCount, type CrashState, crashStates } from './crash-states.ts'
import type { DiskOperation } from './disk-operation.ts'

export interface CrashCheckOptions extends CrashOptions {
  /** Bytes of the disk. */
  readonly size: number
  /** What it held at the start; zeros unless given. */
  readonly before?: Uint8Array
  /** So many failures are kept, the others only counted: 10 unless told otherwise. */
  readonly maxFailures?: number
}

export interface CrashFailure {
  readonly state: CrashState
  /** What the check threw. */
  readonly error: Error
}

export interface CrashVerdict extends CrashCount {
  /** States that failed. */
  readonly failed: number
  /** The first of them. */
  readonly failures: readonly CrashFailure[]
  /** True when every legal state was looked at. */
  readonly exhaustive: boolean
}

/**
 * Calls `check` with what the disk holds after each crash; it throws when the code under test cannot live with that, and
 * may keep or change the image. Throws USAGE for a history that makes no sense.
 */
export async function checkCrashStates(
  history: readonly DiskOperation[],
  { size, before, maxFailures = 10, ...options }: CrashCheckOptions,
  check: (image: Uint8Array, state: CrashState) => unknown,
): Promise<CrashVerdict> {
  const failures: CrashFailure[] = []
  const states = crashStates(history, options)
  let failed = 0
  for (;;) {
    const next = states.next()
    if (next.done === true) return { ...next.value, failed, failures, exhaustive: next.value.sampled === 0 }
    const state = next.value
    try {
      await check(state.image(size, before), state)
    } catch (error) {
      failed++
      if (failures.length === maxFailures) continue
      failures.push({ state, error: error instanceof Error ? error : new Error(String(error)) })
    }
  }
}
