/** `blockbox serve` as a child, run inside another command that makes its disk fail. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scratch } from '../tools/commands/blockbox.ts'
import { until } from './served.ts'

export const program = fileURLToPath(new URL('../../tools/blockbox.js', import.meta.url))
export const folder = scratch()
/** Bytes of the volume, and of a piece of it. */
export const size = 256 * 2 ** 20
export const piece = 256 * 1024

/** The bytes written as number `k`. */
export const bytesOf = (k: number) => new Uint8Array(piece).fill(1 + (k % 250))

export interface Said {
  /** The folder of its sockets. */
  readonly home: string
  err(): string
  /** Tells it to stop and resolves with its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Ends it if it still runs. */
  kill(): void
}

let homes = 0

/**
 * Runs `serve` on a journal; `inside` is the command that is run, with that one in it. With `control` its API is in the
 * folder of its sockets, else in the journal, where commands look for it.
 */
export async function start(
  journal: string,
  inside: (serve: readonly string[]) => readonly string[],
  control = true,
): Promise<Said> {
  const home = join(folder, `home-${++homes}`)
  mkdirSync(home)
  const at = (name: string) => join(home, name)
  const listen = [
    '--socket',
    at('nbd'),
    '--pid-file',
    at('pid'),
    ...(control ? ['--control', at('control')] : []),
  ]
  const [name, ...args] = inside([process.execPath, program, 'serve', '-j', journal, ...listen])
  const child = spawn(name!, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  const pid = () => Number(readFileSync(at('pid'), 'utf8'))
  const said = {
    home,
    err: () => err,
    async end(signal: NodeJS.Signals) {
      process.kill(pid(), signal)
      return (await exited)[0]
    },
    kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      if (existsSync(at('pid'))) process.kill(pid(), 'SIGKILL')
      child.kill('SIGKILL')
    },
  }
  const isUp = () => existsSync(at('pid')) && readFileSync(at('pid'), 'utf8').endsWith('\n')
  await until(isUp, 'it listens', 60_000).catch((error: unknown) => {
    said.kill()
    throw new Error(`${String(error)}: ${err}`)
  })
  return said
}

/** What its control API says. */
export function controlled({ home }: Said, path: string, method = 'GET'): Promise<string> {
  const headers = method === 'GET' ? {} : { 'content-type': 'application/json' }
  const terms = { headers, agent: false } as const
  return new Promise((resolve, reject) => {
    const asking = request({ ...terms, socketPath: join(home, 'control'), path, method }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.once('end', () => resolve(text))
    })
    asking.once('error', reject)
    asking.end(method === 'GET' ? undefined : '{}')
  })
}
