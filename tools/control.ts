/**
 * Control commands: asked through a link, in this process or of the one that has the journal open. A refusal is printed
 * with what to do next, and is exit code 1. Copies that the command starts have ended when it returns.
 */

import type { CommandRoute, Done } from '../src/control/route.ts'
import type { Answer } from '../src/engine/ask.ts'
import { advice, type Code } from '../src/events/code.ts'
import type { Contents } from '../src/inspect/contents.ts'
import type { ControlOptions } from './control-option.ts'
import { exitCodes } from './exit-code.ts'
import { type LinkUse, withControl } from './journal-link.ts'
import { escaped, print } from './output.ts'
import { remark } from './remark.ts'

/** How a command is asked, besides what its options say. */
export interface ControlUse extends LinkUse {
  /** What to do next after some refusals, where that is particular to the command. */
  readonly hints?: Hints
}

export type Hints = Partial<Record<Code, string>>

/** Asks one command of an existing journal; `said` puts the answer in words, and sets the exit code where that is not 0. */
export async function control<I>(
  options: ControlOptions,
  route: CommandRoute<I>,
  input: Partial<I>,
  said: (done: Done) => string,
  { hints, ...use }: ControlUse = {},
): Promise<void> {
  await withControl(
    options,
    async ({ link }) => {
      const done = await link.command(route, input, { key: options.key })
      const { command, answer } = done
      const words = answer.code === 'ok' ? said(done) : ''
      if (options.json === true) {
        const { code, seq, made, repeats } = answer
        const repeated = repeats === undefined ? {} : { repeats }
        await print(JSON.stringify({ version: 1, command, code, seq, made, ...repeated, ...done.about }))
      } else if (answer.code === 'ok') await print(words.split('\n').map(escaped).join('\n'))
      if (answer.code !== 'ok') refused(command, answer, hints)
      else repeated(answer)
    },
    use,
  )
}

/** Says so when a command was done before, with the same key. */
export function repeated({ repeats }: Answer): void {
  if (repeats !== undefined) remark(`nothing was done: event ${repeats} had this key and did it`)
}

/** Says that a command was refused and what to do next; the program ends with exit code 1. */
export function refused(command: string, { code, seq }: Answer, hints: Hints = {}): void {
  process.exitCode = exitCodes.error
  remark(`${command} was refused, as event ${seq} says: ${code}: ${hints[code] ?? advice[code]}`)
}

/** How far the pair of that name is, in words. A restore that gave up is exit code 1. */
export function pairSaid({ about = {} }: Done, name: string): string {
  const pair = about.pair as Contents['pairs'][number] | null | undefined
  const restore = about.restore as Contents['restores'][number] | null | undefined
  if (pair == null) return `there is no pair ${name}`
  if (restore?.background === false) {
    process.exitCode = exitCodes.error
    remark(`the restore gave up after errors: see to the medium, then \`blockbox restore resume ${name}\``)
  }
  return `pair ${name}: ${pair.phase}, ${pair.differing_extents} extents differ`
}

/** A repeatable option: each use adds to the list. */
export function gathered(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
