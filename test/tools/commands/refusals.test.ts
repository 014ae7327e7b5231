/** What a person may get wrong, in one table: each is refused with its exit code and words that help. */

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openToRead } from '../../../src/engine/open-folder.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('refusals')

const folder = scratch()
const journal = join(folder, 'a.journal')
const at = (name: string) => join(folder, name)

test.before(async () => {
  await json('volume', 'create', 'disk', '--size', '1M', '-j', journal)
  mkdirSync(at('foreign'))
  writeFileSync(at('foreign/readme'), '')
  writeFileSync(at('file'), 'fio version 3 iolog\n')
  mkdirSync(at('nonsense'))
  writeFileSync(at('nonsense/journal.json'), 'nonsense')
  cpSync(journal, at('newer'), { recursive: true })
  const about = readFileSync(at('newer/journal.json'), 'utf8')
  writeFileSync(at('newer/journal.json'), about.replace('"version":1', '"version":2'))
})

type Case = readonly [args: string, code: number, words: string]

async function refused([args, code, words]: Case): Promise<void> {
  const result = await blockbox(args.split(' ').map((word) => word.replace(/^~/, `${folder}/`)))
  assert.is(result.code, code, `${args}: ${result.err}`)
  assert.match(result.err, words)
  assert.is(result.out, '')
}

/** Cases that open the journal, one after the other. */
function table(name: string, cases: readonly Case[]): void {
  test(name, async () => {
    for (const one of cases) await refused(one)
  })
}

/** Cases that come to no journal, or to none that opens, all at once. */
function mistakes(name: string, cases: readonly Case[]): void {
  test(name, async () => {
    await Promise.all(cases.map(refused))
  })
}

mistakes('journals', [
  ['info', 2, 'which journal? Name it with -j DIR or in BLOCKBOX_JOURNAL'],
  ['info -j ~none', 10, 'there is no journal at'],
  ['log -f -j ~none', 10, 'there is no journal at'],
  ['replay -j ~foreign', 10, 'is not a journal'],
  ['verify -j ~file', 10, 'is not a journal'],
  ['info -j ~nonsense', 1, 'is damaged or not that of a journal'],
  ['verify -j ~newer', 1, 'use a newer blockbox'],
  ['volume create x --size 1M -j ~foreign', 1, 'Name another folder'],
  ['import ~file --volume x -j ~file', 1, 'Name another folder'],
])

mistakes('arguments', [
  ['volume create x -j ~a.journal', 2, 'how large? Give a --size, or a disk to begin as with --from'],
  ['volume create x --size -1 -j ~a.journal', 2, 'is negative'],
  ['volume create x --size 9P -j ~a.journal', 2, 'is too large'],
  ['volume create x --size 1KB -j ~a.journal', 2, 'may mean powers of 1000'],
  [`volume create ${'x'.repeat(5000)} --size 1M -j ~a.journal`, 2, 'the name is too long'],
  ['image disk@noon --digest -j ~a.journal', 2, '"noon" is no point: write seq:N'],
  ['image disk@seq:-1 --digest -j ~a.journal', 2, 'is no point'],
  ['image disk@time:2026-01-31T12:00:00 --digest -j ~a.journal', 2, 'is no point'],
  ['image disk --at seq:1 --digest -j ~a.journal', 2, 'named twice'],
  ['image --digest -j ~a.journal', 2, 'which volume?'],
  ['verify --head abc -j ~a.journal', 2, '"abc" is no head: write HASH@SEQ'],
  ['log --from 0 -j ~a.journal', 2, 'is not a whole number of 1 or more'],
  ['log --to 1e3 -j ~a.journal', 2, 'is no point: write seq:N'],
  ['log --from 9 --to 3 -j ~a.journal', 2, '--to 3 is before --from 9'],
  ['log --kind io.wirte -j ~a.journal', 2, 'there is no kind of event "io.wirte"; they begin with io,'],
  ['image disk -j ~a.journal', 2, 'where to?'],
])

table('sizes', [
  ['volume create x --size 0 -j ~a.journal', 1, 'E_SIZE'],
  ['volume create x --size 1000 -j ~a.journal', 1, 'E_SIZE'],
  ['volume create x --size 32T -j ~a.journal', 1, 'at most 16T'],
  ['volume create x --size 1M --block 1000 -j ~a.journal', 1, 'a power of two from 512 to 64K'],
  ['import ~file --volume x --size 1000 -j ~a.journal', 2, 'E_SIZE'],
])

table('names', [
  ['volume create disk --size 1M -j ~a.journal', 1, 'E_ALREADY: a thing of that name exists'],
  ['volume create a/b --size 1M -j ~a.journal', 1, 'E_NAME: choose another name: 1 to 64 letters'],
  [`volume create ${'x'.repeat(65)} --size 1M -j ~a.journal`, 1, 'E_NAME'],
  ['image diks --digest -j ~a.journal', 1, 'there is no volume "diks": the journal has disk'],
  ['log --volume diks -j ~a.journal', 1, 'there is no volume "diks"'],
])

table('points', [
  ['image disk@seq:999 --digest -j ~a.journal', 1, 'the journal ends with event'],
  ['image disk@seq:1 --digest -j ~a.journal', 1, 'did not exist yet after event 1'],
  ['image disk@mark:none --digest -j ~a.journal', 1, 'no such point: mark none'],
  ['image disk@backup:none --digest -j ~a.journal', 1, 'no such point: a backup none'],
  ['image disk@source:1 --digest -j ~a.journal', 1, 'no such point: event 1 of the recorded trace'],
])

table('sessions', [
  ['export -j ~a.journal -o ~x.trace.jsonl --session 99', 2, 'the journal has no session 99: it has none'],
])

test('a time outside the record, and a search that finds nothing, are said', async () => {
  const late = 'time:2126-01-01T00:00:00Z'
  const early = 'time:2001-01-01T00:00:00Z'
  for (const [args, said] of [
    [
      ['image', `disk@${late}`, '--digest'],
      /the journal ends before 2126-01-01T00:00:00.000000000Z: its last event is \d+, of 2\d{3}-/,
    ],
    [['log', '--from', late], /the journal ends before 2126/],
    [
      ['log', '--from', early, '--to', '1'],
      /the journal begins after 2001-01-01T00:00:00.000000000Z: its first event is 1, of/,
    ],
    [['inspect', 'timeline', '--to', late], /the journal ends before 2126/],
    [['log', '--kind', 'fence'], /no event fits what was asked for/],
    [['log', '--from', '99999999'], /no event fits what was asked for/],
  ] as const) {
    const { code, err } = await blockbox([...args, '-j', journal])
    assert.is(code, 0, `${args.join(' ')}: ${err}`)
    assert.match(err, said)
  }
  const { code, err } = await blockbox(['image', `disk@${early}`, '--digest', '-j', journal])
  assert.is(code, 1)
  assert.match(err, /the journal begins after 2001.*\n.*did not exist yet after event 0/)
  assert.is((await blockbox(['log', '-j', journal])).err, '')
})

table('outputs', [
  ['image disk -o ~none/disk.img -j ~a.journal', 2, 'its folder does not exist'],
  ['image disk -o ~file/disk.img -j ~a.journal', 2, 'its folder is none'],
  ['image disk --force -o ~foreign -j ~a.journal', 2, 'is no plain file'],
  ['image disk --force -o /dev/null -j ~a.journal', 2, 'is no plain file'],
])

test('a journal that another process has open is in use, for readers and writers alike', async () => {
  const open = await openToRead(journal)
  try {
    for (const args of [
      ['info'],
      ['replay'],
      ['verify', '--json'],
      ['volume', 'create', 'y', '--size', '1M'],
    ]) {
      const { code, err, out } = await blockbox([...args, '-j', journal])
      assert.is(code, 11, args.join(' '))
      assert.match(err, 'the journal is in use by another process')
      assert.is(out, '')
    }
    const follow = await blockbox(['log', '-f', '-j', journal])
    assert.is(follow.code, 11)
    assert.match(follow.err, 'it cannot be followed from outside')
  } finally {
    await open.journal.close()
  }
})

test('refused commands are on the record, and the journal stays sound', async () => {
  const { out } = await blockbox(['log', '-j', journal, '--kind', 'command.refused', '--json'])
  const codes = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).code)
  assert.equal([...new Set(codes)].sort(), ['E_ALREADY', 'E_NAME', 'E_SIZE'])
  assert.equal((await json('replay', '-j', journal)).findings, [])
  assert.equal((await json('verify', '-j', journal)).findings, [])
})

test('every command explains itself with an example', async () => {
  const commands = ['info', 'log', 'volume create', 'volume ls', 'import', 'replay', 'image', 'verify']
  for (const command of [...commands, 'completion']) {
    const { code, out } = await blockbox([...command.split(' '), '--help'])
    assert.is(code, 0)
    assert.match(out, /\nExamples?:\n {2}/, command)
    assert.match(out, `blockbox ${command}`)
  }
})

test.run()
