/** Events as they come: backlog, then live, resumed behind any of them; a slow reader is dropped and told so. */

import type { IncomingMessage } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ControlledEngine, controlled } from '../support/controlled.ts'
import { until } from '../support/served.ts'

const test = suite('events of the control API')

let api: ControlledEngine
test.before.each(async () => {
  api = await controlled()
})
test.after.each(() => api.close())

interface Sent {
  readonly id?: string
  readonly event?: string
  // biome-ignore lint/suspicious/noExplicitAny: an event of any kind
  readonly data: any
}

/** Reads server-sent events into a list as they come. */
function listening(response: IncomingMessage): Sent[] {
  const events: Sent[] = []
  let rest = ''
  response.setEncoding('utf8').on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop()!
    for (const block of blocks) {
      if (block.startsWith(':')) continue
      const fields = block.split('\n').map((line) => /^(\w+): (.*)$/s.exec(line)!)
      const named = Object.fromEntries(fields.map(([, name, value]) => [name!, value!]))
      events.push({ ...named, data: JSON.parse(named.data!) })
    }
  })
  response.on('error', () => undefined)
  return events
}

const volume = (name: string) =>
  ({ kind: 'volume.create', detail: { name, size: 4096, block: 4096 } }) as const

/** The journal's events as `log` gives them. */
async function logged(from: number, to: number) {
  const { text } = await api.ask(`GET /log?from=${from}&to=${to}`)
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test('backlog and what comes after it, without a gap and without a duplicate', async () => {
  for (let k = 0; k < 20; k++) await api.engine.submit(volume(`a${k}`))
  const response = await api.open('GET /events?from=1')
  assert.is(response.headers['content-type'], 'text/event-stream')
  const events = listening(response)
  for (let k = 0; k < 200; k++) void api.engine.submit(volume(`b${k}`))
  await api.engine.submit(volume('last'))
  const { last } = api.journal.bounds()
  await until(() => events.at(-1)?.data.seq === last, 'all events came')
  assert.equal(
    events.map(({ id }) => Number(id)),
    Array.from({ length: last }, (_, k) => k + 1),
  )
  assert.equal(
    events.map(({ data }) => data),
    await logged(1, last),
  )
  response.destroy()
})

test('Last-Event-ID goes on behind an event, whatever `from` says', async () => {
  for (let k = 0; k < 5; k++) await api.engine.submit(volume(`a${k}`))
  const { last } = api.journal.bounds()
  const response = await api.open('GET /events?from=1', { headers: { 'last-event-id': `${last - 1}` } })
  const events = listening(response)
  await api.engine.submit(volume('next'))
  await until(() => events.length === 3, 'three events')
  assert.equal(
    events.map(({ id }) => id),
    [last, last + 1, last + 2].map(String),
  )
  response.destroy()
  const wrong = await api.ask('GET /events', { headers: { 'last-event-id': 'x' } })
  assert.is(wrong.status, 400)
})

test('without `from` only what comes; kinds and a volume can be chosen', async () => {
  await api.engine.submit(volume('a'))
  const response = await api.open('GET /events?kind=mark&volume=a')
  const events = listening(response)
  await api.engine.submit(volume('b'))
  await api.engine.submit({ kind: 'mark', volume: 2, detail: { label: 'other' } })
  await api.engine.submit({ kind: 'mark', volume: 1, detail: { label: 'this' } })
  await until(() => events.length > 0, 'the mark')
  assert.equal([events.length, events[0]!.data.detail], [1, { label: 'this' }])
  response.destroy()
})

test('a reader that takes nothing is dropped and told where to go on; others are not held up', async () => {
  const text = 'x'.repeat(4000)
  const mark = () => api.engine.submit({ kind: 'mark', volume: 1, detail: { label: text } })
  await api.engine.submit(volume('a'))
  for (let frame = 0; frame < 40; frame++) await Promise.all(Array.from({ length: 10 }, mark))
  const slow = await api.open('GET /events?from=1&stall_ms=100')
  slow.pause()
  const quick = listening(await api.open('GET /events?from=1'))
  const { last } = api.journal.bounds()
  await until(() => quick.at(-1)?.data.seq === last, 'the quick reader has all')
  await new Promise((resolve) => setTimeout(resolve, 400))
  const late = listening(slow)
  slow.resume()
  await until(() => slow.readableEnded, 'the slow one ends')
  const { event, data } = late.at(-1)!
  assert.is(event, 'dropped')
  assert.is(data.error.code, 'SLOW_READER')
  const had = Number(late.at(-2)!.id)
  assert.is(data.error.seq, had)
  assert.ok(had < last, 'it was behind')
  const again = listening(await api.open('GET /events', { headers: { 'last-event-id': `${had}` } }))
  await until(() => again.at(-1)?.data.seq === last, 'it goes on')
  assert.is(Number(again[0]!.id), had + 1)
})

test('when the server stops its readers are told', async () => {
  const events = listening(await api.open('GET /events'))
  await api.engine.submit(volume('a'))
  await until(() => events.length > 0, 'an event')
  await api.server.close()
  await until(() => events.at(-1)?.event === 'error', 'told')
  assert.is(events.at(-1)!.data.error.code, 'ENGINE_STOPPED')
})

test('when the engine ends its readers have all events, and the end', async () => {
  const events = listening(await api.open('GET /events'))
  await api.engine.submit(volume('a'))
  await api.engine.close()
  await until(() => events.at(-1)?.event === 'end', 'the end')
  assert.is(events.at(-2)!.data.kind, 'engine.stop')
})

test('lines of the log end with an error when there is one', async () => {
  const { text } = await api.ask('GET /log?volume=none')
  const last = JSON.parse(text.trim().split('\n').at(-1)!)
  assert.is(last.error.code, 'NO_SUCH_VOLUME')
})

test.run()
