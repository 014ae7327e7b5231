/**
 * Golden runs that do not come out: a rule that decides otherwise, a scenario that says something else, recordings that
 * are damaged, longer or shorter. The first difference is named with both sides; reports for machines say the same.
 */

import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { firstDivergence } from '../../src/golden/divergence.ts'
import { goldenFiles, goldenRun, goldenRuns } from '../../src/golden/golden-run.ts'
import { updateGolden } from '../../src/golden/golden-update.ts'
import { junit, resultJson, tap } from '../../tools/golden-report.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'
import { busyRun, exported } from '../support/recordings.ts'
import { blockbox, ofRepository } from '../tools/commands/blockbox.ts'

const test = suite('golden divergence')

const folder = temporaryFolder()
test.after(() => folder.remove())

/** A folder with a copy of one golden run, and the text of its scenario changed. */
function copied(change: (toml: string) => string = (toml) => toml): string {
  const place = folder.fresh('golden')
  mkdirSync(place)
  const from = ofRepository('traces', 'golden')
  for (const name of readdirSync(from)) {
    if (name.startsWith('s1-') || name.endsWith('.iolog')) copyFileSync(join(from, name), join(place, name))
  }
  const scenario = join(place, 's1-hold-queue.scenario.toml')
  writeFileSync(scenario, change(readFileSync(scenario, 'utf8')))
  return place
}

const recordingIn = (place: string) => join(place, 's1-hold-queue.trace.jsonl')

test('a scenario that says something else parts where it does, told with both sides and each field', async () => {
  const place = copied((toml) => toml.replace('max_entries = 3', 'max_entries = 4'))
  const { ok, divergence, text, findings } = await goldenRun(recordingIn(place))
  assert.equal([ok, findings], [false, []])
  assert.is(divergence!.what, 'event')
  assert.equal(divergence!.fields, [{ field: 'detail.max_entries', recorded: '3', now: '4' }])
  assert.match(
    divergence!.recorded!,
    new RegExp(`^ +${divergence!.seq} .*backup\\.start .*maxEntries|max_entries=3`),
  )
  assert.match(
    text,
    /the runs part at event \d+ \(- recorded, \+ now\):\n( {4}.*\n){3} {2}- .*max_entries=3.*\n {2}\+ .*max_entries=4/,
  )
  assert.match(text, /name=second volumes=disk/)
})

test('another wording of the same scenario is no difference', async () => {
  const place = copied((toml) => `# said in other words\n${toml}`)
  assert.is((await goldenRun(recordingIn(place))).ok, true)
})

test('a run that ends earlier or later parts at the end of the shorter one', async () => {
  const run = await busyRun([5, 99], false)
  const longer = await busyRun([5, 99, 100], false)
  const [a, b] = [run.opened.journal, longer.opened.journal]
  const { last } = a.bounds()
  const shorter = await firstDivergence(a, b)
  assert.equal([shorter!.what, shorter!.seq, shorter!.recorded], ['end', last + 1, undefined])
  assert.ok(shorter!.now!.includes(String(last + 1)))
  const other = await firstDivergence(b, a)
  assert.equal([other!.what, other!.seq, other!.now], ['end', last + 1, undefined])
  assert.is(await firstDivergence(a, a), undefined)
})

test('a recording without a scenario is decided again, and that is all', async () => {
  const run = await busyRun([17, 4242], true)
  const place = folder.fresh('alone')
  mkdirSync(place)
  const path = join(place, 'alone.trace')
  writeFileSync(path, await exported(run.opened, 'records'))
  const { ok, text, events } = await goldenRun(join(place, 'alone'))
  assert.ok(ok, text)
  assert.is(events, run.opened.journal.bounds().last)
  assert.equal(goldenFiles(path), { name: 'alone', scenario: undefined, recording: path })
  await fails('USAGE', () => updateGolden(path))
})

test('a damaged recording is told with its line, and is no crash', async () => {
  const place = copied()
  const path = recordingIn(place)
  writeFileSync(path, readFileSync(path, 'utf8').replace('"fate":"held"', '"fate":"queued"'))
  const { ok, text, events } = await goldenRun(path)
  assert.equal([ok, events], [false, 0])
  assert.match(text, /line \d+: .*not the one that stands here/)
})

test('what is no golden run is said to be none', async () => {
  const place = copied()
  await fails('USAGE', () => goldenRun(join(place, 'nothing')))
  assert.throws(() => goldenRuns(join(place, 'nothing')), /is no folder/)
  assert.equal(goldenRuns(place), [recordingIn(place)])
})

test('--update makes it anew on purpose and says what changed; unchanged it leaves the file alone', async () => {
  const place = copied()
  const path = recordingIn(place)
  const before = statSync(path).mtimeMs
  const same = await updateGolden(path)
  assert.equal([same.change, statSync(path).mtimeMs], ['unchanged', before])
  const scenario = join(place, 's1-hold-queue.scenario.toml')
  writeFileSync(scenario, readFileSync(scenario, 'utf8').replace('max_entries = 3', 'max_entries = 4'))
  const { change, divergence, text } = await updateGolden(path)
  assert.is(change, 'changed')
  assert.equal(divergence!.fields, [{ field: 'detail.max_entries', recorded: '3', now: '4' }])
  assert.match(text, /s1-hold-queue: changed, \d+ events; the runs part at event/)
  assert.is((await goldenRun(path)).ok, true)
})

test('the command: green and red, as text, JSON, TAP and JUnit', async () => {
  const green = copied()
  const good = await blockbox(['test', green])
  assert.equal([good.code, good.err], [0, ''])
  assert.match(
    good.out,
    /^ok {3}s1-hold-queue: \d+ events decided again and recorded anew\n1 of 1 golden runs/,
  )
  const red = copied((toml) => toml.replace('max_entries = 3', 'max_entries = 4'))
  const bad = await blockbox(['test', green, recordingIn(red)])
  assert.is(bad.code, 12)
  assert.match(
    bad.out,
    /\nFAIL s1-hold-queue: the runs part[\s\S]*detail\.max_entries: recorded 3, now 4\n1 of 2/,
  )
  const lines = (await blockbox(['test', green, recordingIn(red), '--json'])).out.trim().split('\n')
  const [one, two] = lines.map((line) => JSON.parse(line))
  assert.equal([one.ok, one.divergence, two.ok, two.divergence.what], [true, null, false, 'event'])
  assert.equal(two.divergence.fields, [{ field: 'detail.max_entries', recorded: '3', now: '4' }])
  assert.match(
    (await blockbox(['test', green, '--tap'])).out,
    /^TAP version 14\n1\.\.1\nok 1 - s1-hold-queue\n$/,
  )
  const xml = (await blockbox(['test', recordingIn(red), '--junit'])).out
  assert.match(xml, /<testsuite name="blockbox golden runs" tests="1" failures="1">/)
  assert.is((await blockbox(['test', folder.fresh()])).code, 2)
  const updated = await blockbox(['test', recordingIn(red), '--update', '--json'])
  assert.equal([updated.code, JSON.parse(updated.out).change], [0, 'changed'])
  assert.is((await blockbox(['test', red])).code, 0)
})

test('reports spell out what a terminal or a parser must not get', () => {
  const text = 'x: parts & <ends>\n  - "a\u001b[31m"'
  const result = { ok: false, name: 'x#1\u001b', path: 'x', events: 0, stateHash: '', findings: [], text }
  for (const report of [tap([result]), junit([{ result, ms: 1 }])]) assert.not.ok(report.includes('\u001b'))
  assert.match(tap([result]), /^not ok 1 - x\\#1/m)
  assert.match(junit([{ result, ms: 1 }]), /message="x: parts &amp; &lt;ends&gt;"/)
  assert.is(JSON.parse(resultJson(result)).text, text)
})

test.run()
