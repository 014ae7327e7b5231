/** What holds for every format: any cut, recognition, refusal of all that is another format or damaged. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { couldBe, sniff, sniffBytes, traceFormat, traceFormats } from '../../src/trace/format.ts'
import { feed } from './feed.ts'
import { samples } from './samples.ts'

const test = suite('format')

/** Reads it all; the complaint when it is refused as it should be. */
function refusal(format: string, bytes: Uint8Array, lengths?: number[]): string | undefined {
  try {
    feed(traceFormat(format).parser({}), bytes, lengths)
  } catch (error) {
    if (!(error instanceof BlockboxError) || error.code !== 'TRACE_FORMAT') throw error
    assert.match(error.message, /^(?:line|byte) \d+/)
    return error.message
  }
  return undefined
}

test('there is a sample of every format', () => {
  assert.equal(
    [...samples.keys()],
    traceFormats.map(({ name }) => name),
  )
})

test('the content tells the format', () => {
  for (const [format, bytes] of samples) {
    assert.is(sniff(bytes.subarray(0, sniffBytes)), format)
  }
  assert.is(sniff(new Uint8Array(0)), undefined)
})

test('a table without a header is named where its rows are like those of one format, else it is not', () => {
  const bytes = (...lines: string[]) => new TextEncoder().encode(lines.join('\n'))
  const cases: readonly (readonly [string | undefined, readonly string[], Uint8Array])[] = [
    ['spc', ['spc'], bytes('0,20941264,8192,W,0.551706,Alpha/NT', '1,8,512,r,0.6')],
    ['tencent', ['tencent'], bytes('1538323199,105352008,584,1,1576')],
    [undefined, ['tencent'], bytes('38323199,105352008,584,1,1576', '38323200,8,8,0,1')],
    [undefined, ['alibaba'], bytes('3,W,4096,4096,1000')],
    ['alibaba', [], bytes('device_id,opcode,offset,length,timestamp', '3,W,4096,4096,1000')],
    [undefined, ['disksim'], bytes('0.5 0 303567 7 0')],
    [undefined, [], bytes('0 0 303567 7 0', 'and so on')],
    ['disksim', ['disksim'], bytes(...Array.from({ length: 40 }, (_, k) => `${k}000 0 8 8 1`))],
    [undefined, [], bytes('x'.repeat(400))],
  ]
  for (const [name, candidates, first] of cases) {
    assert.is(sniff(first.subarray(0, sniffBytes)), name)
    if (name !== 'alibaba') assert.equal(couldBe(first.subarray(0, sniffBytes)), candidates)
  }
})

test('a trace read as any other format is refused with a line or a byte', () => {
  for (const format of samples.keys()) {
    for (const [other, bytes] of samples) {
      if (other !== format) assert.ok(refusal(format, bytes) !== undefined, `${other} as ${format}`)
    }
  }
})

for (const [format, bytes] of samples) {
  test(`${format}: any cut gives the same events`, () => {
    const whole = feed(traceFormat(format).parser({}), bytes)
    assert.ok(whole.length >= 6)
    assert.equal(
      whole.map(({ index }) => index),
      whole.map((_, k) => k),
    )
    const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 })
    const same = (lengths: number[]) =>
      assert.equal(feed(traceFormat(format).parser({}), bytes, lengths), whole)
    same([1])
    fc.assert(fc.property(cuts, same), { numRuns: 60 })
  })

  test(`${format}: damage gives events or a refusal, nothing else`, () => {
    const flips = fc.array(fc.record({ at: fc.nat(bytes.length - 1), bit: fc.nat(7) }), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(flips, fc.nat(bytes.length), fc.boolean(), (all, length, short) => {
        const damaged = bytes.slice(0, short ? length : bytes.length)
        for (const { at, bit } of all) if (at < damaged.length) damaged[at]! ^= 1 << bit
        refusal(format, damaged, [300])
      }),
      { numRuns: 600 },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => void refusal(format, noise)))
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.uint8Array({ maxLength: 200 }), (at, noise) => {
        refusal(format, new Uint8Array(Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)])))
      }),
    )
  })
}

test.run()
