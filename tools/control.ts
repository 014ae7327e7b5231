/**
 * Control commands on a journal: names become numbers, the command is asked and recorded, a refusal is printed with
 * what to do next and exit code 1. Copies that the command starts go on until they are done before the journal closes.
 */

import { BlockboxError } from '../src/core/errors.ts'
import type { Answer, CommandAsk } from '../src/engine/ask.ts'
import { advice } from '../src/events/code.ts'
import { isName } from '../src/events/detail.ts'
import type { World } from '../src/layers/layer.ts'
import { pairsOf } from '../src/layers/pair-state.ts'
import { volumeNamed } from '../src/replay/volume-at.ts'
import { exitCodes } from './exit-code.ts'
import { interrupt } from './interrupt.ts'
import type { JournalOption } from './journal-option.ts'
import { withOldEngine } from './journal-use.ts'
import { escaped, print } from './output.ts'
import { remark } from './remark.ts'

export interface ControlOptions extends JournalOption {
  readonly json?: boolean
}

/**
 * Asks one command of the engine of an existing journal. `ask` is given the state, to find numbers by name; `said` puts
 * the answer in words, once everything the command started has come to an end.
 */
export async function control(
  options: ControlOptions,
  ask: (world: World) => CommandAsk,
  said: (answer: Answer, world: World) => string,
): Promise<void> {
  await withOldEngine(options, 'durable', async (engine) => {
    const asked = ask(engine.world)
    const answer = await engine.submit(asked)
    if (answer.code === 'ok') await engine.settled()
    interrupt.throwIfAborted()
    const { code, seq, made } = answer
    if (options.json === true)
      await print(JSON.stringify({ version: 1, command: asked.kind, code, seq, made }))
    else if (code === 'ok') await print(escaped(said(answer, engine.world)))
    if (code === 'ok') return
    process.exitCode = exitCodes.error
    remark(`${asked.kind} was refused, as event ${seq} says: ${code}: ${advice[code]}`)
  })
}

/** The number of a volume by its name. Throws NO_SUCH_VOLUME. */
export function volumeId(world: World, name: string): number {
  return volumeNamed(world, name).id
}

/** What a new thing is to be called. Throws USAGE for what no journal would take. */
export function newName(name: string): string {
  if (isName(name)) return name
  throw new BlockboxError('USAGE', `"${name}" is no name: ${advice.E_NAME}`)
}

/** How far the pair of that name is, in words. */
export function pairSaid(world: World, name: string): string {
  const pair = [...pairsOf(world).byTag.values()].find((one) => one.name === name)
  if (pair === undefined) return `there is no pair ${name}`
  return `pair ${name}: ${pair.phase}, ${pair.cdm.count} extents differ`
}

/** A repeatable option: each use adds to the list. */
export function gathered(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
