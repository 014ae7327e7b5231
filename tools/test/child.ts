/**
 * One test file in a process of its own, with a time limit.
 *
 *     running ── exits ──▶ draining ── output closed ──▶ done
 *        │ limit              │ grace
 *        ▼                    ▼
 *     SIGTERM, then SIGKILL to the file's whole process group
 */

import { type ChildProcess, spawn } from 'node:child_process'
import type { Ending } from './verdict.ts'

/** What is kept of a file's output: its end, in characters. */
const KEPT = 2 ** 20
/** How long the output may stay open after the process has gone, and how long SIGTERM is given. */
const GRACE_MS = 2000

export interface Finished {
  readonly ending: Ending
  /** Both outputs as they came. */
  readonly output: string
  readonly ms: number
}

const running = new Set<ChildProcess>()

/** Runs one file with this Node and the options it was given. Never rejects. */
export function runFile(file: string, limitMs: number): Promise<Finished> {
  return new Promise((resolve) => {
    const started = performance.now()
    const { FORCE_COLOR: _, ...env } = process.env
    const child = spawn(process.execPath, ['--enable-source-maps', ...process.execArgv, file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env, NO_COLOR: '1' },
      detached: true,
    })
    running.add(child)
    let stdout = ''
    let output = ''
    let expired = false
    let lingering = false
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-KEPT)
      output = (output + text).slice(-KEPT)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT)
    })
    const limit = setTimeout(() => {
      expired = true
      stop(child, 'SIGTERM')
      setTimeout(() => stop(child, 'SIGKILL'), GRACE_MS).unref()
    }, limitMs)
    child.once('exit', () => {
      const grace = setTimeout(() => {
        lingering = true
        stop(child, 'SIGKILL')
        child.stdout.destroy()
        child.stderr.destroy()
      }, GRACE_MS)
      child.once('close', () => clearTimeout(grace))
    })
    const finish = (code: number | null, signal: string | null) => {
      clearTimeout(limit)
      running.delete(child)
      const ending = { code, signal, stdout, lingering, ...(expired ? { expiredMs: limitMs } : {}) }
      resolve({ ending, output, ms: performance.now() - started })
    }
    child.once('error', (error) => {
      output += `cannot start: ${error.message}\n`
      if (child.pid === undefined) finish(-1, null)
    })
    child.once('close', finish)
  })
}

/** Ends every file that still runs. */
export function stopAll(): void {
  for (const child of running) stop(child, 'SIGKILL')
}

/** Signals the group the child leads, so that what a test started goes with it. */
function stop(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  } catch {
    // The group is gone already.
  }
}
