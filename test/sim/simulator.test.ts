/** A fixed set of seeds; a run is repeatable; what is planted is found, and made small. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { Violation } from '../../src/core/assert.ts'
import { openToRead } from '../../src/engine/open-folder.ts'
import { device } from '../../src/layers/device.ts'
import { openRecordedJournal } from '../../src/recording/recorded-journal.ts'
import { replay } from '../../src/replay/replay.ts'
import { verify } from '../../src/replay/verify.ts'
import { ContentOracle } from '../../src/sim/content-oracle.ts'
import { shrink } from '../../src/sim/shrink.ts'
import { simulate } from '../../src/sim/simulator.ts'
import { keepAt, refuseTakenPlace } from '../../tools/kept-run.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('simulator')
/** Found trouble once, or reaches what others do not; each is short. */
const seeds = [1, 2, 3, 5, 42, 177]

for (const seed of seeds) {
  test(`seed ${seed}: nothing is lost, reordered or altered through failures and crashes`, async () => {
    const run = await simulate({ seed, steps: 2500, crashEvery: 300, faultEvery: 60 })
    assert.equal(run.findings, [])
    assert.ok(run.events > 1000)
    assert.ok(run.crashes > 0)
  })
}

test('payload in segments: a lying, a rotting and a tearing disk are seen through', async () => {
  for (const disk of ['honest', 'lying', 'rotting', 'tearing'] as const) {
    const asked = { seed: 21, steps: 1500, crashEvery: 60, faultEvery: 100, disk, segmentedFrom: 1 }
    const run = await simulate({ ...asked, rates: { decay: disk === 'rotting' ? 1 : 0, eio: 0 } })
    assert.equal(run.findings, [])
    assert.ok(run.crashes > 5)
    assert.ok(disk !== 'lying' || run.faults.broken! > 0)
    assert.ok(disk === 'lying' || disk === 'rotting' ? run.reports > 0 : run.reports === 0)
  }
})

test('a run with segments is kept with them', async () => {
  const folder = temporaryFolder()
  try {
    const run = await simulate({ seed: 4, steps: 600, crashEvery: 100, segmentedFrom: 1, twice: false })
    const path = folder.fresh()
    await keepAt(path, run)
    assert.ok(readdirSync(join(path, 'payload')).length > 0)
    const { journal, payload } = await openToRead(path)
    const { findings, payloads } = await verify(journal, payload)
    await journal.close()
    assert.equal(findings, [])
    assert.ok(payloads > 10)
    const recording = `${folder.fresh()}.trace`
    await keepAt(recording, run)
    const recorded = await openRecordedJournal(recording, { payload: true })
    const again = await verify(recorded.journal, recorded.payload!)
    assert.equal([again.findings, again.payloads], [[], payloads])
  } finally {
    folder.remove()
  }
})

test('an end that a data mover reports twice is refused and changes nothing: seed 199 came to it', async () => {
  const { findings } = await simulate({ seed: 199, steps: 950, twice: false })
  assert.equal(findings, [])
})

test('a checkpoint that a power cut tore is harmed, though nobody was promised it: seed 153 came to it', async () => {
  const { findings, faults } = await simulate({ seed: 153, steps: 3200, twice: false })
  assert.ok(faults.tear! > 0)
  assert.equal(findings, [])
})

test('volumes with other blocks than the rest are audited by their own: seed 222 came to it', async () => {
  const steps = [660, 917, 919, 5843, 5844, 5853, 5854, 6028, 6047, 6049]
  const run = await simulate({ seed: 222, steps, beginning: [], ending: [], twice: false })
  assert.is(run.faults.decay, 1)
  assert.equal(run.findings, [])
})

for (const [seed, steps, what] of [
  [11, 100, 'a torn frame behind one that rotted'],
  [22, 1800, 'a frame that came back when what replaced it was lost'],
  [1072, 1750, 'a torn frame that came back when its removal was lost'],
  [139, 1900, 'a frame that comes when its process is dead'],
] as const) {
  test(`a lying disk that rots too: ${what}: seed ${seed} came to it`, async () => {
    const rates = { decay: 2, rot: 40 }
    const run = await simulate({
      ...{ seed, steps, crashEvery: 60, faultEvery: 40, disk: 'lying', rates, twice: false },
    })
    assert.ok(run.reports > 0)
    assert.equal(run.findings, [])
  })
}

test('another seed is another run, the same one the same', async () => {
  const [a, b, again] = [
    await simulate({ seed: 11, steps: 400, twice: false }),
    await simulate({ seed: 12, steps: 400, twice: false }),
    await simulate({ seed: 11, steps: 400, twice: false }),
  ]
  assert.is(a.head.hash, again.head.hash)
  assert.not.equal(a.head.hash, b.head.hash)
})

test('a run is kept as a journal or, by the name, as a recording, which say the same', async () => {
  const folder = temporaryFolder()
  try {
    const run = await simulate({ seed: 11, steps: 200, crashEvery: 50, twice: false })
    const heads: string[] = []
    for (const ending of ['.trace.jsonl', '.trace']) {
      const path = folder.fresh() + ending
      refuseTakenPlace(path)
      await keepAt(path, run)
      assert.throws(() => refuseTakenPlace(path), /is there already/)
      const { journal } = await openRecordedJournal(path)
      const { findings, head } = await replay(journal, { checks })
      assert.equal(findings, [])
      heads.push(head.hash)
    }
    const path = folder.fresh()
    await keepAt(path, run)
    const { journal } = await openToRead(path)
    heads.push((await replay(journal)).head.hash)
    await journal.close()
    assert.equal(heads, [run.head.hash, run.head.hash, run.head.hash])
  } finally {
    folder.remove()
  }
})

test('a run goes on from steps that are left out', async () => {
  const steps = Array.from({ length: 600 }, (_, k) => k).filter((k) => k % 3 !== 0)
  const run = await simulate({ seed: 5, steps })
  assert.equal(run.findings, [])
  assert.is(run.steps, steps.length)
})

test('a planted fault is found and made small', async () => {
  const sound = ContentOracle.prototype.answered
  let reads = 0
  ContentOracle.prototype.answered = function (seq, data) {
    const altered = data.slice()
    if (data.some((byte) => byte !== 0)) {
      reads++
      altered[0]! ^= 1
    }
    sound.call(this, seq, altered)
  }
  try {
    const asked = { seed: 9, steps: 5000 }
    const run = await simulate({ ...asked, twice: false })
    assert.is(run.findings[0]?.rule, 'content')
    const small = await shrink(asked, run)
    assert.is(small.run.findings[0]?.rule, 'content')
    assert.ok(small.steps.length < 20, `${small.steps.length} steps are left`)
    assert.ok(reads > 0)
  } finally {
    ContentOracle.prototype.answered = sound
  }
})

test('a layer that breaks a rule ends the run with that rule', async () => {
  const { evolve } = device
  let heard = 0
  Object.assign(device, {
    evolve(...args: Parameters<typeof evolve>) {
      if (args[1].kind === 'volume.created' && ++heard === 16) throw new Violation('S1-I1', 'planted')
      evolve(...args)
    },
  })
  try {
    const run = await simulate({ seed: 6, disk: 'honest', steps: 4000, twice: false })
    assert.ok(run.findings.length > 0)
  } finally {
    Object.assign(device, { evolve })
  }
})

test.run()
