/** Programs of other people, run to their end with a bound on the time. */

import { spawn } from 'node:child_process'
import * as assert from 'uvu/assert'

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs a program; what it prints is kept. */
export function run(
  program: string,
  args: readonly string[],
  cwd?: string,
  limitMs = 60_000,
): Promise<Ended> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
    ...(cwd !== undefined && { cwd }),
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
  })
}

/** Runs a program that has to succeed; gives what it printed. */
export async function runs(program: string, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await run(program, args)
  assert.is(code, 0, `${program} ${args.join(' ')}: ${err}${out}`)
  return out
}
