/**
 * A hold queue that overflows is nobody else's concern: how many commits, and how many events in them, a write to a volume
 * that is not held waits for, before, during and after the overflow of another's. Counted, not timed.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Run, startRun } from '../support/run.ts'
import { hooked, memoryStore } from '../support/store.ts'

const test = suite('hold overflow')

const most = 64
/** Writes of the busy host of the held volume for each of the other one. */
const pressure = 8

/** A run with the volumes `busy` and `calm`, each with a host, on a store that counts its commits. */
async function twoVolumes() {
  const counted = { commits: 0 }
  const store = hooked(memoryStore(), () => {
    counted.commits++
  })
  const run = await startRun({ on: { store } })
  await run.volume('busy', 256)
  await run.volume('calm', 16)
  await run.must('session.open', { name: 'busy-host' })
  await run.must('session.open', { name: 'calm-host' })
  return { run, counted }
}

interface Waited {
  readonly commits: number
  readonly code: string | undefined
}

/** What writes to `calm` wait for, one at a time, while the host of `busy` writes without waiting. */
async function calmWrites(run: Run, counted: { commits: number }, times: number): Promise<Waited[]> {
  const all: Waited[] = []
  for (let k = 0; k < times; k++) {
    for (let at = 0; at < pressure; at++) run.post('io.write', { at: (k * pressure + at) % 256 })
    const before = counted.commits
    const answer = await run.io('io.write', { session: 2, volume: 2, at: k % 16 })
    all.push({ commits: counted.commits - before, code: answer?.code })
  }
  return all
}

const worst = (some: readonly Waited[]) => Math.max(...some.map(({ commits }) => commits))
const total = (some: readonly Waited[]) => some.reduce((sum, { commits }) => sum + commits, 0)
const busyCodes = (run: Run) =>
  new Set(run.answers.filter(({ ask }) => 'volume' in ask && ask.volume === 1).map(({ code }) => code))

const policies = [
  { policy: 'backpressure', says: 'E_AGAIN' },
  { policy: 'error-writes', says: 'E_BOUND' },
  { policy: 'abort-backup', says: 'ok' },
] as const

for (const { policy, says } of policies) {
  test(`${policy}: a write to another volume waits for no more commits than before`, async () => {
    const { run, counted } = await twoVolumes()
    const before = await calmWrites(run, counted, 20)
    const detail = { name: 'b', volumes: [1], deadlineMs: 0, maxEntries: most, maxBytes: 0, policy }
    await run.must('backup.start', detail)
    run.answers.length = 0
    const during = await calmWrites(run, counted, (2 * most) / pressure)
    assert.ok(busyCodes(run).has(says), `${[...busyCodes(run)]}`)
    for (const { code } of [...before, ...during]) assert.is(code, 'ok')
    assert.ok(worst(before) > 0)
    assert.ok(worst(during) <= 2 * worst(before), `${worst(during)} commits, ${worst(before)} before`)
    const ratio = total(during) / during.length / (total(before) / before.length)
    assert.ok(ratio <= 2, `${ratio} times as many commits as before`)
  })
}

test.run()
