/** What a server meets in the world of processes: a socket that was bound for it, a program to run beside it. */

import { spawn } from 'node:child_process'
import { totalmem } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import type { Address } from '../src/nbd/server/address.ts'
import { exitCodes } from './exit-code.ts'

/** Payload that a server keeps in memory when nobody says how much. */
export function defaultCacheBytes(): number {
  return Math.min(2 ** 30, Math.floor(totalmem() / 8))
}

/**
 * Lets the heap grow to five times of what lives in it before all of it is collected. V8 counts the bytes of sockets
 * towards that and a server has little else: it would collect every few thousand requests, for a third of its time.
 */
export function collectSeldom(): void {
  setFlagsFromString('--heap-growing-percent=400')
}

/** The first descriptor that systemd passes on. */
const firstDescriptor = 3

/** The socket that was bound for this process by LISTEN_FDS, if one was. The variables are not handed on. */
export function activatedSocket(env: NodeJS.ProcessEnv = process.env): number | undefined {
  const { LISTEN_PID: forWhom, LISTEN_FDS: count } = env
  if (forWhom !== String(process.pid) || !(Number(count) >= 1)) return undefined
  delete env.LISTEN_PID
  delete env.LISTEN_FDS
  return firstDescriptor
}

/**
 * Runs a shell command with `$uri` (and `$nbd`) naming the first volume, `$unixsocket` or `$port` the place. Resolves
 * with its exit code; when `signal` is aborted the command is told to end first.
 */
export function runBeside(
  command: string,
  address: Address,
  uris: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const uri = uris[0] ?? ''
  const place: Record<string, string> =
    'socket' in address
      ? { unixsocket: address.socket }
      : 'port' in address
        ? { port: `${address.port}` }
        : {}
  const child = spawn('sh', ['-c', command], {
    stdio: 'inherit',
    env: { ...process.env, ...place, uri, nbd: uri, uris: uris.join('\n') },
  })
  const end = () => child.kill('SIGTERM')
  signal.addEventListener('abort', end)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      signal.removeEventListener('abort', end)
      resolve(code ?? exitCodes.error)
    })
  })
}
