/** Damage and rollback: verify and replay find it, name the first sequence number and end with 12. */

import { cpSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bit, encodeLog } from '../../trace/dm-log-encode.ts'
import { blockbox, damage, json, scratch } from './blockbox.ts'

const test = suite('damage')

const folder = scratch()
const whole = join(folder, 'whole.journal')
const copy = join(folder, 'copy.journal')
const marker = new TextEncoder().encode('a payload that is easy to find in a database')
const frameMagic = new TextEncoder().encode('BBF1')

interface Head {
  readonly seq: number
  readonly hash: string
}

let early: Head
let late: Head
/** Sequence number of the write that carries the marker. */
let marked: number

test.before(async () => {
  const data = new Uint8Array(4096).fill(7)
  data.set(marker, 100)
  const write = { sector: 8, sectors: 8, flags: bit.fua, data }
  writeFileSync(join(folder, 'one.dmlog'), encodeLog([write, { sector: 0, sectors: 0, flags: bit.flush }]))
  const from = (volume: string) => ['import', join(folder, 'one.dmlog'), '-j', whole, '--volume', volume]
  await json(...from('first'))
  early = (await json('verify', '-j', whole)).head as Head
  cpSync(whole, join(folder, 'early.journal'), { recursive: true })
  await json(...from('second'))
  late = (await json('verify', '-j', whole)).head as Head
  const { out } = await blockbox(['log', '-j', whole, '--volume', 'first', '--kind', 'io.write', '--json'])
  marked = JSON.parse(out).seq
})

const fresh = () => {
  rmSync(copy, { recursive: true, force: true })
  cpSync(whole, copy, { recursive: true })
}

async function findingOf(command: string, ...args: readonly string[]) {
  const { code, out, err } = await blockbox([command, '-j', copy, ...args, '--json'])
  assert.is(code, 12, err)
  return JSON.parse(out).findings[0]
}

test('a whole journal is sound, holds its own heads and says so in words', async () => {
  for (const { seq, hash } of [early, late]) {
    const { code, out } = await blockbox(['verify', '-j', whole, '--head', `${hash}@${seq}`])
    assert.is(code, 0)
    assert.match(
      out,
      /^sound: \d+ events in \d+ frames, 2 payloads of 8192 bytes\nhead {3}[0-9a-f]{64}@\d+\nheads {2}1 kept elsewhere, all in its history\n$/,
    )
  }
  const { code, out } = await blockbox(['replay', '-j', whole])
  assert.is(code, 0)
  assert.match(
    out,
    /^sound: \d+ events in \d+ frames decided again, twice with the same state after each of \d+ frames\nreads {2}.*\nstate {2}[0-9a-f]{16}\nhead {3}/,
  )
})

test('the verdict of a replay as JSON', async () => {
  const verdict = await json('replay', '-j', whole)
  assert.equal(Object.keys(verdict), [
    'events',
    'frames',
    'findings',
    'frames_twice',
    'reads_checked',
    'reads_unknown',
    'state_hash',
    'head',
    'version',
  ])
  assert.is(verdict.events, late.seq)
  assert.equal(verdict.findings, [])
  assert.match(String(verdict.state_hash), /^[0-9a-f]{16}$/)
  assert.equal(verdict.head, late)
  const folded = await json('replay', '-j', whole, '--fold-only')
  assert.is(folded.state_hash, verdict.state_hash)
})

test('a verbose replay has a line for each frame, ahead of the verdict', async () => {
  const { out } = await blockbox(['replay', '-j', whole, '--verbose', '--json'])
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const verdict = lines.pop()
  assert.is(lines.length, verdict.frames)
  assert.is(lines[0].first, 1)
  assert.is(lines.at(-1).hash, late.hash)
  assert.is(lines.at(-1).state_hash, verdict.state_hash)
})

test('a bit flipped in a payload is found at the write that carried it', async () => {
  fresh()
  assert.ok(damage(copy, marker, 5))
  const { seq, rule, detail } = await findingOf('verify')
  assert.is(rule, 'PAYLOAD_CORRUPT')
  assert.is(seq, marked)
  assert.match(detail, 'damaged')
  const { code, out } = await blockbox(['verify', '-j', copy])
  assert.is(code, 12)
  assert.match(out, `not to be trusted from event ${marked} on`)
  const image = await blockbox(['image', 'first', '-j', copy, '-o', join(folder, 'damaged.img')])
  assert.is(image.code, 12)
})

test('a bit flipped in a frame is found at the first event of the frame', async () => {
  fresh()
  assert.ok(damage(copy, frameMagic, 120))
  for (const command of ['verify', 'replay']) {
    const { seq, rule } = await findingOf(command)
    assert.is(rule, 'JOURNAL_CORRUPT')
    assert.is(seq, 1)
  }
  const { code, err } = await blockbox(['log', '-j', copy])
  assert.is(code, 12)
  assert.match(err, 'the frame of event 1 is damaged')
})

test('a record that the database drops is missed', async () => {
  const early = join(folder, 'early.journal')
  rmSync(copy, { recursive: true, force: true })
  cpSync(early, copy, { recursive: true })
  await json('volume', 'create', 'later', '--size', '1M', '-j', copy)
  assert.ok(damage(copy, new TextEncoder().encode('later'), 0))
  const { seq, rule } = await findingOf('verify')
  assert.ok(seq > 1, `${seq}`)
  assert.ok(['JOURNAL_GAP', 'JOURNAL_LOST_TAIL', 'JOURNAL_CORRUPT'].includes(rule), rule)
})

test('a database that lost its end does not open, and the first lost event is named', async () => {
  fresh()
  rmSync(join(copy, 'db'), { recursive: true })
  cpSync(join(folder, 'early.journal', 'db'), join(copy, 'db'), { recursive: true })
  for (const command of ['verify', 'replay']) {
    const { seq, rule } = await findingOf(command)
    assert.is(rule, 'JOURNAL_LOST_TAIL')
    assert.is(seq, early.seq + 1)
  }
  const { code, out } = await blockbox(['verify', '-j', copy])
  assert.is(code, 12)
  assert.match(out, `not to be trusted from event ${early.seq + 1} on: the journal does not open`)
  const info = await blockbox(['info', '-j', copy])
  assert.is(info.code, 12)
  assert.match(info.err, `events ${early.seq + 1} to ${late.seq} are lost`)
})

test('a journal that was rolled back is sound in itself, but does not hold a later head', async () => {
  rmSync(copy, { recursive: true, force: true })
  renameSync(join(folder, 'early.journal'), copy)
  assert.is((await blockbox(['verify', '-j', copy])).code, 0)
  const finding = await findingOf('verify', '--head', `${late.hash}@${late.seq}`)
  assert.is(finding.rule, 'HEAD')
  assert.is(finding.seq, early.seq + 1)
  assert.match(finding.detail, 'it was rolled back')
  const forged = await findingOf('verify', '--head', `${'0'.repeat(64)}@${early.seq}`)
  assert.match(forged.detail, 'the journal was rewritten')
})

test.run()
