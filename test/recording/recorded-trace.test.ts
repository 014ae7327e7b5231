/**
 * A recording read as a trace gives what hosts asked for: the requests that were submitted, with their bytes, in their
 * order, whatever the form, the cut and what was decided about them.
 */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng } from '../../src/core/prng.ts'
import { flag } from '../../src/events/kind.ts'
import { recordedTrace } from '../../src/recording/recorded-trace.ts'
import type { TraceEvent } from '../../src/trace/event.ts'
import { sniff } from '../../src/trace/format.ts'
import { exported, forms } from '../support/recordings.ts'
import { type Run, startRun } from '../support/run.ts'

const test = suite('recorded trace')

const ops = { 'io.read': 'read', 'io.write': 'write', 'io.zeroes': 'zero', 'io.discard': 'discard' } as const
const size = 64 * 1024

interface Asked {
  readonly op: string
  readonly offset: number | null
  readonly length: number | null
  readonly dev: string
  readonly host: string
  readonly flags: readonly string[]
  readonly data: string | undefined
}

/** A run of two hosts whose requests begin and end anywhere; some are beyond the end and refused. */
async function ran(seed: number, steps: number): Promise<{ run: Run; asked: Asked[]; refused: number }> {
  const run = await startRun()
  await run.volume('one', size / 4096)
  await run.volume('two', size / 4096)
  await run.must('session.open', { name: 'host-a' })
  await run.must('session.open', { name: 'host-b' })
  const asked: Asked[] = []
  const random = new Prng(seed)
  let refused = 0
  for (let k = 1; k <= steps; k++) {
    const session = 1 + random.below(2)
    const volume = 1 + random.below(2)
    const kind = (['io.read', 'io.write', 'io.zeroes', 'io.discard', 'io.flush'] as const)[random.below(5)]!
    const offset = random.below(size)
    const length = 1 + random.below(9000)
    const fua = kind === 'io.write' && random.below(3) === 0
    const about = {
      dev: volume === 1 ? 'one' : 'two',
      host: session === 1 ? 'host-a' : 'host-b',
      flags: fua ? ['FUA'] : [],
    }
    const request = { kind, session, volume, request: k, flags: fua ? flag.fua : 0 }
    const beyond = kind !== 'io.flush' && offset + length > size
    if (beyond) refused++
    if (kind === 'io.flush') {
      await run.ask(request)
      asked.push({ op: 'flush', offset: null, length: null, ...about, data: undefined })
      continue
    }
    const data = Uint8Array.from({ length }, () => random.below(256))
    const answer = await run.ask({ ...request, offset, ...(kind === 'io.write' ? { data } : { length }) })
    assert.is(answer?.code === 'ok', !beyond, answer?.code)
    if (beyond) continue
    const bytes = kind === 'io.write' ? Buffer.from(data).toString('hex') : undefined
    asked.push({ op: ops[kind], offset, length, ...about, data: bytes })
  }
  await run.must('mark', { label: 'end' })
  return { run, asked, refused }
}

function read(
  bytes: Uint8Array,
  cuts: readonly number[],
): { events: TraceEvent[]; remark: string | undefined } {
  const parser = recordedTrace.parser({})
  const events: TraceEvent[] = []
  const take = (some: Iterable<TraceEvent>) => {
    for (const event of some)
      events.push(event.data === undefined ? event : { ...event, data: event.data.slice() })
  }
  for (let at = 0, k = 0; at < bytes.length; k++) {
    const end = at + (cuts[k % cuts.length] ?? bytes.length)
    take(parser.push(bytes.slice(at, end)))
    at = end
  }
  take(parser.end())
  return { events, remark: parser.remark?.() }
}

const told = ({ op, offset, length, dev, host, flags, data }: TraceEvent) => ({
  ...{ op, offset, length, dev, host, flags },
  data: data === undefined ? undefined : Buffer.from(data).toString('hex'),
})

test('the events are the requests that were submitted and not refused, with their bytes', async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 25 }), cuts, async (seed, steps, some) => {
      const { run, asked, refused } = await ran(seed, steps)
      for (const form of forms) {
        const bytes = await exported(run.opened, form)
        assert.is(sniff(bytes.subarray(0, 256), [recordedTrace]), 'blockbox-trace')
        const { events, remark } = read(bytes, some)
        assert.equal(events.slice(0, -1).map(told), asked, form)
        assert.equal([events.at(-1)?.op, events.at(-1)?.label], ['mark', 'end'])
        assert.equal(
          events.map(({ index }) => index),
          events.map((_, k) => k),
        )
        assert.is(events[0]!.tNs, 0)
        assert.is(remark?.split(' ')[0], refused === 0 ? undefined : String(refused))
      }
    }),
    { numRuns: 25 },
  )
})

test('without payloads there are no bytes; of some entries there are those', async () => {
  const { run, asked } = await ran(7, 30)
  for (const form of forms) {
    const { events } = read(await exported(run.opened, form, { payload: 'digests' }), [400])
    assert.equal(
      events.slice(0, -1).map(told),
      asked.map((one) => ({ ...one, data: undefined })),
    )
  }
  const { events } = read(await exported(run.opened, 'lines', { session: 2, payload: 'digests' }), [400])
  const ofSecond = asked.filter(({ host }) => host === 'host-b')
  assert.equal(
    events.filter(({ op }) => op !== 'mark').map(({ op, offset }) => [op, offset]),
    ofSecond.map(({ op, offset }) => [op, offset]),
  )
})

test('a recording that was cut is refused', async () => {
  const { run } = await ran(9, 10)
  for (const form of forms) {
    const bytes = await exported(run.opened, form)
    for (const length of [0, 5, 40, bytes.length - 2]) {
      assert.throws(() => read(bytes.subarray(0, length), [100]), /\b(?:line|byte) \d+/, `${form} ${length}`)
    }
  }
})

test.run()
