/**
 * `blockbox convert`, `export` and `lint` as a shell sees them: files, pipes, what is told of losses, refusals, exit
 * codes, and that nothing a trace says reaches a terminal raw.
 */
// limit: 180 s

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('convert')

const program = fileURLToPath(new URL('../../../tools/blockbox.js', import.meta.url))
const traces = fileURLToPath(new URL('../../../../traces', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'blockbox-convert-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

function run(args: readonly string[], input: Uint8Array | string = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    input,
    cwd: folder,
    maxBuffer: 2 ** 28,
  })
  return { code: status, out: stdout, text: stdout.toString(), err: stderr.toString() }
}

const ext4life = join(traces, 'ext4life.dmlog.gz')
const log = gunzipSync(readFileSync(ext4life))

test('a log stays itself, in a file, packed, and through a pipe', () => {
  assert.is(run(['convert', ext4life, 'same.dmlog']).code, 0)
  assert.ok(readFileSync(join(folder, 'same.dmlog')).equals(log))
  assert.is(run(['convert', ext4life, 'same.dmlog.gz']).code, 0)
  assert.ok(gunzipSync(readFileSync(join(folder, 'same.dmlog.gz'))).equals(log))
  const piped = run(['convert', ext4life, '-', '--to', 'dm-log-writes'])
  assert.ok(piped.out.equals(log))
  assert.match(piped.err, '314 of 314 events as dm-log-writes')
  assert.equal(
    readdirSync(folder).filter((name) => name.includes('part')),
    [],
  )
})

test('what a format could not hold is told in words and as JSON', () => {
  const { code, text } = run(['convert', join(traces, 'nbdopen.pcap.gz'), 'nbd.iolog', '--port', '10821'])
  assert.is(code, 0)
  assert.is(
    text,
    'nbd.iolog: 197 of 203 events as fio-iolog, 6167 bytes\n  left out: 5 of the kind close\n' +
      '  left out: 1 of the kind other\n  lost: the bytes of writes of 77 events\n' +
      '  lost: the flag FUA of 4 events\n  made: 8 events of the kind zero became write\n',
  )
  const again = run([
    'convert',
    join(traces, 'nbdopen.pcap.gz'),
    'nbd.iolog',
    '--port',
    '10821',
    '--json',
    '--force',
  ])
  assert.equal(JSON.parse(again.text), {
    ...{ version: 1, format: 'fio-iolog', file: 'nbd.iolog', events: 203, written: 197 },
    ...{ left_out: { close: 5, other: 1 }, lost: { payload: 77, flag_fua: 4 }, made: { zero_as_write: 8 } },
    bytes: 6167,
  })
})

const fio = 'fio version 3 iolog\n5 a open\n7 a write 0 4096\n8 b read 8192 512\n9 b sync 0 0\n'

test('one volume of a trace, and what lies beyond a size', () => {
  const { code, text, err } = run(['convert', '-', '-', '--to', 'fio-iolog', '--volume', 'b', '--json'], fio)
  assert.is(code, 0)
  assert.is(text, 'fio version 3 iolog\n8 b add\n8 b open\n8 b read 8192 512\n9 b sync 0 0\n9 b close\n')
  assert.is(JSON.parse(err).of_other_volumes, 1)
  const cut = run(['convert', '-', '-', '--to', 'blkparse', '--size', '4K', '--json'], fio)
  assert.is(JSON.parse(cut.err).beyond_size, 1)
  assert.is(cut.text.trimEnd().split('\n').length, 2)
  const none = run(['convert', '-', 'c.iolog', '--volume', 'c'], fio)
  assert.match(none.err, 'no events of "c"; it has a, b')
  assert.not(existsSync(join(folder, 'c.iolog')))
})

test('refusals say what to do and leave nothing behind', () => {
  const refused = (args: string[], code: number, words: string, input: string = fio) => {
    const result = run(['convert', ...args], input)
    assert.is(result.code, code, result.err)
    assert.match(result.err, words)
  }
  writeFileSync(join(folder, 'there.iolog'), 'mine')
  refused(['-', 'there.iolog'], 2, 'there.iolog is there already')
  assert.is(readFileSync(join(folder, 'there.iolog'), 'utf8'), 'mine')
  refused(
    ['-', 'new.txt'],
    2,
    'does not tell the format to write: name one with --to: dm-log-writes, fio-iolog, blkparse',
  )
  refused(['-', 'new', '--to', 'msr'], 2, 'no trace can be written as "msr"')
  refused(['-', 'new.dmlog.gz'], 2, 'which standard input tells only at its end')
  refused(['-', 'new.dmlog', '--sector', '1000'], 2, 'choose a power of two from 512')
  refused(['-', 'none/new.iolog'], 2, 'its folder does not exist')
  refused(['-', 'new.iolog'], 1, 'line 6: the action "erase"', `${fio}9 a erase 0 1\n`)
  refused(['-', 'new.iolog', '--from', 'msr'], 1, 'line 1: ')
  assert.equal(
    readdirSync(folder).filter((name) => name.startsWith('new')),
    [],
  )
})

test('a journal is exported: a range of it, with its losses, and no file is replaced by chance', () => {
  assert.is(run(['import', ext4life, '-j', 'j', '--volume', 'v']).code, 0)
  const { code, text } = run(['export', 'v', '-j', 'j', '-o', 'v.dmlog.gz', '--json'])
  assert.is(code, 0)
  assert.ok(gunzipSync(readFileSync(join(folder, 'v.dmlog.gz'))).equals(log))
  const told = JSON.parse(text)
  assert.equal(
    [told.volume, told.written, told.left_out, told.without_effect, told.internal],
    ['v', 314, {}, {}, 0],
  )
  const part = run([
    'export',
    'v',
    '-j',
    'j',
    '-o',
    '-',
    '--format',
    'blkparse',
    '--from',
    'source:15',
    '--to',
    'source:20',
  ])
  assert.is(part.code, 0)
  assert.match(part.err, 'replay it onto v@seq:')
  assert.is(part.text.trimEnd().split('\n').length, 6)
  assert.match(run(['export', 'v', '-j', 'j', '-o', 'v.dmlog.gz']).err, 'is there already')
  assert.match(run(['export', 'w', '-j', 'j', '-o', 'w.dmlog']).err, 'there is no volume "w"')
  assert.match(run(['export', 'v', '-j', 'j', '-o', 'w.what']).err, 'name one with --format: dm-log-writes')
  assert.is(run(['export', 'v', '-j', 'none', '-o', 'w.dmlog']).code, 10)
  assert.not(existsSync(join(folder, 'w.dmlog')))
})

test('lint finds nothing in a sound trace, and 12 is the exit code when it does', () => {
  const sound = run(['lint', ext4life])
  assert.equal([sound.code, sound.text], [0, '314 events: nothing doubtful\n'])
  const doubtful = `${fio}8 b read 100 512\n9 b read 8192 5120\n`
  const { code, text } = run(['lint', '-', '--size', '8704', '--json'], doubtful)
  assert.is(code, 12)
  const [back, , ...rest] = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(
    [back.rule, back.line, back.event, back.detail],
    ['time-back', 6, 3, '1000 ns before the event before it'],
  )
  assert.equal(rest.at(-1), {
    version: 1,
    events: 5,
    findings: { 'time-back': 1, 'beyond-device': 1, unaligned: 1 },
  })
  const torn = run(['lint', '-'], log.subarray(0, 100_000) as never)
  assert.is(torn.code, 12)
  assert.match(torn.text, /^byte 100000: damaged: standard input: byte 100000: the log ends after/m)
  assert.is(run(['lint', join(folder, 'none')]).code, 2)
})

test('nothing that a trace says reaches a terminal raw', () => {
  const evil = '\x1b]0;x\x07\u009b31m\u202e'
  const raw = /[\p{Cc}\u202e]/u
  const rows = `1,W,0,512,5\n${evil},W,100,512,4\n`
  const table = ['-', '--format', 'alibaba']
  for (const [args, input] of [
    [['import', ...table, '--json'], rows],
    [['import', ...table, '--summary'], rows],
    [['import', ...table, '--summary'], `${evil}\n`],
    [['import', ...table, '--summary'], `1,${evil},0,512,5\n`],
    [['lint', ...table], rows],
    [['lint', ...table, '--json'], rows],
    [['lint', ...table, '--json'], `1,${evil},0,512,5\n`],
    [['lint', ...table], `1,${evil},0,512,5\n`],
    [['convert', '-', '-', '--from', 'alibaba', '--to', 'blkparse'], rows],
    [['convert', '-', '-', '--from', 'alibaba', '--to', 'fio-iolog'], rows],
    [
      ['convert', '-', '-', '--from', 'alibaba', '--to', 'fio-iolog', '--volume', evil.replace('\0', '')],
      `1,W,0,512,5\n`,
    ],
  ] as const) {
    const { text, err } = run(args, input)
    assert.not.match((text + err).replaceAll('\n', ''), raw, args.join(' '))
    assert.ok((text + err).length > 10)
  }
})

test.run()
