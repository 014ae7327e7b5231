/**
 * Nothing that stands in a trace, a scenario, a journal, a recording or a file name reaches the terminal raw, whichever
 * command prints it: hostile texts in every place that takes free text, through every command that could show them.
 */

// limit: 180 s

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeLog } from '../../trace/dm-log-encode.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('raw terminal')

/** Sets colours and titles, goes back, turns the writing around, ends a line. */
const hostile = 'x\u001b[31m\u009b2J\u202e\u2028\u0007\r'
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/
const spelled = /\\x1b|\\u001b/

const folder = scratch()
const at = (name: string) => join(folder, name)
const text = JSON.stringify(hostile)
const journal = at('night.journal')
const hostilePath = at(`no${hostile}such`)

/** Traces with hostile texts where their formats have any. */
const traces: Readonly<Record<string, string | Uint8Array>> = {
  'names.iolog': `fio version 3 iolog\n0 f\u001b[31m add\n0 f\u001b[31m open\n1 f\u001b[31m write 0 4096\n1 f\u001b[31m read 0 4096\n`,
  'names.blkparse': '  8,0    0        1     0.000000001   697  Q  WS 8 + 8 [sh\u001b[31m]\n',
  'names.csv':
    '128166372003061629,h\u001b[31mm,0,Read,4096,2048,2833\n128166372003061630,hm,0,Read,0,2048,2833\n',
  'marks.dmlog': encodeLog([
    { sector: 0, sectors: 1, flags: 0, data: new Uint8Array(512).fill(1) },
    { sector: 0, sectors: 0, flags: 8, data: new TextEncoder().encode(hostile) },
  ]),
  'cut.iolog': `fio version 3 iolog\n0 f add\n1 f \u001b[31mwhat 0 4096\n`,
  'head.csv': `${hostile}\n`,
  'plain.iolog':
    'fio version 3 iolog\n0 f add\n0 f open\n1 f write 0 4096\n2 f read 0 4096\n3 f write 4096 4096\n',
}

const scenario = (mark: number) => `name = ${text}
[[volume]]
name = "v"
size = "1M"
[[host]]
name = "h"
volume = "v"
trace = "plain.iolog"
[[step]]
at = "h:${mark}"
do = "mark"
label = ${text}
volume = "v"
`

test.before(async () => {
  for (const [name, content] of Object.entries(traces)) writeFileSync(at(name), content)
  for (const mark of [1, 2]) writeFileSync(at(`s${mark}.scenario.toml`), scenario(mark))
  await json('run', at('s1.scenario.toml'), '-j', journal)
  await json('run', at('s2.scenario.toml'), '-j', at('other.journal'))
  await json('export', '-j', journal, '-o', at('night.trace.jsonl'))
  await json('import', at('marks.dmlog'), '-j', at('marks.journal'), '--volume', 'v')
})

const golden = at('s1.scenario.toml')

/** Every command that prints names, labels, paths or what stands in a trace. */
const table: readonly (readonly string[])[] = [
  ...Object.keys(traces).flatMap((name) => [
    ['import', at(name), '--json'],
    ['lint', at(name)],
    ['convert', at(name), at('out.dmlog'), '--volume', 'nowhere', '--force'],
  ]),
  ['import', at('head.csv'), '--summary', '-f', 'msr'],
  ['lint', at('cut.iolog'), '--json'],
  ['convert', at('names.iolog'), '-', '--to', 'blkparse', '--volume', hostile, '--json'],
  ...(['import', 'replay', 'log', 'test'] as const).map((name) => [name, hostilePath]),
  ['convert', hostilePath, at('out.iolog')],
  ['diff', hostilePath, journal],
  ['redact', at('night.trace.jsonl'), at('bare.trace'), '--names', '--force'],
  ['run', golden, '-j', at('again.journal')],
  ['run', at('names.iolog'), '-j', at('third.journal'), '--dev', hostile],
  ['test', golden, '--update'],
  ['test', golden],
  ['test', golden, '--tap'],
  ['test', golden, '--json'],
  ['diff', journal, at('other.journal')],
  ['diff', at('night.trace.jsonl'), at('other.journal'), '--exact'],
  ['log', '-j', journal],
  ['log', '-j', journal, '--json'],
  ['log', at('night.trace.jsonl'), '--to', `mark:${hostile}`],
  ['info', '-j', journal],
  ['inspect', 'timeline', '-j', journal],
  ['inspect', 'timeline', '-j', at('marks.journal'), '--json'],
  ['inspect', 'block', 'v:0', '-j', journal],
  ['inspect', 'session', hostile, '-j', journal],
  ['inspect', 'restore', hostile, '-j', journal],
  ['inspect', 'block', `${hostile}:0`, '-j', journal],
  ['inspect', 'changed', 'v', '--from', `mark:${hostile}`, '-j', journal],
  ['image', `v@mark:${hostile}`, '-j', journal, '--digest'],
  ['image', `${hostile}@seq:1`, '-j', journal, '--digest'],
  ['bisect', '-j', journal, '--volume', hostile, '--', 'true'],
  ['bisect', '-j', journal, '--volume', 'v', '--', 'printf', hostile],
  ['export', hostile, '-j', journal, '-o', at('v.iolog')],
  ['export', 'v', '-j', journal, '-o', at('v.dmlog'), '--from', `mark:${hostile}`],
  ['mark', 'v', `again ${hostile}`, '-j', at('marks.journal')],
  ['volume', 'create', hostile, '--size', '1M', '-j', at('marks.journal')],
  ['simulate', '--keep', at('night.trace.jsonl'), '--part', hostile],
  [hostile],
]

test('what is hostile is spelled out by every command', async () => {
  let shown = 0
  for (const args of table) {
    const { code, out, err } = await blockbox(args)
    const what = `${args.map((arg) => JSON.stringify(arg)).join(' ')} (${code})`
    assert.not.match(out.replace(/\n/g, ''), raw, `standard output of ${what}`)
    assert.not.match(err.replace(/\n/g, ''), raw, `standard error of ${what}`)
    assert.not.match(err, /internal error/, what)
    if (spelled.test(out + err)) shown++
  }
  assert.ok(shown > 20, `${shown} of ${table.length} commands showed it`)
})

test('a label keeps its characters: it is found by them, and printed as JSON says it', async () => {
  const { out } = await blockbox(['log', '-j', journal, '--kind', 'mark', '--json'])
  assert.is(JSON.parse(out.trim().split('\n')[0]!).detail.label, hostile)
})

test.run()
