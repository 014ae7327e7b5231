/**
 * A command at an instant when nobody's write is in flight: none was taken that has not come to its end, whether it is
 * held by a backup or waits for a copy. Nobody is held up for it; where writes never pause, the deadline passes.
 *
 *     waiting ── no write in flight ──▶ asked ── still none ──▶ decided
 *        ▲ └── deadline ──▶ STALLED       └── one came in between ──▶ waiting
 */

import { BlockboxError } from '../core/errors.ts'
import type { Answer, CommandAsk } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'
import { changes } from '../events/kind.ts'
import { inFlightOf } from '../layers/in-flight.ts'
import type { World } from '../layers/layer.ts'
import { decided } from './rest.ts'

export interface Quiet {
  /** Numbers of the volumes on which no write may be in flight; undefined: on none at all. */
  readonly volumes: readonly number[] | undefined
  readonly deadlineMs: number
}

/** Asks a command when it is quiet. Rejects with STALLED past the deadline, and with the reason of the signal. */
export async function whenQuiet(
  engine: Engine,
  ask: CommandAsk,
  { volumes, deadlineMs }: Quiet,
  signal: AbortSignal,
): Promise<Answer> {
  const isQuiet = (world: World) => writesInFlight(world, volumes) === 0
  const late = new AbortController()
  const passed = () => late.abort(stalled(engine.world, volumes, deadlineMs))
  const timer = setTimeout(passed, deadlineMs)
  const ending = AbortSignal.any([signal, late.signal])
  try {
    for (;;) {
      await decided(engine, isQuiet, ending)
      const answer = await engine.submit(ask, isQuiet)
      if (answer.seq > 0 || answer.code !== 'E_AGAIN') return answer
    }
  } finally {
    clearTimeout(timer)
  }
}

function writesInFlight(world: World, volumes: readonly number[] | undefined): number {
  const { held, queued } = inFlightOf(world)
  let count = 0
  for (const waiting of [held, queued]) {
    for (const { op, volume } of waiting.values()) {
      if (changes(op) && (volumes === undefined || volumes.includes(volume))) count++
    }
  }
  return count
}

function stalled(world: World, volumes: readonly number[] | undefined, deadlineMs: number): BlockboxError {
  const names = volumes?.map((id) => world.volumes[id - 1]?.name ?? `#${id}`).join(', ')
  const where = names === undefined ? 'all volumes' : names
  const count = writesInFlight(world, volumes)
  const why = `writes in flight on ${where} at the end of ${deadlineMs} ms: ${count}, waiting for a backup or a copy`
  return new BlockboxError('STALLED', `${why}; wait for that to end, or give it a longer deadline`)
}
