/**
 * Names on the command line that are pipes nobody uses, sockets, devices without an end or without room, and links to
 * themselves: every command ends, says what is wrong, and writes through nothing.
 */

// limit: 300 s

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, type Result, scratch } from './blockbox.ts'

const test = suite('hostile names')
const folder = scratch()
const at = (name: string) => join(folder, name)
const journal = at('a.journal')
/** Above what a busy machine needs to start a program and wait for a silent pipe. */
const limitMs = 40_000
let socket: Server

test.before(async () => {
  for (const name of ['pipe', 'pipe.scenario.toml', 'night.trace.jsonl'])
    assert.is(spawnSync('mkfifo', [at(name)]).status, 0, 'there is mkfifo')
  socket = createServer()
  await new Promise<void>((done) => socket.listen(at('socket'), done))
  symlinkSync(at('loop'), at('loop'))
  symlinkSync(at('victim'), at('copy.img.part'))
  writeFileSync(at('victim'), 'untouched')
  mkdirSync(at('tls'))
  assert.is(spawnSync('mkfifo', [join(at('tls'), 'ca-cert.pem')]).status, 0)
  const { code, err } = await blockbox(['volume', 'create', 'disk', '--size', '64K', '-j', journal])
  assert.is(code, 0, err)
})

test.after(() => new Promise<void>((done) => socket.close(() => done())))

/** Runs a command that has to end by itself; what is still there after the limit is killed, and has no exit code. */
async function ends(...args: readonly string[]): Promise<Result> {
  let late: NodeJS.Timeout | undefined
  const result = await blockbox(args, (child) => {
    late = setTimeout(() => child.kill('SIGKILL'), limitMs)
  })
  clearTimeout(late)
  assert.ok(result.code !== null, `${args.join(' ')} does not end`)
  return result
}

const serve = ['serve', '-j', journal, '--socket', at('nbd.sock'), '--run', 'true'] as const
const cases: readonly [args: readonly string[], code: number, says: RegExp][] = [
  [
    ['verify', '--heads', at('pipe'), '-j', journal],
    2,
    /pipe that brings nothing: write into it first, or name/,
  ],
  [['verify', '--heads', at('socket'), '-j', journal], 2, /socket cannot be read: /],
  [['verify', '--heads', at('loop'), '-j', journal], 2, /loop cannot be read: its links go round/],
  [['head', '--append', at('pipe'), '-j', journal], 2, /a pipe that nobody reads.*Name another file/],
  [['head', '--append', '/dev/full', '-j', journal], 2, /cannot write \/dev\/full: .*no space.*Name another/],
  [['head', '--check-proof', at('pipe')], 2, /no plain file but a named pipe/],
  [['head', '--check-proof', '/dev/zero'], 2, /no plain file but a device/],
  [['run', at('pipe.scenario.toml'), '-j', at('b.journal')], 2, /pipe that brings nothing/],
  [['run', at('socket'), '-j', at('b.journal')], 2, /socket/],
  [['test', at('pipe.scenario.toml')], 2, /no plain file but a named pipe/],
  [['test', at('night.trace.jsonl')], 2, /no plain file but a named pipe/],
  [
    ['import', at('socket'), '-j', at('c.journal'), '--volume', 'v'],
    2,
    /cannot read .*socket: it is a socket/,
  ],
  [
    ['import', at('loop'), '-j', at('c.journal'), '--volume', 'v'],
    2,
    /cannot read .*loop: its links go round/,
  ],
  [['volume', 'create', 'v', '--from', at('pipe'), '-j', journal], 2, /no plain file but a named pipe/],
  [['volume', 'create', 'v', '--from', '/dev/zero', '-j', journal], 2, /no plain file but a device/],
  [[...serve, '--pid-file', at('pipe')], 2, /a pipe that nobody reads, or a socket.*Name another file/],
  [[...serve, '--tls-certificates', at('tls')], 2, /ca-cert.pem is no plain file but a named pipe/],
]

for (const [args, code, says] of cases) {
  test(args.join(' ').replaceAll(folder, ''), async () => {
    const result = await ends(...args)
    assert.match(result.err, says)
    assert.is(result.code, code, result.err)
  })
}

test('a trace from a pipe is waited for until a signal ends that', async () => {
  for (const args of [
    ['import', at('pipe'), '-j', at('d.journal'), '--volume', 'v'],
    ['replay', at('night.trace.jsonl')],
  ]) {
    let late: NodeJS.Timeout | undefined
    const { code } = await blockbox(args, (child) => {
      setTimeout(() => child.kill('SIGTERM'), 4000)
      late = setTimeout(() => child.kill('SIGKILL'), limitMs)
    })
    clearTimeout(late)
    assert.is(code, 130, args[0])
  }
})

test('a trace comes through a pipe whose writer comes later', async () => {
  const trace = ['fio version 2 iolog', 'f add', 'f open', 'f write 0 4096', 'f close', ''].join('\n')
  writeFileSync(at('one.iolog'), trace)
  let late: NodeJS.Timeout | undefined
  const { code, out, err } = await blockbox(['lint', at('pipe'), '-f', 'fio-iolog'], (child) => {
    setTimeout(() => spawn('sh', ['-c', 'exec cat "$0" > "$1"', at('one.iolog'), at('pipe')]), 2000)
    late = setTimeout(() => child.kill('SIGKILL'), limitMs)
  })
  clearTimeout(late)
  assert.is(code, 0, err)
  assert.match(out, /^1 events/)
})

test('a copy is not written through a link beside its place', async () => {
  const { code, err } = await ends('backup', 'run', 'disk', '-o', at('copy.img'), '-j', journal)
  assert.match(err, /copy.img.part is no plain file but a link: take it away/)
  assert.is(code, 2)
  assert.is(readFileSync(at('victim'), 'utf8'), 'untouched')
})

test('the pid file of another server, and what is no file, are left in place', async () => {
  writeFileSync(at('pid'), '1\n')
  const taken = await ends('serve', '-j', journal, '--socket', at('victim'), '--pid-file', at('pid'))
  assert.is.not(taken.code, 0)
  assert.is(readFileSync(at('pid'), 'utf8'), '1\n')
  assert.ok(lstatSync(at('pipe')).isFIFO())
  assert.is((await ends(...serve, '--pid-file', at('mine'))).code, 0)
  assert.not(existsSync(at('mine')))
})

test.run()
