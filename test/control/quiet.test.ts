/** Marks at an instant when nobody's write is in flight: exact under load, bounded, and nobody is held up for them. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { inFlightOf } from '../../src/layers/in-flight.ts'
import { worldAt } from '../../src/replay/at.ts'
import { type ControlledEngine, controlled } from '../support/controlled.ts'
import { until } from '../support/served.ts'

const test = suite('mark when it is quiet')

let api: ControlledEngine
let session = 0
const block = 4096

test.before(async () => {
  api = await controlled()
  for (const name of ['disk', 'log', 'twin']) {
    await api.engine.submit({ kind: 'volume.create', detail: { name, size: 64 * block, block } })
  }
  session = (await api.engine.submit({ kind: 'session.open', detail: { name: 'host' } })).made
})
test.after(() => api.close())

const write = (volume: number, at: number) => {
  const data = new Uint8Array(block).fill(1 + (at % 250))
  return api.engine.submit({ kind: 'io.write', session, volume, offset: at * block, data })
}

const mark = (body: object) => api.ask('POST /marks', { body: { volume: 'disk', label: 'quiet', ...body } })

async function hold(name: string, volume: number): Promise<void> {
  const detail = { name, volumes: [volume], deadlineMs: 60_000, maxEntries: 0, maxBytes: 0 }
  assert.is((await api.engine.submit({ kind: 'backup.start', detail })).code, 'ok')
}

const stop = (name: string) => api.engine.submit({ kind: 'backup.stop', detail: { name } })

/** Writes that were in flight when an event was decided. */
async function inFlightAt(seq: number): Promise<number> {
  const { held, queued } = inFlightOf(await worldAt(api.journal, seq))
  return held.size + queued.size
}

test('a write that is held is waited for; the mark comes right after it', async () => {
  await hold('one', 1)
  const held = write(1, 3)
  await until(() => inFlightOf(api.engine.world).held.size === 1, 'it is held')
  const plain = await mark({})
  assert.is(plain.status, 200)
  assert.is(await inFlightAt(plain.json.seq), 1, 'a mark alone waits for nothing')
  const other = await mark({ volume: 'log', quiesce: true })
  assert.is(other.status, 200, 'another volume is quiet')
  const waits = mark({ quiesce: true })
  const all = mark({ volume: 'log', quiesce: true, all_volumes: true })
  const also = mark({ volume: 'log', quiesce: true, also: ['disk'] })
  const passing = await write(2, 1)
  assert.is(passing.code, 'ok', 'nobody is held up')
  await stop('one')
  const { seq } = await held
  for (const asked of [waits, all, also]) {
    const { status, json } = await asked
    assert.is(status, 200)
    assert.ok(json.seq > seq)
    assert.is(await inFlightAt(json.seq), 0)
  }
})

test('past the deadline it says who is waited for, and puts nothing on record', async () => {
  await hold('two', 1)
  const held = write(1, 4)
  const last = () => api.journal.bounds().last
  await until(() => inFlightOf(api.engine.world).held.size === 1, 'it is held')
  await api.engine.settled()
  const before = last()
  const { status, json } = await mark({ quiesce: true, deadline_ms: 30 })
  assert.equal([status, json.error.code], [409, 'STALLED'])
  assert.match(json.error.message, /in flight on disk at the end of 30 ms: 1/)
  assert.is(last(), before)
  await stop('two')
  await held
})

test('under writes that never cease to be held and released, no mark sees one in flight', async () => {
  let going = true
  const load = (async () => {
    for (let round = 0; going; round++) {
      await hold(`r${round}`, 1)
      const held = [write(1, round % 64), write(1, (round + 7) % 64)]
      await new Promise((resolve) => setTimeout(resolve, 1))
      await stop(`r${round}`)
      await Promise.all(held)
    }
  })()
  let marked = 0
  for (let k = 0; k < 20; k++) {
    const { status, json } = await mark({ quiesce: true, label: `m${k}` })
    assert.is(status, 200)
    assert.is(await inFlightAt(json.seq), 0, `mark ${k}`)
    marked++
  }
  going = false
  await load
  assert.is(marked, 20)
})

test('a key holds for it, and other volumes go with quiesce alone', async () => {
  const headers = { 'idempotency-key': 'once' }
  const body = { volume: 'disk', label: 'keyed', quiesce: true }
  const first = await api.ask('POST /marks', { body, headers })
  const again = await api.ask('POST /marks', { body, headers })
  assert.is(again.json.repeats, first.json.seq)
  assert.is((await mark({ also: ['log'] })).json.error.code, 'USAGE')
  assert.is((await mark({ quiesce: true, also: ['none'] })).json.error.code, 'NO_SUCH_VOLUME')
})

test.run()
