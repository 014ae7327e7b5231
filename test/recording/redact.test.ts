/**
 * Redaction: no payload is left, and with names replaced no name either; what is left is decided again as before. A
 * recording that was not redacted becomes the journal again that it was exported from, byte for byte.
 */

import { writeFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { hex } from '../../src/core/digest.ts'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { redact } from '../../src/recording/redact.ts'
import { restoreJournal } from '../../src/recording/restore.ts'
import { replay } from '../../src/replay/replay.ts'
import { verify } from '../../src/replay/verify.ts'
import { boundsOf } from '../journal/place.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails, gathered } from '../support/frames.ts'
import { busyRun, bytesOf, exported, forms, journalFrom, opened } from '../support/recordings.ts'
import { startRun } from '../support/run.ts'

const test = suite('redact and restore')

const folder = temporaryFolder()
test.after(() => folder.remove())

const secret = 'attack at dawn'

/** A busy run in whose payloads, names and marks a secret stands. */
async function telling() {
  const run = await busyRun([17, 4242, 99_999], true)
  const data = new Uint8Array(4096)
  data.set(new TextEncoder().encode(secret))
  const plans = await run.volume('merger-plans', 4)
  await run.ask({ kind: 'io.write', session: 1, volume: plans, offset: 0, data })
  await run.ask({ kind: 'mark', volume: 1, detail: { label: 'night of the merger-plans' } })
  await run.ask({ kind: 'volume.create', detail: { name: 'not a name!', size: 4096, block: 4096 } })
  await run.settled()
  return run
}

test('payloads are gone from both forms; frames, chain and head are as they were', async () => {
  const run = await telling()
  const before = await replay(run.opened.journal, { checks })
  for (const form of forms) {
    const whole = await exported(run.opened, form)
    const bare = await bytesOf(redact(await opened(whole), false), form)
    const text = Buffer.from(bare).toString('latin1')
    assert.not.match(text, new RegExp(`${secret}|${Buffer.from(secret).toString('base64').slice(0, 12)}`))
    assert.not.match(text, /"data"|"synthetic"|PAYL/)
    assert.ok(Buffer.from(whole).toString('latin1').length > text.length)
    const { header, journal, payload, end } = await journalFrom(bare)
    assert.equal(
      [header.redacted, header.payload, end.payloads, end.payloadBytes],
      ['payload', 'digests', 0, 0],
    )
    const verdict = await replay(journal, { checks })
    assert.equal([verdict.findings, verdict.stateHash, verdict.head], [[], before.stateHash, before.head])
    assert.equal((await verify(journal, payload)).findings, [])
    assert.match(text, /merger-plans/)
  }
})

test('names are gone too: the same is decided, under a new chain, and the header says so', async () => {
  const run = await telling()
  const before = await replay(run.opened.journal, { checks })
  for (const form of forms) {
    const bytes = await bytesOf(redact(await opened(await exported(run.opened, form)), true), form)
    const text = Buffer.from(bytes).toString('latin1')
    for (const name of [secret, 'merger', 'disk', 'other', '"p"', 'not a name', 'night']) {
      assert.not.ok(text.includes(name), `${form} still tells ${name}`)
    }
    const { header, journal } = await journalFrom(bytes)
    assert.is(header.redacted, 'names')
    const verdict = await replay(journal, { checks })
    assert.equal([verdict.findings, verdict.events], [[], before.events])
    assert.is.not(verdict.head.hash, before.head.hash)
    const again = await bytesOf(redact(await opened(await exported(run.opened, form)), true), form)
    assert.ok(Buffer.from(again).equals(bytes), 'the same names each time')
  }
})

test('what cannot be redacted so is refused', async () => {
  const run = await telling()
  const part = await opened(await exported(run.opened, 'lines', { from: 20 }))
  assert.throws(() => redact(part, true), /begins with event/)
  await part.items.return()
  const some = await opened(await exported(run.opened, 'lines', { volume: 'disk' }))
  assert.throws(() => redact(some, false), /holds only the entries of volume disk/)
  await some.items.return()
})

test('a recording becomes the journal that it was exported from, and goes on', async () => {
  const run = await telling()
  const { journal } = run.opened
  for (const form of forms) {
    const file = `${folder.fresh()}.${form}`
    writeFileSync(file, await exported(run.opened, form))
    const place = folder.fresh()
    const end = await restoreJournal(file, place)
    assert.is(hex(end.head), hex(journal.bounds().head))
    const back = await openToRead(place)
    assert.equal(back.journal.remarks, [])
    assert.equal(boundsOf(back.journal), boundsOf(journal))
    const [were, are] = [await gathered(journal.read(1)), await gathered(back.journal.read(1))]
    assert.equal(
      are.map(({ hash }) => hex(hash)),
      were.map(({ hash }) => hex(hash)),
    )
    assert.equal((await verify(back.journal, back.payload)).findings, [])
    assert.is((await replay(back.journal, { checks })).stateHash, (await replay(journal)).stateHash)
    await back.journal.close()
    const { engine } = await openToWrite(place)
    const later = await engine.submit({
      kind: 'volume.create',
      detail: { name: 'later', size: 4096, block: 4096 },
    })
    const data = new Uint8Array(4096).fill(9)
    await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
    const session = [...engine.world.sessions.keys()].at(-1)!
    assert.is(
      (await engine.submit({ kind: 'io.write', session, volume: later.made, offset: 0, data })).code,
      'ok',
    )
    await engine.close()
    const after = await openToRead(place)
    assert.equal((await verify(after.journal, after.payload)).findings, [])
    assert.equal((await replay(after.journal, { checks })).findings, [])
    await after.journal.close()
    await fails('USAGE', () => restoreJournal(file, place))
  }
})

test('a journal cannot be made of digests, of a range, or of some entries', async () => {
  const run = await startRun()
  await run.volume('disk', 4)
  await run.must('session.open', { name: 'host' })
  await run.io('io.write')
  for (const ask of [{ payload: 'digests' as const }, { from: 6 }, { volume: 'disk' }]) {
    const file = `${folder.fresh()}.jsonl`
    writeFileSync(file, await exported(run.opened, 'lines', ask))
    await fails('USAGE', () => restoreJournal(file, folder.fresh()))
  }
})

test('a branch is still the branch that it was when its name is replaced', async () => {
  const run = await startRun()
  const volume = await run.volume('secret-plans', 4)
  await run.must('session.open', { name: 'host' })
  await run.io('io.write')
  const seq = run.engine.world.seq
  await run.must('volume.branch', { name: 'secret-branch', from: volume, seq, size: 4 * 4096 })
  await run.settled()
  const bare = await bytesOf(redact(await opened(await exported(run.opened, 'lines')), true), 'lines')
  assert.not.match(Buffer.from(bare).toString('latin1'), 'secret')
  const { journal } = await journalFrom(bare)
  const { findings, world } = await replay(journal, { checks })
  assert.equal(findings, [])
  assert.is(world.volumes[1]?.unfinished, false)
})

test.run()
