/** NBD servers of other people as processes of their own, which tests start, kill and start again. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { BlockboxError } from '../../src/core/errors.ts'
import { listExports } from '../../src/nbd/client/client.ts'

export interface FarSide {
  /** Kills the process without a word, and waits until it is gone. */
  kill(): Promise<void>
}

/**
 * Starts `program`, which is to listen on a unix socket or on a port. Resolves when clients may come, with TLS or
 * without. Throws when it ends before.
 */
export async function farSide(
  program: string,
  args: readonly string[],
  at: string | { readonly port: number },
): Promise<FarSide> {
  if (typeof at === 'string') rmSync(at, { force: true })
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const exited = once(child, 'exit')
  for (let k = 0; k < 400; k++) {
    if (ended(child)) throw new Error(`${program} ended: ${err}`)
    try {
      await listExports(typeof at === 'string' ? { socket: at } : at, { limitMs: 1000 })
      break
    } catch (error) {
      if (error instanceof BlockboxError && error.code === 'NBD_REFUSED') break
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
  return {
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

function ended({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}
