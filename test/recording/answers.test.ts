/** A recording of a tapped volume as a trace: each request with when it was asked and answered, and what it was told. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Answers } from '../../src/recording/answers.ts'
import { recordedTrace } from '../../src/recording/recorded-trace.ts'
import { redact } from '../../src/recording/redact.ts'
import type { TraceEvent } from '../../src/trace/event.ts'
import { bytesOf, exported, forms, opened } from '../support/recordings.ts'
import { until } from '../support/served.ts'
import { withTap } from '../support/tapped.ts'

const test = suite('answers')

test('they stand with their requests, in the order of asking, whatever the order of answers', () =>
  withTap({}, async (tapped) => {
    const host = await tapped.client()
    tapped.disk.hold()
    const writes = [3, 1, 2].map((k) => host.write(k * 4096, new Uint8Array(4096).fill(k)))
    await until(() => tapped.disk.holding === 3, 'three wait')
    tapped.disk.release({ backwards: true })
    await Promise.all(writes)
    tapped.disk.meddle = () => ({ code: 'E_IO', failure: { errno: 'ENOSPC', why: 'full' } })
    await host.write(0, new Uint8Array(512)).catch(() => undefined)
    tapped.disk.hold()
    const never = host.read(0, 512).catch(() => undefined)
    await until(() => tapped.disk.holding === 1, 'one waits')
    tapped.farServer.close()
    await tapped.tap.lost
    await never
    await tapped.engine.settled()
    const shared = await bytesOf(redact(await opened(await exported(tapped, 'lines')), true), 'lines')
    const text = Buffer.from(shared).toString('latin1')
    assert.match(text, 'ENOSPC', 'what the far server said is no name')
    assert.not.match(text, 'nbd+unix', 'where it is, is one')
    for (const form of forms) {
      const parser = recordedTrace.parser({})
      const events = [...parser.push(await exported(tapped, form)), ...parser.end()] as TraceEvent[]
      assert.equal(
        events.map(({ op, offset, ret }) => [op, offset, ret]),
        [
          ['write', 3 * 4096, 0],
          ['write', 4096, 0],
          ['write', 2 * 4096, 0],
          ['write', 0, 28],
          ['read', 0, null],
        ],
        form,
      )
      const [first, , third, failed, last] = events
      assert.ok(third!.tCompleteNs! <= first!.tCompleteNs!, 'the last was answered first')
      for (const { tNs, tCompleteNs } of events.slice(0, 4)) assert.ok(tCompleteNs! > tNs!)
      assert.ok(failed!.tNs! > first!.tCompleteNs!)
      assert.is(last!.tCompleteNs, null)
      assert.equal([...events[0]!.data!], [...new Uint8Array(4096).fill(3)])
    }
  }))

test('what is pushed out has no answer; the order stays', () => {
  const answers = new Answers()
  const event = (index: number): TraceEvent => {
    return { index, op: 'read', offset: 0, length: 1, tNs: index, dev: null, flags: [] }
  }
  const many = 65_536 + 5
  for (let k = 1; k <= many; k++) answers.add(event(k), k)
  const out = [...answers.ready()]
  assert.equal(
    out.map(({ index, ret }) => [index, ret]),
    [1, 2, 3, 4, 5].map((k) => [k, undefined]),
  )
  answers.answered(1, 9, 0)
  answers.answered(7, 9, 0)
  assert.is([...answers.ready()].length, 0)
  const rest = [...answers.rest()]
  assert.equal(
    rest.slice(0, 3).map(({ index, ret }) => [index, ret]),
    [
      [6, null],
      [7, 0],
      [8, null],
    ],
  )
  assert.is(rest.length, many - 5)
})

test.run()
