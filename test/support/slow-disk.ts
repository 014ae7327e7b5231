/** A run on a disk whose writes wait until they are let go on: what is answered meanwhile, and what is not. */

import type { Answer } from '../../src/engine/ask.ts'
import { type Run, type RunOptions, startRun, turn } from './run.ts'
import { hooked, memoryStore } from './store.ts'

/** A disk whose writes wait for `open`, or fail. */
function disk() {
  let waiting: (() => void)[] = []
  let closed = false
  let failure: Error | undefined
  const before = async () => {
    if (closed) await new Promise<void>((resolve) => waiting.push(resolve))
    if (failure !== undefined) throw failure
  }
  return {
    store: hooked(memoryStore(), before),
    hold: () => {
      closed = true
    },
    open: () => {
      closed = false
      const all = waiting
      waiting = []
      for (const resolve of all) resolve()
    },
    fail: (error: Error) => {
      failure = error
    },
    repair: () => {
      failure = undefined
    },
  }
}

/** A run on such a disk, with one volume of 16 blocks and a session. */
export async function onDisk(options: RunOptions = {}): Promise<{ run: Run; slow: ReturnType<typeof disk> }> {
  const slow = disk()
  const run = await startRun({ ...options, on: { store: slow.store } })
  await run.volume('disk', 16)
  await run.must('session.open', { name: 'host' })
  return { run, slow }
}

/** What became of a promise so far. */
export async function stateOf(answer: Promise<Answer | undefined>): Promise<string> {
  await turn()
  await turn()
  const pending = Symbol('pending')
  const now = await Promise.race([answer, Promise.resolve(pending)])
  if (now === pending) return 'waits'
  return (now as Answer | undefined)?.code ?? 'error'
}
