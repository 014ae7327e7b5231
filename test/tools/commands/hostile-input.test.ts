/**
 * The program and hostile words: in its arguments, in a file of heads, in journal.json, as the name of an export. It ends
 * with an exit code of its own, says nothing that a terminal acts on, and touches no file elsewhere.
 */

// limit: 240 s

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseHeads } from '../../../src/journal/kept-head.ts'
import { escaped } from '../../../tools/output.ts'
import { hostileNumbers, hostileTexts, isPlain, isUnpolluted } from '../../support/hostile.ts'
import { withServer } from '../../support/served.ts'
import { blockbox, json, type Result, scratch } from './blockbox.ts'

const test = suite('hostile input')

const folder = scratch()
const journal = join(folder, 'a.journal')
/** Some of them that can be an argument of a process: each is a process or two. */
const words = hostileTexts.filter(
  (word) =>
    !word.includes('\0') &&
    (/^$|^__proto__|^constructor|etc.passwd|reboot\)|x{99}|\p{Cs}/u.test(word) || escaped(word) !== word),
)

test.before(async () => {
  await json('volume', 'create', 'disk', '--size', '64K', '-j', journal)
})

function isOrderly({ code, out, err }: Result, what: string): void {
  assert.ok([1, 2, 10, 12].includes(code ?? -1), `${what} ended with ${code}: ${err}`)
  assert.not.match(err, /\n\s+at /, `${what}: a stack trace`)
  isPlain(out + err, what)
}

test('names on the command line', async () => {
  assert.ok(words.length > 10)
  for (const word of words) {
    const at = JSON.stringify(word).slice(0, 60)
    const before = readdirSync(folder)
    const isName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(word)
    const created = await blockbox(['volume', 'create', word, '--size', '64K', '-j', journal])
    if (isName) assert.is(created.code, 0, `create ${at}: ${created.err}`)
    else isOrderly(created, `create ${at}`)
    if (isName) continue
    isOrderly(await blockbox(['image', `${word}@seq:1`, '--digest', '-j', journal]), `image ${at}`)
    assert.equal(readdirSync(folder), before)
  }
  assert.equal((await json('verify', '-j', journal)).findings, [])
})

test('numbers on the command line', async () => {
  const numbers = hostileNumbers.filter((one) => one !== '+1')
  await Promise.all(
    numbers.map(async (number) => {
      const at = `--from=${number}`
      const result = await blockbox(['log', at, '-j', journal])
      isOrderly(result, at)
      assert.is(result.code, 2, at)
    }),
  )
})

test('a file of heads', () => {
  const good = { journal: 'a'.repeat(32), seq: 1, hash: 'b'.repeat(64), at: '2026-01-31T12:00:00.000Z' }
  assert.is(parseHeads(`${JSON.stringify(good)}\n`, 'heads').length, 1)
  const line = JSON.stringify(good)
  const bad = [
    ...hostileTexts.flatMap((text) => [
      text,
      JSON.stringify({ ...good, journal: text }),
      JSON.stringify({ ...good, hash: text }),
      JSON.stringify({ ...good, at: text }),
    ]),
    ...hostileNumbers.map((number) => line.replace('"seq":1', `"seq":${number}`)),
    line.replace('{', '{"__proto__":{"polluted":true},'),
    line.replace('{', '{"constructor":{"prototype":{"polluted":true}},'),
  ].filter((one) => one !== '' && !one.includes('"seq":-0'))
  for (const one of bad) {
    assert.throws(() => parseHeads(`${one}\n`, 'heads'), /heads, line \d+ is no head/, one.slice(0, 100))
    isUnpolluted(one)
  }
})

test('journal.json', async () => {
  const file = join(journal, 'journal.json')
  const sound = readFileSync(file, 'utf8')
  const about = JSON.parse(sound) as Record<string, unknown>
  for (const text of [
    '{"__proto__":{"format":"blockbox-journal","version":1}}',
    '[]',
    'null',
    '"blockbox-journal"',
    JSON.stringify({ ...about, id: '\u001b[31mred' }),
    JSON.stringify({ ...about, id: '../../x' }),
    JSON.stringify({ ...about, created: '\u001b]0;title\u0007' }),
    JSON.stringify({ ...about, version: -1 }),
    sound.replace('"version":1', '"version":1e400'),
    sound.replace('"version":1', '"version":9007199254740993'),
    '['.repeat(100_000),
  ]) {
    writeFileSync(file, text)
    for (const args of [['info'], ['head']]) {
      isOrderly(await blockbox([...args, '-j', journal]), `${args.join(' ')}: ${text.slice(0, 100)}`)
    }
  }
  writeFileSync(file, sound)
  assert.is((await blockbox(['info', '-j', journal])).code, 0)
})

test('names of exports', () =>
  withServer({}, async (served) => {
    for (const name of hostileTexts.filter((text) => text !== '')) {
      await served.client(name).then(
        () => assert.unreachable(`${JSON.stringify(name)} was opened`),
        (error: { code?: string }) =>
          assert.ok(
            ['NBD_REFUSED', 'NBD_CLOSED', 'NBD_PROTOCOL', 'USAGE'].includes(error.code ?? ''),
            String(error),
          ),
      )
    }
    const host = await served.client('vol')
    assert.is((await host.read(0, 4096)).length, 4096)
    isUnpolluted('exports')
  }))

test.run()
