/**
 * How a life comes to rest: copies end, the disk writes, time passes, backups are stopped and restores resumed, until
 * nothing is left that could go on; then all that there is is read once more.
 */

import type { Ask } from '../engine/ask.ts'
import type { World } from '../layers/layer.ts'
import { lastReads, lastWords, longerThanDeadlinesNs } from './liveness.ts'
import { type Machine, turn } from './machine.ts'

/** Time passes in so many pieces as copies that have a rate may want. */
const waits = 32

const lastSession: Ask = { kind: 'session.open', detail: { name: 'last' } }

export interface Resting {
  readonly machine: Machine
  /** Of the engine that runs. */
  world(): World
  /** False once something was found, or the engine ended. */
  isFine(): boolean
  /** Makes an ask of the ending; all of them come here in order. */
  post(ask: Ask): void
  /** Nobody may wait who should have been answered. */
  beInTime(): void
  /** Nothing may be left that could go on. */
  atRest(): void
}

export async function comeToRest(life: Resting): Promise<void> {
  const { machine } = life
  await settle(machine)
  if (!life.isFine()) return
  await wait(machine)
  life.beInTime()
  if (!life.isFine()) return
  for (const ask of lastWords(life.world())) life.post(ask)
  await wait(machine)
  if (!life.isFine()) return
  life.atRest()
  if (!life.isFine()) return
  life.post(lastSession)
  await settle(machine)
  for (const ask of lastReads(life.world())) life.post(ask)
  await settle(machine)
}

async function wait(machine: Machine): Promise<void> {
  for (let k = 0; k < waits; k++) {
    machine.clock.pass(longerThanDeadlinesNs / waits)
    await settle(machine)
  }
}

/** All that is under way comes to its end. */
async function settle(machine: Machine): Promise<void> {
  for (let idle = 0; idle < 3; idle++) {
    if (machine.endAll()) idle = 0
    await turn()
  }
}
