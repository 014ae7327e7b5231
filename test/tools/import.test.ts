/** `blockbox import` as a shell sees it: lines, summaries, remarks and refusals. The command runs in a process of its own. */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bit, encodeLog } from '../trace/dm-log-encode.ts'

const test = suite('import')

const compiled = (name: string) => new URL(`../../tools/${name}.js`, import.meta.url).href
const folder = mkdtempSync(join(tmpdir(), 'blockbox-import-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const program = join(folder, 'program.mjs')
writeFileSync(
  program,
  `import { createProgram, main } from '${compiled('program')}'
  import { add } from '${compiled('commands/import')}'
  await main(createProgram('0', [add]), process.argv)`,
)

function run(args: readonly string[], input: Uint8Array | string = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'import', ...args], { input })
  return { code: status, out: stdout.toString(), err: stderr.toString() }
}

const data = new Uint8Array(1024).fill(3)
const log = encodeLog(
  [
    { sector: 2, sectors: 2, flags: bit.fua, data },
    { sector: 0, sectors: 0, flags: bit.flush },
    { sector: 0, sectors: 0, flags: bit.mark, label: 'end' },
  ],
  512,
  2,
)
const path = join(folder, 'log.gz')
writeFileSync(path, gzipSync(log))

const fio = 'fio version 3 iolog\n5 v open\n7 v write 0 4096\n9 v sync 0 0\n'

test('events come as lines of JSON, with the digest of their data', () => {
  const { code, out, err } = run([
    path,
    '--format',
    'dm-log-writes',
    '--json',
    '--salvage',
    '--producer',
    'qemu',
  ])
  const sha = createHash('sha256').update(data).digest('hex')
  assert.is(err, '')
  assert.is(code, 0)
  assert.equal(out.split('\n'), [
    `{"i":0,"t_ns":null,"op":"write","offset":1024,"length":1024,"dev":null,"flags":["FUA"],"data_sha256":"${sha}"}`,
    '{"i":1,"t_ns":null,"op":"flush","offset":0,"length":0,"dev":null,"flags":[]}',
    '{"i":2,"t_ns":null,"op":"mark","offset":0,"length":0,"dev":null,"flags":[],"label":"end"}',
    '',
  ])
})

test('a summary is one object', () => {
  const { code, out } = run(['-', '--summary'], fio)
  const { io_sequence_sha256, ...counts } = JSON.parse(out)
  assert.is(code, 0)
  assert.is(io_sequence_sha256, createHash('sha256').update('write 0 4096\nflush - -\n').digest('hex'))
  assert.equal(counts, {
    events: 2,
    ops: { write: 1, flush: 1 },
    read_bytes: 0,
    write_bytes: 4096,
    discard_zero_bytes: 0,
    unique_4k_blocks_touched: 1,
    unique_4k_blocks_written: 1,
    devices: 1,
    duration_ns: 2000,
    max_end_offset: 4096,
  })
})

test('entries beyond the count are left out, and that is said on standard error', () => {
  const { code, out, err } = run([path, '--json'])
  assert.is(code, 0)
  assert.is(out.trimEnd().split('\n').length, 2)
  assert.match(err, 'log.gz: byte 2560: more entries follow the 2')
})

test('nothing to print is nothing printed', () => {
  assert.equal(run(['-', '--json'], 'fio version 2 iolog\n'), { code: 0, out: '', err: '' })
})

test('refusals name the place and have their exit codes', () => {
  const refused = (args: string[], code: number, words: string, input: Uint8Array | string = fio) => {
    const result = run(args, input)
    assert.is(result.code, code, result.err)
    assert.match(result.err, words)
    assert.is(result.out, '')
  }
  refused(['-'], 2, '--json or --summary')
  refused(['-', '--json', '--summary'], 2, 'cannot be used with')
  refused(['-', '--json', '--format', 'x'], 2, 'there is no trace format "x"; choose dm-log-writes')
  refused(['-', '--json', '--producer', 'x'], 2, 'Allowed choices are dm, qemu')
  refused(['-', '--json'], 2, 'standard input does not tell its format', 'text\n')
  refused([join(folder, 'missing'), '--json'], 2, 'there is no such file')
  refused(['-', '--json'], 1, 'standard input: line 5: the action "erase"', `${fio}9 v erase 0 1\n`)
  refused(['-', '--summary'], 1, 'byte 1000: the log ends after 0 of the 2 entries', log.subarray(0, 1000))
})

test.run()
