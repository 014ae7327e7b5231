/** `blockbox diff` on journals of real runs: the same scenario twice, another seed, another step. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('diff')

const folder = scratch()
const at = (name: string) => join(folder, `${name}.journal`)

const scenario = (seed: number, mark: number) => `name = "t"
seed = ${seed}
[[volume]]
name = "v"
size = "1M"
[[host]]
name = "h"
volume = "v"
trace = "t.iolog"
depth = 4
[[step]]
at = "h:${mark}"
do = "mark"
label = "m\\u001b[31m"
volume = "v"
`

test.before(async () => {
  const lines = Array.from(
    { length: 60 },
    (_, k) => `${k + 1} f ${k % 2 ? 'read' : 'write'} ${(k % 7) * 4096} 4096`,
  )
  writeFileSync(
    join(folder, 't.iolog'),
    ['fio version 3 iolog', '0 f add', '0 f open', ...lines, ''].join('\n'),
  )
  for (const [name, text] of [
    ['one', scenario(1, 30)],
    ['two', scenario(1, 30)],
    ['seed', scenario(2, 30)],
    ['mark', scenario(1, 40)],
  ] as const) {
    writeFileSync(join(folder, `${name}.toml`), text)
    await json('run', join(folder, `${name}.toml`), '-j', at(name))
  }
})

test('the same scenario twice is the same, event by event and state by state', async () => {
  const { code, out, err } = await blockbox(['diff', at('one'), at('two')])
  assert.equal([code, err], [0, ''])
  assert.match(out, /^the same: \d+ events, \d+ states\n$/)
  const timed = await blockbox(['diff', at('one'), at('two'), '--instants', '--context', '0'])
  assert.is(timed.code, 1)
  assert.match(
    timed.out,
    /^they part at event 1; 0 events and 0 states before it are the same\nA .*\nB .*\nevent 1 differs in\n {2}instant /,
  )
})

test('another seed parts at the first write, by its digest', async () => {
  const { code, out, err } = await blockbox(['diff', at('one'), at('seed'), '--json'])
  assert.equal([code, err], [1, ''])
  const { same, difference, before, notes, version } = JSON.parse(out)
  assert.equal([version, same, difference.what], [1, false, 'event'])
  assert.equal(
    difference.fields.map(({ field }: { field: string }) => field),
    ['digest'],
  )
  assert.is(difference.a[0].kind, 'io.write')
  assert.is(difference.a[0].seq, difference.seq)
  assert.not.equal(difference.a[0].digest, difference.b[0].digest)
  assert.is(before.length, 3)
  assert.match(notes[0], /asked differently/)
})

test('a step that comes later is shown with its context, and nothing raw reaches the terminal', async () => {
  const { code, out } = await blockbox(['diff', at('one'), at('mark'), '--context', '1'])
  assert.is(code, 1)
  assert.match(out, /\nA +\d+ .* mark +v label=m\\x1b\[31m\n/)
  assert.match(out, /\n {2}kind +A mark +B io\.(?:write|read)\n/)
  assert.is(
    out
      .trimEnd()
      .split('\n')
      .filter((line) => /^[AB] /.test(line)).length,
    4,
  )
})

test('a recording is compared as the journal that it is of', async () => {
  for (const name of ['one.trace.jsonl.gz', 'one.trace']) {
    const recording = join(folder, name)
    await json('export', '-j', at('one'), '-o', recording)
    const same = await blockbox(['diff', recording, at('one'), '--exact'])
    assert.equal([same.code, same.err], [0, ''])
    assert.match(same.out, /^the same: \d+ events, \d+ states\n$/)
    const parted = await blockbox(['diff', at('mark'), recording, '--json'])
    assert.is(parted.code, 1)
    assert.equal(
      JSON.parse(parted.out).difference.seq,
      JSON.parse((await blockbox(['diff', at('mark'), at('one'), '--json'])).out).difference.seq,
    )
  }
})

test('one journal, and what is none, are refused', async () => {
  const same = await blockbox(['diff', at('one'), at('one')])
  assert.is(same.code, 2)
  assert.match(same.err, 'are the same: name two runs')
  const file = await blockbox(['diff', at('one'), join(folder, 'one.toml')])
  assert.is(file.code, 2)
  assert.match(file.err, 'is no recorded run: name a journal')
  assert.is((await blockbox(['diff', at('one'), join(folder, 'missing')])).code, 10)
  assert.ok(readFileSync(join(folder, 'one.toml')).length > 0)
})

test.run()
