/** Events as people read them: instants, names, fields in use, one line. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Columns, type NewEvent, Row } from '../../src/events/columns.ts'
import { type Detail, noDetail } from '../../src/events/detail.ts'
import { eventRecord, eventText, isoNs } from '../../src/inspect/event-record.ts'
import { Names } from '../../src/inspect/names.ts'
import { newWorld } from '../../src/volume.ts'

const test = suite('event record')

/** The events as rows of a frame that begins with event `first`. */
function rowsOf(first: number, ...events: readonly NewEvent[]): Row {
  const columns = new Columns()
  const details = new Map<number, Detail>()
  for (const [k, event] of events.entries()) {
    columns.push(event, first + k)
    if (event.detail !== undefined && event.detail !== noDetail) details.set(k, event.detail)
  }
  return new Row(columns, first, details)
}

test('instants have nine digits, before the epoch too', () => {
  assert.is(isoNs(0n), '1970-01-01T00:00:00.000000000Z')
  assert.is(isoNs(1_795_253_073_381_719_331n), '2026-11-21T09:24:33.381719331Z')
  assert.is(isoNs(-1n), '1969-12-31T23:59:59.999999999Z')
  assert.is(isoNs(-1_000_001n), '1969-12-31T23:59:59.998999999Z')
  assert.is(isoNs(10n ** 30n), `${10n ** 30n} ns`)
})

test('what a kind does not use is not said', () => {
  const names = new Names(newWorld())
  const row = rowsOf(1, { kind: 'io.flush', op: 'flush', session: 1, volume: 2, fate: 'passed', at: -5 })
  const record = eventRecord(row, 5n, names)
  assert.equal(record, {
    seq: 1,
    instant: isoNs(0n),
    kind: 'io.flush',
    session: 1,
    volume: '#2',
    fate: 'passed',
  })
  assert.is(eventText(record), `      1  ${isoNs(0n)}  io.flush            s1 #2 passed`)
})

test('names are learnt as events go by', () => {
  const names = new Names(newWorld())
  const terms = { deadlineMs: 1, maxEntries: 2, maxBytes: 3, atUs: 4 }
  const row = rowsOf(
    7,
    { kind: 'volume.created', volume: 1, detail: { name: 'disk', size: 4096, block: 4096 } },
    { kind: 'backup.flag_set', tag: 3, detail: { name: 'night', volumes: [1], ...terms } },
    { kind: 'backup.aborted', tag: 3, code: 'E_BOUND' },
    {
      kind: 'hold.released',
      op: 'write',
      session: 1,
      volume: 1,
      length: 4096,
      fate: 'passed',
      about: 5,
      flags: 1,
    },
  )
  const lines: string[] = []
  for (row.index = 0; row.index < 4; row.index++) {
    names.note(row)
    assert.ok(names.concerns(row, 'disk'))
    assert.not(names.concerns(row, 'other'))
    lines.push(eventText(eventRecord(row, 0n, names)).slice(41))
  }
  assert.equal(lines, [
    'volume.created      disk name=disk size=4096 block=4096',
    'backup.flag_set     backup=night name=night volumes=disk deadline_ms=1 max_entries=2 max_bytes=3 at_us=4',
    'backup.aborted      E_BOUND backup=night',
    'hold.released       s1 disk write 0+4096 passed fua about=5',
  ])
  assert.ok(names.has('disk'))
  assert.not(names.has('night'))
})

test.run()
