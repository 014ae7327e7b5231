/** What is kept of a failing run shows the failure without the simulator: digests of reads, asks and answers. */

import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { openToRead } from '../../src/engine/open-folder.ts'
import { LevelPayload } from '../../src/payload/level-payload.ts'
import { replay } from '../../src/replay/replay.ts'
import type { NotedAsk } from '../../src/sim/ask-log.ts'
import { shrink } from '../../src/sim/shrink.ts'
import { simulate } from '../../src/sim/simulator.ts'
import { asksBeside, keepAt, refuseTakenPlace } from '../../tools/kept-run.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('ask log')

test('with evidence a run takes the same steps, and each ask is noted with its answer', async () => {
  const options = { seed: 3, steps: 600, crashEvery: 0, faultEvery: 0, disk: 'honest', twice: false } as const
  const plain = await simulate(options)
  const proved = await simulate({ ...options, evidence: true })
  assert.equal([proved.events, proved.stateHash], [plain.events, plain.stateHash])
  assert.is(plain.asks.length, 0)
  assert.ok(proved.asks.length > 100)
  for (const [k, { ask, kind, code }] of proved.asks.entries()) {
    assert.is(ask, k + 1)
    assert.type(code, 'string', `${kind} was answered`)
  }
  const read = proved.asks.find(({ kind, code }) => kind === 'io.read' && code === 'ok')
  assert.match(String(read!.answer_sha256), /^[0-9a-f]{16}$/)
})

/** What is read to answer a host comes back with a bit flipped, while `run` goes on. */
async function misread<Value>(run: () => Promise<Value>): Promise<Value> {
  const sound = Object.getOwnPropertyDescriptor(LevelPayload.prototype, 'read')!
  const value = function (this: LevelPayload, place: number, length: number): Uint8Array {
    const bytes = (sound.value as LevelPayload['read']).call(this, place, length)
    if (!new Error().stack!.includes('readAnswer')) return bytes
    const altered = new Uint8Array(bytes)
    altered[7]! ^= 1
    return altered
  }
  Object.defineProperty(LevelPayload.prototype, 'read', { ...sound, value })
  try {
    return await run()
  } finally {
    Object.defineProperty(LevelPayload.prototype, 'read', sound)
  }
}

test('a read that returned other bytes is found in what was kept, without the simulator', async () => {
  const folder = temporaryFolder()
  try {
    const options = { seed: 1, steps: 400, faultEvery: 0, evidence: true, twice: false } as const
    const shrunk = await misread(async () => {
      const run = await simulate(options)
      assert.is(run.findings[0]?.rule, 'content')
      return shrink(options, run, { maxRuns: 30 })
    })
    const path = folder.fresh()
    refuseTakenPlace(path)
    await keepAt(path, shrunk.run)
    const { journal, payload } = await openToRead(path)
    const { findings, reads } = await replay(journal, { payload, checks })
    await journal.close()
    assert.is(reads?.unknown, 0)
    const [found] = findings
    assert.is(found?.rule, 'G-I6')
    const lines = readFileSync(asksBeside(path), 'utf8').trimEnd().split('\n')
    const answered = lines.map((line) => JSON.parse(line) as NotedAsk).find(({ seq }) => seq === found!.seq)
    assert.is(answered?.kind, 'io.read')
  } finally {
    folder.remove()
  }
})

test('asks of another run are not written over', async () => {
  const folder = temporaryFolder()
  try {
    const path = folder.fresh()
    await keepAt(path, await simulate({ seed: 2, steps: 20, evidence: true, twice: false }))
    assert.throws(() => refuseTakenPlace(path), /asks\.jsonl is there already/)
  } finally {
    folder.remove()
  }
})

test.run()
