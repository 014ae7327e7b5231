/** Branches: asked for, planted, and waited for. */

import * as assert from 'uvu/assert'
import type { Engine } from '../../src/engine/engine.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { branchesOf, unfinished } from '../../src/layers/branch-state.ts'
import { block, volumeBlocks } from './given.ts'
import type { Act } from './stage.ts'

/** The command for a branch of a volume as it was after an event. */
export function branch(name: string, seq: number, { from = 1, blocks = volumeBlocks } = {}): NewEvent {
  return { kind: 'volume.branch', detail: { name, from, seq, size: blocks * block } }
}

/** A run of a branch's map, as it is reported: blocks and the place of the first. */
export function reported(
  volume: number,
  about: number,
  at: number,
  count: number,
  payload: number,
): NewEvent {
  return { kind: 'branch.report', volume, about, offset: at * block, length: count * block, payload }
}

/** What was to be reported has been. */
export function ended(volume: number, about: number, runs: number, mapHash: string): NewEvent {
  return { kind: 'branch.end', volume, about, detail: { runs, mapHash } }
}

/** Resolves when no branch is in the making. */
export async function branchesMade(engine: Engine): Promise<void> {
  const left = () => unfinished(branchesOf(engine.world)).length
  for (let k = 0; k < 2000 && left() > 0; k++) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    await engine.settled()
  }
  assert.is(left(), 0, 'branches are made')
}

/** Waits until no branch is in the making. */
export const branchesEnd: Act = ({ run }) => branchesMade(run.engine)

/** A branch of a volume as it was so many events ago, made to its end. */
export function branchOf(name: string, ago: number, { from = 1, blocks = volumeBlocks } = {}): Act {
  return async ({ run }) => {
    const { engine } = run
    void run.ask({
      kind: 'volume.branch',
      detail: { name, from, seq: engine.world.seq - ago, size: blocks * block },
    })
    await engine.settled()
    await branchesMade(engine)
  }
}
