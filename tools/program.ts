/**
 * The frame around the commands: parses arguments, runs one command, turns what it threw into one line on standard
 * error and an exit code. A command may also set `process.exitCode` itself (findings are 12, and nothing is thrown).
 * With BLOCKBOX_DEBUG=1 an error is shown with its stack and its causes.
 */

import { inspect } from 'node:util'
import { Command, CommanderError } from 'commander'
import { Violation } from '../src/core/assert.ts'
import { BlockboxError } from '../src/core/errors.ts'
import { exitCodeOf, exitCodes } from './exit-code.ts'
import { fileFailure } from './file-failure.ts'
import { interrupt, watchInterrupts } from './interrupt.ts'
import { escaped, guardOutput, OutputClosed, progress } from './output.ts'

/** What a file of tools/commands exports as `add`. */
export type AddCommand = (program: Command) => void

/** The program with its commands. `version` is what --version prints. */
export function createProgram(version: string, commands: readonly AddCommand[]): Command {
  const program = new Command('blockbox')
    .description('A flight recorder for block storage: record, replay and check every host I/O')
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (text) => complain(text.replace(/^error: /, '').trimEnd()) })
    .showHelpAfterError('(see --help)')
  for (const add of commands) add(program)
  return program
}

/** Runs the program once. Never rejects: what happened is in the exit code and on standard error. */
export async function main(program: Command, argv: readonly string[]): Promise<void> {
  guardOutput()
  watchInterrupts()
  try {
    await program.parseAsync(argv)
    if (interrupt.aborted) process.exitCode ??= exitCodes.interrupted
  } catch (error) {
    process.exitCode = settle(fileFailure(error))
  } finally {
    progress('')
  }
}

/** Says what went wrong, if it is worth a word, and names the exit code. */
function settle(error: unknown): number {
  if (error instanceof OutputClosed) return exitCodes.ok
  if (interrupt.aborted && isAbort(error)) return exitCodes.interrupted
  if (!(error instanceof CommanderError)) complain(describe(error))
  return exitCodeOf(error)
}

function isAbort(error: unknown): boolean {
  return error === interrupt.reason || (error instanceof Error && error.name === 'AbortError')
}

function describe(error: unknown): string {
  if (process.env.BLOCKBOX_DEBUG === '1') return inspect(error)
  if (!(error instanceof Error)) return `internal error: ${escaped(String(error))}`
  if (error instanceof Violation) return escaped(`${error.rule}: ${error.message}`)
  if (error instanceof BlockboxError || 'syscall' in error) return escaped(error.message)
  return `internal error: ${escaped(error.message)} (BLOCKBOX_DEBUG=1 shows where)`
}

/** Line breaks here are our own or commander's; those of a message were spelled out before. */
function complain(text: string): void {
  progress('')
  process.stderr.write(`blockbox: ${text.split('\n').map(escaped).join('\n')}\n`)
}
