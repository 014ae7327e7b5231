/** Metrics: the text is that of Prometheus, and its counts are those of the journal. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { newTally, tally } from '../../src/inspect/tally.ts'
import { type ControlledEngine, controlled } from '../support/controlled.ts'

const test = suite('metrics of the control API')

let api: ControlledEngine
test.before(async () => {
  api = await controlled()
})
test.after(() => api.close())

type Samples = Map<string, number>

/** Parses the text format: every line a comment or `name{labels} value`. */
async function scraped(): Promise<Samples> {
  const { text, headers } = await api.ask('GET /metrics')
  assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
  const samples: Samples = new Map()
  const typed = new Set<string>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue
    const type = /^# TYPE (\w+) (?:counter|gauge|histogram)$/.exec(line)
    if (type !== null) typed.add(type[1]!)
    else {
      const sample = /^((\w+?)(?:_bucket|_sum|_count)?(?:\{(?:\w+="[^"\\]*",?)*\})?) ([-+.\de]+|\+Inf)$/.exec(
        line,
      )
      assert.ok(sample !== null, line)
      assert.ok(typed.has(sample[2]!) || typed.has(sample[1]!.split('{')[0]!), line)
      samples.set(sample[1]!, Number(sample[3]))
    }
  }
  return samples
}

test('counts equal those of the journal since the server began', async () => {
  const { engine, journal } = api
  const since = journal.bounds().last + 1
  await engine.submit({ kind: 'volume.create', detail: { name: 'a', size: 65_536, block: 4096 } })
  await engine.submit({ kind: 'volume.create', detail: { name: 'b', size: 65_536, block: 4096 } })
  await engine.submit({ kind: 'volume.create', detail: { name: 'a', size: 4096, block: 4096 } })
  const { made: session } = await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  const data = () => new Uint8Array(4096).fill(5)
  const write = (volume: number, offset: number) =>
    engine.submit({ kind: 'io.write', session, volume, offset, data: data() })
  for (let k = 0; k < 10; k++) await write(1, k * 4096)
  await write(1, 2 ** 30)
  await engine.submit({ kind: 'io.read', session, volume: 1, offset: 0, length: 8192 })
  const terms = { deadlineMs: 60_000, maxEntries: 0, maxBytes: 0 }
  await engine.submit({ kind: 'backup.start', detail: { name: 'night', volumes: [2], ...terms } })
  const held = [write(2, 0), write(2, 4096)]
  await engine.settled()
  const waiting = await scraped()
  assert.is(waiting.get('blockbox_held_requests'), 2)
  assert.is(waiting.get('blockbox_backups'), 1)
  const { json: queues } = await api.ask('GET /queues')
  assert.equal(
    [queues.held.requests, queues.held.bytes, queues.volumes],
    [2, 8192, [{ name: 'b', held: 2, queued: 0 }]],
  )
  assert.ok(queues.held.oldest.waited_ms >= 0 && queues.held.oldest.seq > since)
  await engine.submit({ kind: 'backup.stop', detail: { name: 'night' } })
  await Promise.all(held)
  await engine.settled()

  const samples = await scraped()
  const kinds = new Map<string, number>()
  const sum = newTally()
  const bytes: Record<string, number> = {}
  let frames = 0
  for await (const frame of journal.read(since)) {
    frames++
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      kinds.set(row.kind, (kinds.get(row.kind) ?? 0) + 1)
      tally(sum, row)
      if (row.isInput && row.op !== 'none') bytes[row.op] = (bytes[row.op] ?? 0) + row.length
    }
  }
  const labelled = (name: string) =>
    [...samples]
      .map(
        ([key, value]) => [new RegExp(`^blockbox_${name}\\{\\w+="(.*)"\\}$`).exec(key)?.[1], value] as const,
      )
      .filter(([label, value]) => label !== undefined && value > 0)
      .sort()
  assert.equal(labelled('events_total'), [...kinds].sort())
  assert.equal(labelled('refusals_total'), Object.entries(sum.refused).sort())
  assert.equal(labelled('host_bytes_total'), Object.entries(bytes).sort())
  assert.ok(sum.refused.E_ALREADY === 1 && sum.refused.E_RANGE === 1)
  assert.is(samples.get('blockbox_frames_total'), frames)
  assert.is(samples.get('blockbox_commit_seconds_count'), frames - 1)
  assert.ok(samples.get('blockbox_commit_seconds_sum')! > 0)
  assert.is(samples.get('blockbox_commit_seconds_bucket{le="+Inf"}'), frames - 1)
  assert.is(samples.get('blockbox_journal_head_seq'), journal.bounds().last)
  assert.is(samples.get('blockbox_held_requests'), 0)
  assert.is(samples.get('blockbox_sessions'), 1)
})

test('a restore is told as it goes', async () => {
  const { engine } = api
  await engine.submit({ kind: 'pair.create', detail: { name: 'p', source: 1, clone: 2, extent: 4096 } })
  await engine.submit({ kind: 'restore.start', detail: { pair: 'p', protected: true, rate: 1 } })
  const samples = await scraped()
  assert.is(samples.get('blockbox_restore_extents{pair="p"}'), 16)
  const remaining = samples.get('blockbox_restore_remaining_extents{pair="p"}')!
  assert.ok(remaining > 0 && remaining <= 10, String(remaining))
  await engine.submit({ kind: 'restore.cancel', detail: { pair: 'p', force: true } })
})

test.run()
