/**
 * Control commands on a journal: names become numbers, the command is asked and recorded, a refusal is printed with
 * what to do next and exit code 1. Copies that the command starts go on until they are done before the journal closes.
 */

import { BlockboxError } from '../src/core/errors.ts'
import type { Answer, CommandAsk } from '../src/engine/ask.ts'
import type { Engine } from '../src/engine/engine.ts'
import type { OpenFolder } from '../src/engine/open-folder.ts'
import { advice, type Code } from '../src/events/code.ts'
import { isName } from '../src/events/detail.ts'
import type { World } from '../src/layers/layer.ts'
import { pairsOf } from '../src/layers/pair-state.ts'
import { restoresOf } from '../src/layers/restore-state.ts'
import { volumeNamed } from '../src/replay/volume-at.ts'
import { atRest } from './at-rest.ts'
import type { ControlOptions } from './control-option.ts'
import { exitCodes } from './exit-code.ts'
import { type EngineUse, withOldEngine } from './journal-use.ts'
import { escaped, print } from './output.ts'
import { asOwner } from './owner.ts'
import { remark } from './remark.ts'

/** How a command is asked, besides what its options say. */
export interface ControlUse extends EngineUse {
  /** The owner of fences in whose name it is asked. */
  readonly owner?: string | undefined
  /** More of what became of it, for --json. */
  readonly told?: (world: World) => object
  /** What to do next after some refusals, where that is particular to the command. */
  readonly hints?: Hints
}

export type Hints = Partial<Record<Code, string>>

/** The command; undefined when what it is to bring about goes on already, and has only to be waited for. */
export type Asked = CommandAsk | undefined

/**
 * Asks one command of the engine of an existing journal. `ask` is given the state, to find numbers by name; `said` puts
 * the answer in words, once everything the command started has come to an end.
 */
export async function control(
  options: ControlOptions,
  ask: (world: World, open: OpenFolder) => Asked | Promise<Asked>,
  said: (answer: Answer, world: World) => string,
  use: ControlUse = {},
): Promise<void> {
  await withOldEngine(
    options,
    async (engine, open) => {
      const found = await ask(engine.world, open)
      if (found === undefined) {
        await atRest(engine)
        const nothing: Answer = { code: 'ok', seq: engine.world.seq, made: 0 }
        return tell(options, 'none', nothing, engine, said, use)
      }
      const session = use.owner === undefined ? {} : { session: await asOwner(engine, use.owner) }
      const asked: CommandAsk = {
        ...found,
        ...session,
        ...(options.key !== undefined && { key: options.key }),
      }
      const answer = await engine.submit(asked)
      if (answer.code === 'ok') await atRest(engine)
      await tell(options, asked.kind, answer, engine, said, use)
    },
    use,
  )
}

async function tell(
  options: ControlOptions,
  command: string,
  answer: Answer,
  { world }: Engine,
  said: (answer: Answer, world: World) => string,
  { told = () => ({}), hints = {} }: ControlUse,
): Promise<void> {
  const { code, seq, made, repeats } = answer
  if (options.json === true) {
    const repeated = repeats === undefined ? {} : { repeats }
    await print(JSON.stringify({ version: 1, command, code, seq, made, ...repeated, ...told(world) }))
  } else if (code === 'ok') await print(said(answer, world).split('\n').map(escaped).join('\n'))
  if (code === 'ok') {
    if (repeats !== undefined) remark(`nothing was done: event ${repeats} had this key and did it`)
    return
  }
  refused(command, answer, hints)
}

/** Says that a command was refused and what to do next; the program ends with exit code 1. */
export function refused(command: string, { code, seq }: Answer, hints: Hints = {}): void {
  process.exitCode = exitCodes.error
  remark(`${command} was refused, as event ${seq} says: ${code}: ${hints[code] ?? advice[code]}`)
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

/** How far the pair of that name is, in words. A restore that gave up is exit code 1. */
export function pairSaid(world: World, name: string): string {
  const pair = [...pairsOf(world).byTag.values()].find((one) => one.name === name)
  if (pair === undefined) return `there is no pair ${name}`
  const restore = restoresOf(world).byTag.get(pair.tag)
  if (restore !== undefined && !restore.background) {
    process.exitCode = exitCodes.error
    remark(`the restore gave up after errors: see to the medium, then \`blockbox restore resume ${name}\``)
  }
  return `pair ${name}: ${pair.phase}, ${pair.cdm.count} extents differ`
}

/** A repeatable option: each use adds to the list. */
export function gathered(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
