/** Waiting until what a command began has come to an end: a journal is closed only then. */

import { firstValueFrom } from 'rxjs'
import type { Engine } from '../src/engine/engine.ts'
import { branchesOf, unfinished } from '../src/layers/branch-state.ts'
import type { World } from '../src/layers/layer.ts'
import { pairsOf } from '../src/layers/pair-state.ts'
import { restoresOf } from '../src/layers/restore-state.ts'
import { interrupt } from './interrupt.ts'

/** The engine's clock keeps no process alive: who waits for a copy whose turn comes later has to. */
const stayAwakeMs = 1000

/**
 * Resolves when nothing is on its way any more. Copies take their time when they have a rate, or when their bytes come
 * from a file outside. Rejects when the interrupt comes, and with what ends the engine.
 */
export async function atRest(engine: Engine): Promise<void> {
  const interrupted = new Promise<never>((_, reject) => {
    interrupt.addEventListener('abort', () => reject(interrupt.reason), { once: true })
  })
  interrupted.catch(() => undefined)
  const awake = setInterval(() => undefined, stayAwakeMs)
  try {
    for (;;) {
      await engine.settled()
      interrupt.throwIfAborted()
      if (!isCopying(engine.world)) return
      await Promise.race([firstValueFrom(engine.frames$, { defaultValue: undefined }), interrupted])
    }
  } finally {
    clearInterval(awake)
  }
}

function isCopying(world: World): boolean {
  if (unfinished(branchesOf(world)).length > 0) return true
  const gates = [...pairsOf(world).byTag.values(), ...restoresOf(world).byTag.values()].map(
    ({ gate }) => gate,
  )
  return gates.some(({ copying }) => copying.count > 0)
}
