/** Planted histories of media: every right order is sound, every wrong one is a breach of exactly one named rule. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type MediaEvent, mediaOrder } from '../../src/check/media-order.ts'

const test = suite('media order')

const starts = (cdm: readonly number[], isProtected = true): MediaEvent => ({
  name: 'restore.started',
  protected: isProtected,
  cdm,
})
const asks = (whole: boolean): MediaEvent => ({ name: 'io.submitted', io: 1, extent: 0, whole })
const copies: MediaEvent = { name: 'media.written', image: 'source', extent: 0, by: 'copy' }
const data = (image: 'source' | 'clone' = 'source'): MediaEvent => ({
  name: 'media.written',
  image,
  extent: 0,
  by: 1,
})
const flush = (image: 'source' | 'clone' = 'source'): MediaEvent => ({ name: 'media.flushed', image })
const clear: MediaEvent = { name: 'cdm.cleared', extent: 0 }
const mark: MediaEvent = { name: 'cdm.set', extent: 0 }
const protect: MediaEvent = { name: 'prm.set', extent: 0 }
const ack: MediaEvent = { name: 'io.completed', io: 1 }

const partial = [starts([0]), asks(false)]
const whole = [starts([0]), asks(true)]
const equal = [starts([]), asks(true)]
const both = [starts([], false), asks(false)]

const sound: Readonly<Record<string, readonly MediaEvent[]>> = {
  'partial: copy, flush, CDM-, PRM+, data, flush, ack': [
    ...[...partial, copies, flush(), clear, protect, data(), flush(), ack],
  ],
  'partial, CDM- lazily': [...partial, copies, flush(), protect, data(), flush(), ack, clear],
  'whole, still to copy: data, flush, PRM+, ack': [...whole, data(), flush(), protect, ack],
  'whole, copied: PRM+, data, flush, ack': [...equal, protect, data(), flush(), ack],
  'marked already: data, flush, ack': [
    ...[...equal, protect, data(), flush(), ack],
    ...[{ ...asks(false), io: 2 } as MediaEvent, { ...data(), by: 2 } as MediaEvent, flush()],
    { name: 'io.completed', io: 2 },
  ],
  'unprotected: CDM+, both, flush both, ack, CDM-': [
    ...[...both, mark, data(), data('clone'), flush(), flush('clone'), ack, clear],
  ],
}

const wrong: readonly (readonly [string, string, readonly MediaEvent[]])[] = [
  [
    'S3-I13',
    'CDM- before the copy is flushed',
    [...partial, copies, clear, flush(), protect, data(), flush(), ack],
  ],
  ['S3-I13', 'CDM- without a copy', [...partial, clear, protect, data(), flush(), ack]],
  ['S3-I13', 'no flush before PRM+', [...partial, copies, protect, flush(), clear, data(), flush(), ack]],
  ['S3-I13', 'PRM+ before the copy', [...partial, protect, copies, flush(), clear, data(), flush(), ack]],
  ['S3-I14', 'PRM+ after the acknowledgement', [...whole, data(), flush(), ack, protect]],
  [
    'S3-I15',
    'PRM+ after the data of a partial write',
    [...[...partial, copies, flush(), clear, data(), protect, flush(), ack]],
  ],
  ['S3-I15', 'always data, then PRM+', [...equal, data(), flush(), protect, ack]],
  ['S3-I16', 'always PRM+, then data', [...whole, protect, data(), flush(), ack]],
  ['S3-I16', 'PRM+ before the data is flushed', [...whole, data(), protect, flush(), ack]],
  [
    'S3-I9',
    'unprotected: the bit after the source',
    [...[...both, data(), mark, data('clone'), flush(), flush('clone'), ack]],
  ],
  [
    'G-I3',
    'unprotected: acknowledged before the clone is flushed',
    [...[...both, mark, data(), data('clone'), flush(), ack, flush('clone')]],
  ],
  [
    'S3-I13',
    'unprotected: CDM- before both are flushed',
    [...[...both, mark, data(), data('clone'), flush(), clear, flush('clone'), ack]],
  ],
  ['G-I3', 'protected: acknowledged before the data is flushed', [...equal, protect, data(), ack, flush()]],
]

for (const [name, events] of Object.entries(sound)) {
  test(`${name} is sound`, () => assert.equal(mediaOrder(events), []))
}
for (const [rule, name, events] of wrong) {
  test(`${rule}: ${name}`, () => {
    assert.equal([...new Set(mediaOrder(events).map((finding) => finding.rule))], [rule])
  })
}

test('every rule of the order on media has its planted fault', () => {
  const rules = new Set(wrong.map(([rule]) => rule))
  for (const rule of ['S3-I13', 'S3-I14', 'S3-I15', 'S3-I16']) assert.ok(rules.has(rule), rule)
})

test.run()
