/** Binary vscsi traces of both versions: layout, any cut, bad records. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { vscsi, vscsiBegins } from '../../src/trace/vscsi.ts'
import { feed } from './feed.ts'

const test = suite('vscsi')

interface Raw {
  readonly length: number
  readonly command: number
  readonly lbn: bigint
  readonly time: bigint
  readonly version?: number
}

function encode(records: readonly Raw[], layout: 1 | 2): Uint8Array {
  const size = layout === 1 ? 32 : 40
  const view = new DataView(new ArrayBuffer(records.length * size))
  for (const [k, { length, command, lbn, time, version = layout * 256 }] of records.entries()) {
    const at = k * size
    const [serialAt, lengthAt, commandAt] = layout === 1 ? [0, 4, 12] : [4, 8, 0]
    view.setUint32(at + serialAt!, k, true)
    view.setUint32(at + lengthAt!, length, true)
    view.setUint16(at + commandAt!, command, true)
    view.setUint16(at + commandAt! + 2, version, true)
    view.setBigUint64(at + 16, lbn, true)
    view.setBigUint64(at + 24, time, true)
  }
  return new Uint8Array(view.buffer)
}

function refusal(bytes: Uint8Array, lengths?: number[]): string {
  try {
    feed(vscsi(), bytes, lengths)
  } catch (error) {
    assert.instance(error, BlockboxError)
    assert.is((error as BlockboxError).code, 'TRACE_FORMAT')
    return (error as BlockboxError).message
  }
  return assert.unreachable('the trace was taken') as never
}

const anyRecord = fc.record({
  length: fc.nat(2 ** 31),
  command: fc.constantFrom(0x28, 0x2a, 0x88, 0x8a, 0x08, 0x0a, 0x12, 0x35),
  lbn: fc.bigInt({ min: 0n, max: 2n ** 43n }),
  time: fc.bigInt({ min: 2n ** 62n, max: 2n ** 62n + 2n ** 42n }),
})
const op = (command: number) =>
  [0x28, 0x88, 0x08].includes(command) ? 'read' : [0x2a, 0x8a, 0x0a].includes(command) ? 'write' : 'other'

test('both versions are told apart and read, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(anyRecord, { maxLength: 40 }),
      fc.constantFrom(1, 2),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
      (records, layout, lengths) => {
        const events = feed(vscsi(), encode(records, layout as 1 | 2), lengths)
        assert.equal(
          events,
          records.map(({ length, command, lbn, time }, index) => ({
            index,
            op: op(command),
            offset: Number(lbn) * 512,
            length,
            tNs: Number(time - records[0]!.time) * 1000,
            dev: null,
            flags: [],
          })),
        )
      },
    ),
    { numRuns: 300 },
  )
})

const good: Raw = { length: 512, command: 0x2a, lbn: 8n, time: 5n }

test('records that make no sense are refused with their byte', () => {
  for (const layout of [1, 2] as const) {
    const size = layout === 1 ? 32 : 40
    const third = (bad: Partial<Raw>) => refusal(encode([good, good, { ...good, ...bad }, good], layout))
    assert.match(
      third({ version: 0x300 }),
      `byte ${2 * size + (layout === 1 ? 14 : 2)}: record 2 has version 3`,
    )
    assert.match(third({ lbn: 2n ** 45n }), `byte ${2 * size + 16}: record 2 ends beyond 2^53`)
    assert.match(
      third({ time: 2n ** 60n }),
      `byte ${2 * size + 24}: record 2: the time is more than 104 days`,
    )
    const bytes = encode([good, good, good], layout)
    assert.match(refusal(bytes.subarray(0, -1)), `byte ${2 * size}: the file ends inside record 2`)
    assert.match(refusal(bytes.subarray(0, 20)), 'byte 0: no records of a vscsi trace')
    assert.match(refusal(encode([good, { ...good, version: 0 }], layout)), 'byte 0: no records')
  }
  assert.match(refusal(new TextEncoder().encode('1538323200,12910952,128,0,1063\n'.repeat(9))), 'byte 0')
})

test('the content tells by two records', () => {
  assert.ok(vscsiBegins(encode([good, good], 1)))
  assert.ok(vscsiBegins(encode([good, good], 2)))
  assert.not(vscsiBegins(encode([good], 2)))
  assert.not(vscsiBegins(encode([good, { ...good, command: 0xff }], 1)))
  assert.not(vscsiBegins(encode([{ ...good, version: 0x300 }, good], 2)))
  assert.not(vscsiBegins(new Uint8Array(300)))
})

test.run()
