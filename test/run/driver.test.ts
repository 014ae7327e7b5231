/**
 * Driving: the order hosts keep when a backup makes some of their writes wait, and the pace they keep on a clock that
 * only moves when somebody sleeps, so that every instant is exact.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { replay } from '../../src/replay/replay.ts'
import { type RunReport, runScenario } from '../../src/run/driver.ts'
import { OutsideImages } from '../../src/run/outside-images.ts'
import type { Timekeeper } from '../../src/run/pace.ts'
import { PacedCopier } from '../../src/run/paced-copier.ts'
import { parseScenario } from '../../src/run/scenario.ts'
import { manualClock } from '../support/clock.ts'
import { eventsOf } from '../support/forgery.ts'
import { framesOf, openMemory } from '../support/store.ts'

const test = suite('driver')

const folder = mkdtempSync(join(tmpdir(), 'blockbox-driver-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

/** A fio log, version 3: microseconds, action, block and blocks. */
function trace(
  name: string,
  lines: readonly (readonly [us: number, action: string, at: number, count?: number])[],
) {
  const rows = lines.map(([us, action, at, count = 1]) => `${us} f ${action} ${at * 4096} ${count * 4096}`)
  writeFileSync(join(folder, name), ['fio version 3 iolog', '0 f add', '0 f open', ...rows, ''].join('\n'))
}

/** Time that passes only while somebody sleeps, and late by what each sleep is given. */
function virtualTime(lateNs = 0): Timekeeper & { sleeps: number } {
  let nowNs = 0
  const time = {
    sleeps: 0,
    nowNs: () => nowNs,
    async sleep(ms: number, signal: AbortSignal) {
      time.sleeps++
      if (!signal.aborted) nowNs += Math.max(1, ms * 1e6) + lateNs
    },
  }
  return time
}

async function driven(toml: string, time: Timekeeper = virtualTime()) {
  const opened = await openMemory()
  const copier = new PacedCopier()
  const images = new OutsideImages(folder)
  const engine = await openEngine({
    ...opened,
    openImage: images.open,
    clock: manualClock(),
    copier: copier.copy,
    readDigests: 'always',
  })
  let report: RunReport | undefined
  let failure: Error | undefined
  try {
    const scenario = parseScenario(toml, sizeOf)
    const { payload } = opened
    report = await runScenario({ engine, payload, copier, images, scenario, digest: '', folder, time })
  } catch (error) {
    failure = error as Error
  }
  await engine.settled()
  const verdict = await replay(opened.journal, { checks })
  const events = eventsOf(await framesOf(opened.store))
  assert.equal(verdict.findings, [])
  return { report, failure, events, stateHash: verdict.stateHash }
}

const sizeOf = (text: string) => Number(text.slice(0, -1)) * 1024

const volume = 'name = "t"\n[[volume]]\nname = "v"\nsize = "1024K"\n'
const host = (rest: string) => `[[host]]\nname = "h"\nvolume = "v"\nformat = "fio-iolog"\n${rest}\n`
/** A backup that holds what is written after two events, until the host can go on no more. */
const backup = (stop: string) =>
  '[[step]]\nat = "h:1"\ndo = "backup.start"\nname = "b"\nvolumes = ["v"]\n' +
  `[[host]]\nname = "k"\nvolume = "v"\nscan = "512K"\nstarted = false\n[[step]]\nat = "h:${stop}"\ndo = "host.start"\nhost = "k"\n` +
  '[[step]]\nat = "k:end"\ndo = "backup.stop"\nname = "b"\n'

const requests = (events: { kind: string; request: number }[]) =>
  events.filter(({ kind }) => /^io\.(?:read|write|flush)$/.test(kind)).map(({ request }) => request)

/** Write 2 is held; 3 reads what it writes; 4 and 5 do not touch it; 6 flushes; 7 writes elsewhere. */
const held = [
  [1, 'write', 0],
  [2, 'write', 1],
  [3, 'read', 1],
  [4, 'read', 9],
  [5, 'read', 8],
  [6, 'sync', 0, 0],
  [7, 'write', 20],
] as const

test('in overlap order, what depends on a held write waits and the rest goes past it', async () => {
  trace('held', held)
  const { events, report } = await driven(
    volume + host('trace = "held"\norder = "overlap"\ndepth = 4') + backup('2'),
  )
  const order = requests(events.filter(({ session }) => session === 1) as never)
  assert.equal(order, [1, 2, 4, 5, 3, 6, 7])
  assert.is(report?.hosts[0]?.submitted, 7)
})

test('in the order of the trace nothing goes past, and strict sends one at a time', async () => {
  trace('held', held)
  const inOrder = await driven(volume + host('trace = "held"\ndepth = 8') + backup('4'))
  assert.equal(
    requests(inOrder.events.filter(({ session }) => session === 1) as never),
    [1, 2, 3, 4, 5, 6, 7],
  )
  const strict = await driven(volume + host('trace = "held"\norder = "strict"\ndepth = 8') + backup('4'))
  assert.match(
    strict.failure?.message ?? '',
    /nothing can go on: h waits, and step host.start never becomes due/,
  )
  assert.equal(requests(strict.events as never), [1, 2])
})

test('the same run twice gives the same events and states', async () => {
  trace('held', held)
  const toml = volume + host('trace = "held"\norder = "overlap"\ndepth = 4') + backup('2')
  const [one, two] = [await driven(toml), await driven(toml)]
  assert.equal(one.events, two.events)
  assert.is(one.stateHash, two.stateHash)
})

test('a pace is kept: late sleeps make single requests late and add up to nothing', async () => {
  const lines = Array.from({ length: 2000 }, (_, k) => [k * 1000 + 7, 'write', k % 200] as const)
  trace('paced', lines)
  for (const [pace, seconds] of [
    ['recorded', 1.999007],
    ['10x', 0.1999007],
    ['0.5x', 3.998014],
  ] as const) {
    const { report } = await driven(
      volume + host(`trace = "paced"\npace = "${pace}"\ndepth = 64`),
      virtualTime(300_000),
    )
    const { scheduledNs, drift, p50Ns, maxNs, requests: sent } = report!.hosts[0]!.pace!
    assert.is(sent, 2000)
    assert.is(scheduledNs, Math.round(seconds * 1e9))
    assert.ok(drift >= 0 && drift < 0.01, `drift ${drift}`)
    assert.ok(p50Ns > 0 && maxNs <= 400_000, `late by ${p50Ns}, ${maxNs}`)
  }
})

test('two hosts share the time of the run: their requests come in the order of their times', async () => {
  trace(
    'even',
    Array.from({ length: 20 }, (_, k) => [k * 2000, 'write', k] as const),
  )
  trace(
    'odd',
    Array.from({ length: 20 }, (_, k) => [k * 2000 + 1000, 'write', 100 + k] as const),
  )
  const other = '[[volume]]\nname = "w"\nsize = "1024K"\n'
  const two = `${host('trace = "even"\npace = "2x"')}[[host]]\nname = "i"\nvolume = "w"\ntrace = "odd"\npace = "2x"\n`
  const { events } = await driven(volume + other + two)
  const volumes = events.filter(({ kind }) => kind === 'io.write').map((event) => event.volume)
  assert.equal(
    volumes,
    Array.from({ length: 40 }, (_, k) => 1 + (k % 2)),
  )
})

test('a paced host that waits for a held write waits no longer than the deadline of the backup', async () => {
  trace('held', held)
  const time = virtualTime()
  const { report, failure } = await driven(
    volume +
      host('trace = "held"\npace = "recorded"\ndepth = 1') +
      '[[step]]\nat = "h:1"\ndo = "backup.start"\nname = "b"\nvolumes = ["v"]\ndeadline_ms = 500\n',
    time,
  )
  assert.is(report, undefined)
  assert.match(failure?.message ?? '', /1 writes are held by a backup and fill the depth/)
  const waitedMs = time.nowNs() / 1e6
  assert.ok(waitedMs >= 1500 && waitedMs < 1600, `${waitedMs} ms`)
})

test('fields of a host that cannot be meant are refused', () => {
  const refused = (rest: string, words: RegExp) =>
    assert.throws(() => parseScenario(volume + host(`trace = "x"\n${rest}`), sizeOf), words)
  refused('pace = "slow"', /pace is "fast", "recorded"/)
  refused('order = "any"', /order is one of trace, overlap, strict/)
  refused('scale = "0"', /scale is a text/)
  refused('align = 1000', /align is a power of two/)
})

test.run()
