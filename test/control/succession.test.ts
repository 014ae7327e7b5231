/**
 * The control API while its journal is opened anew: requests wait, what reads the journal is cut, and afterwards it is in
 * front of the engine of now; what happened is told.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { serveControl } from '../../src/control/control-server.ts'
import { openToGoOn } from '../../src/engine/open-folder.ts'
import { NbdServer } from '../../src/nbd/server/server.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { filled, heldTakeover, type Reigns, reigns } from '../support/reigns.ts'
import { until } from '../support/served.ts'

const test: Test = suite('control API whose journal is opened anew')

interface Asked extends Reigns {
  readonly root: string
  ask(method: string, path: string, body?: object): Promise<{ status: number; text: string }>
}

async function served(use: (asked: Asked) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'blockbox-heirs-'))
  const folder = join(root, 'j')
  await (await openToGoOn(folder, { create: true })).close()
  const run = await reigns()
  const { succession } = run
  const { engine, journal, payload } = succession
  const server = await serveControl(engine, journal, payload, { folder, succession })
  succession.add(server)
  const ask: Asked['ask'] = (method, path, body) =>
    new Promise((resolve, reject) => {
      const socketPath = join(folder, 'control.sock')
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const asking = request({ socketPath, method, path, headers, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
        response.once('error', reject)
      })
      asking.once('error', reject)
      asking.end(body === undefined ? undefined : JSON.stringify(body))
    })
  try {
    await use({ ...run, root, ask })
  } finally {
    await server.close()
    await succession.close()
    rmSync(root, { recursive: true, force: true })
  }
}

/** From now on the disk answers nothing. */
function held(far: MemoryDisk): undefined {
  far.hold()
}

const written = (fill: number, session = 1) =>
  ({ kind: 'io.write', session, volume: 1, offset: 0, data: filled(fill) }) as const

test('state and metrics tell of the failure, and then of the takeover; commands go to the engine of now', () =>
  served(async ({ succession, ill, ask }) => {
    const json = async (method: string, path: string) => JSON.parse((await ask(method, path)).text)
    assert.equal((await json('GET', '/state')).last_takeover, null)
    assert.is((await ask('POST', '/marks', { volume: 'disk', label: 'before' })).status, 200)
    ill.fault = 'full'
    await succession.engine.submit(written(1)).catch(() => undefined)
    const failed = await json('GET', '/state')
    assert.equal([failed.state, failed.failure.code, failed.awaits_room], ['failed', 'JOURNAL_FULL', true])
    assert.is((await ask('POST', '/marks', { volume: 'disk', label: 'meanwhile' })).status, 507)
    assert.is((await ask('POST', '/reopen', {})).status, 507, 'still full')
    assert.is((await json('GET', '/marks')).marks.length, 1, 'what is durable is told all the same')
    const text = (await ask('GET', '/metrics')).text
    for (const line of ['engine_failed 1', 'journal_full 1', 'takeovers_total 0', 'takeover_seq 0']) {
      assert.ok(text.includes(`\nblockbox_${line}\n`), line)
    }
    ill.fault = undefined
    const now = JSON.parse((await ask('POST', '/reopen', {})).text)
    assert.equal([now.state, now.failure, now.awaits_room, now.takeovers], ['recording', null, false, 1])
    assert.is(now.last_takeover.seq, now.durable_seq)
    assert.is((await ask('POST', '/marks', { volume: 'disk', label: 'after' })).status, 200)
    const { marks } = await json('GET', '/marks')
    assert.equal(
      marks.map(({ label }: { label: string }) => label),
      ['before', 'after'],
    )
    const after = (await ask('GET', '/metrics')).text
    const lines = [
      'engine_failed 0',
      'journal_full 0',
      'takeovers_total 1',
      `takeover_seq ${now.durable_seq}`,
    ]
    for (const line of [...lines, 'journal_epoch 2', 'events_total{kind="mark"} 2']) {
      assert.ok(after.includes(`\nblockbox_${line}\n`), line)
    }
    assert.is((await json('GET', '/sessions')).sessions.length, 0)
  }))

test('who follows the events is told to ask again, and a request that comes meanwhile is answered afterwards', () =>
  served(async ({ succession, ill, ask }) => {
    ill.fault = 'full'
    await succession.engine.submit(written(1)).catch(() => undefined)
    ill.fault = undefined
    const { reopened, letOn } = await heldTakeover(succession)
    let told = false
    const info = ask('GET', '/volumes').then((reply) => {
      told = true
      return reply
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.not(told)
    letOn()
    await reopened
    assert.is((await info).status, 200)
    const following = ask('GET', '/log?follow=true')
    await new Promise((resolve) => setTimeout(resolve, 50))
    ill.fault = 'doubt'
    await succession.engine.submit({ kind: 'mark', detail: { label: 'x' } }).catch(() => undefined)
    ill.fault = undefined
    const { text } = await following
    assert.match(text.trim().split('\n').at(-1)!, /"code":"JOURNAL_IN_DOUBT"/)
  }))

test('an owner of a fence acts through a session of the new engine', () =>
  served(async ({ succession, ill, ask }) => {
    const fence = { name: 'guard', volume: 'disk', ranges: '0+4096', owner: 'backup' }
    assert.is((await ask('POST', '/fences', fence)).status, 200)
    ill.fault = 'full'
    await succession.engine.submit(written(1)).catch(() => undefined)
    ill.fault = undefined
    await succession.reopen()
    assert.is((await ask('POST', '/fences/guard/lower', { owner: 'other' })).status, 403)
    const lowered = await ask('POST', '/fences/guard/lower', { owner: 'backup' })
    assert.is(lowered.status, 200, lowered.text)
  }))

test('a copy that runs is cut off, and gone on with from the same moment', () =>
  served(async ({ root, succession, ill, ask }) => {
    const far = new MemoryDisk({ size: 65_536 })
    const server = new NbdServer({ catalog: far })
    await server.listen({ socket: join(root, 'far') })
    const target = `nbd+unix:///far?socket=${join(root, 'far')}`
    try {
      await succession.engine.submit(written(5))
      far.meddle = ({ kind }) => (kind === 'io.write' ? held(far) : undefined)
      const copying = ask('POST', '/copies', { volume: 'disk', target })
      const { copy } = JSON.parse((await copying).text)
      assert.is(copy.state, 'copying')
      await until(() => far.holding > 0, 'it waits for its target')
      ill.fault = 'full'
      await succession.engine.submit(written(6)).catch(() => undefined)
      ill.fault = undefined
      await succession.reopen()
      far.meddle = () => undefined
      far.release()
      const cut = JSON.parse((await ask('GET', '/copies')).text).copies[0]
      assert.equal([cut.state, cut.seq], ['cancelled', copy.seq])
      assert.match(cut.error, /opened anew in the middle of the copy/)
      const again = await ask('POST', '/copies', { volume: 'disk', target, resume: true, wait: true })
      const done = JSON.parse(again.text).copy
      assert.equal([done.state, done.seq, done.verified], ['done', copy.seq, true])
      assert.ok(far.bytes.every((byte, at) => byte === (at < 4096 ? 5 : 0)))
    } finally {
      await server.close()
    }
  }))

test.run()
