/** `blockbox serve` in a process of its own, on a socket below a folder of its own. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../tools/blockbox.js', import.meta.url))

export interface Serving {
  readonly child: ChildProcess
  /** The URI of the first volume. */
  readonly uri: string
  /** Sends a signal and resolves with the exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | string>
}

/** Starts the program and resolves once clients may come. Throws with what it said when it ends before. */
export async function serveProgram(args: readonly string[]): Promise<Serving> {
  const { BLOCKBOX_JOURNAL: _, ...env } = process.env
  const child = spawn(process.execPath, [program, 'serve', '--print-uri', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  const [first] = await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data') as Promise<[string]>,
    exited.then(([code]) => {
      throw new Error(`serve ended with ${code}: ${err}`)
    }),
  ])
  return {
    child,
    uri: first.split('\n')[0]!,
    async end(signal) {
      child.kill(signal)
      const [code, by] = await exited
      return code ?? by ?? 'gone'
    },
  }
}

/** Makes a volume with the program. */
export async function createVolume(journal: string, name: string, ...options: string[]): Promise<void> {
  const child = spawn(process.execPath, [program, 'volume', 'create', name, '-j', journal, ...options])
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`volume create ended with ${code}`)
}

export function socketIn(folder: string): string {
  return join(folder, 'vol.sock')
}
