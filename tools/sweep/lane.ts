/**
 * A lane of the sweep: judges a chunk of cases in child processes, one after the other.
 *
 *     child ─ a line a case ─▶ done
 *       └─ ended by a signal, or no line for too long ─▶ that case is `ended` or `hung`, or `aborted` where a verify had
 *          said what there is to say; a new child goes on behind it
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Judged } from './judge.ts'

export interface Line {
  readonly k: number
  /**
   * `aborted`: a verify says what is damaged; who reads without one has the process ended by LevelDB. `ended`: so has
   * a verify or a salvage. `hung`: did not come back.
   */
  readonly verdict: Judged['verdict'] | 'aborted' | 'ended' | 'hung'
  readonly code?: string
  readonly seq?: number
  readonly why?: string
}

export interface Stretch {
  readonly folder: string
  readonly from: number
  readonly to: number
  readonly step: number
  /** One reported case in so many is salvaged too. */
  readonly salvageEvery: number
}

const child = fileURLToPath(new URL('child.js', import.meta.url))
/** A case takes some milliseconds. */
const patienceMs = 60_000

/**
 * Judges the cases of a stretch; `take` gets a line of each. `work` is a folder that copies are made in. With `signal` it
 * ends at once, and the case it was at is not judged.
 */
export async function judgeStretch(
  { folder, from, to, step, salvageEvery }: Stretch,
  work: string,
  take: (line: Line) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let next = from; next < to && !signal.aborted; ) {
    const place = mkdtempSync(join(work, 'lane-'))
    try {
      const args = [folder, place, next, to, step, salvageEvery].map(String)
      const judged = (line: Line) => {
        next = line.k + step
        take(line)
      }
      const ended = await judgeSome(args, judged, signal)
      if (ended === undefined || signal.aborted) return
      take({ k: next, verdict: ended })
      next += step
    } finally {
      rmSync(place, { recursive: true, force: true })
    }
  }
}

/** Runs one child, whom Ctrl-C does not reach; undefined when it got to its end. */
async function judgeSome(
  args: readonly string[],
  take: (line: Line) => void,
  signal: AbortSignal,
): Promise<'aborted' | 'ended' | 'hung' | undefined> {
  const running = spawn(process.execPath, [child, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let complaint = ''
  let isHung = false
  let isVerified = false
  const kill = () => running.kill('SIGKILL')
  const watch = setTimeout(() => {
    isHung = true
    kill()
  }, patienceMs)
  signal.addEventListener('abort', kill, { once: true })
  running.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000)
  })
  const closed = once(running, 'close') as Promise<[number | null, string | null]>
  for await (const line of createInterface({ input: running.stdout })) {
    watch.refresh()
    const said = JSON.parse(line) as Line | { readonly verified: true }
    isVerified = 'verified' in said
    if (!('verified' in said)) take(said)
  }
  const [code, killedBy] = await closed
  clearTimeout(watch)
  signal.removeEventListener('abort', kill)
  if (isHung) return 'hung'
  if (killedBy !== null) return isVerified ? 'aborted' : 'ended'
  if (code === 0) return undefined
  throw new Error(`a process of the sweep ended with ${code}: ${complaint}`)
}
