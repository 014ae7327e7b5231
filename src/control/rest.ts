/** Waiting until what a command began has come to an end, while others go on. */

import type { Engine } from '../engine/engine.ts'
import { fenceNamed, fencesOf } from '../layers/fence-state.ts'
import type { World } from '../layers/layer.ts'
import { named, pairsOf } from '../layers/pair-state.ts'
import { restoresOf } from '../layers/restore-state.ts'

/**
 * Resolves when `holds` does and all that led to it is durable, so that it may be told to anybody; or when the engine is
 * closed. Rejects with the reason of the signal, and with what ends the engine.
 */
export async function until(
  engine: Engine,
  holds: (world: World) => boolean,
  signal: AbortSignal,
): Promise<void> {
  let isDurable = false
  while (!isDurable && (await decided(engine, holds, signal))) isDurable = await engine.look(holds)
}

/**
 * Resolves with true when `holds` does in the state as it was decided, durable or not; with false when the engine is
 * closed. Rejects as `until` does.
 */
export async function decided(
  engine: Engine,
  holds: (world: World) => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted()
  let leave: () => void = () => undefined
  try {
    return await new Promise<boolean>((resolve, reject) => {
      const aborted = () => reject(signal.reason)
      const look = () => {
        if (holds(engine.world)) resolve(true)
      }
      signal.addEventListener('abort', aborted)
      const closed = () => resolve(false)
      const frames = engine.frames$.subscribe({ next: look, error: reject, complete: closed })
      leave = () => {
        signal.removeEventListener('abort', aborted)
        frames.unsubscribe()
      }
      look()
    })
  } finally {
    leave()
  }
}

/** True when nothing of a pair is being copied: a sync or a restore has come to its end, was paused, or gave up. */
export function pairAtRest(world: World, name: string): boolean {
  const pair = named(pairsOf(world), name)
  if (pair === undefined) return true
  const restore = restoresOf(world).byTag.get(pair.tag)
  return pair.gate.copying.count === 0 && (restore?.gate.copying.count ?? 0) === 0
}

/** Phases that a fence leaves by itself. */
const passing: readonly string[] = ['closing', 'saving', 'raising', 'lowering']

/** True when a fence is down, or waits for its owner. */
export function fenceAtRest(world: World, name: string): boolean {
  const fence = fenceNamed(fencesOf(world), name)
  return fence === undefined || !passing.includes(fence.phase)
}
