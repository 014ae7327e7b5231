/**
 * A trial: a command of the user, run on an image, and what its exit code says of it.
 *
 *     started in a process group of its own ──▶ exit 0: good · 125: skip · 1 to 127: bad · more, or a signal: an error
 *          └── too long ──▶ ended with all it started ──▶ bad            Ctrl-C ──▶ ended ──▶ the reason of the signal
 *
 * The codes are those of `git bisect run`.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { BlockboxError } from '../src/core/errors.ts'
import type { Trial } from '../src/replay/bisect.ts'

export interface TrialAsk {
  readonly command: readonly string[]
  /** The file; it stands for each `{}` of the command, or comes last. */
  readonly image: string
  /** The event the image is true after. */
  readonly seq: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface TrialEnd {
  readonly says: Trial
  /** In words: `exit 1`, `longer than 5 s`. */
  readonly how: string
  /** The last of what it printed, as it was; not to be shown raw. */
  readonly said: string
}

const keptBytes = 4096
const skipCode = 125
/** The largest exit code that is about the image; what shells use beyond is about the command. */
const lastBad = 127
/** A command that was asked to end has so long until it is made to. */
const graceMs = 2000

/** Throws USAGE for a command that cannot be started, or that was ended by a signal or an exit code above 127. */
export async function runTrial(ask: TrialAsk): Promise<TrialEnd> {
  const { command, image, seq, timeoutMs, signal } = ask
  signal.throwIfAborted()
  const named = command.some((word) => word.includes('{}'))
  const [program = '', ...rest] = command.map((word) => word.replaceAll('{}', image))
  const env = { ...process.env, BLOCKBOX_IMAGE: image, BLOCKBOX_SEQ: String(seq) }
  const child = spawn(program, named ? rest : [...rest, image], {
    ...{ env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  })
  const said = tailOf(child)
  let late = false
  const end = () => endGroup(child)
  const timer = setTimeout(() => {
    late = true
    end()
  }, timeoutMs)
  signal.addEventListener('abort', end, { once: true })
  try {
    const { code, by } = await ended(child, program)
    signal.throwIfAborted()
    if (late) return { says: 'bad', how: `longer than ${timeoutMs / 1000} s`, said: said() }
    return { says: verdictOf(code, by, seq), how: `exit ${code}`, said: said() }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    signalGroup(child, 'SIGKILL')
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
}

function verdictOf(code: number | null, by: string | null, seq: number): Trial {
  if (code === 0) return 'good'
  if (code === skipCode) return 'skip'
  if (code !== null && code <= lastBad) return 'bad'
  const how = code === null ? `signal ${by}` : `exit code ${code}`
  const message = `the command ended with ${how} after event ${seq}, which says nothing of the image: if it does, write sh -c 'CMD || exit 1'`
  throw new BlockboxError('USAGE', message)
}

function ended(child: ChildProcess, program: string): Promise<{ code: number | null; by: string | null }> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code, by) => setImmediate(() => resolve({ code, by })))
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'there is no such program' : cause.message
      reject(new BlockboxError('USAGE', `cannot start ${program}: ${why}`, { cause }))
    })
  })
}

/** Asks the command and all it started to end, and makes them when they do not. */
function endGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGTERM')
  setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs).unref()
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody of the group is left.
  }
}

/** Gathers what a command prints and gives the last of it. */
function tailOf({ stdout, stderr }: ChildProcess): () => string {
  let tail = Buffer.alloc(0)
  const add = (bytes: Buffer) => {
    tail = Buffer.concat([tail, bytes]).subarray(-keptBytes)
  }
  stdout?.on('data', add)
  stderr?.on('data', add)
  return () => tail.toString('utf8').trimEnd()
}
