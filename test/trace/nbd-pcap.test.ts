/** NBD off the wire: link types, reassembly, negotiation, merging, holes, torn ends. */

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import type { TraceEvent } from '../../src/trace/event.ts'
import { nbdPcap } from '../../src/trace/nbd-pcap.ts'
import { feed } from './feed.ts'
import {
  connection,
  encodeCapture,
  negotiation,
  request,
  type Segment,
  type Shape,
  serverPort,
  start,
} from './pcap-encode.ts'

const test = suite('nbd-pcap')

const second = 1_000_000_000n
const data = (length: number, seed: number) => Uint8Array.from({ length }, (_, k) => (k * 7 + seed) & 255)
const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

const read = (segments: readonly Segment[], shape?: Shape, lengths?: number[]) =>
  feed(nbdPcap(), encodeCapture(segments, shape), lengths)

function remarkOf(segments: readonly Segment[], port?: number): string | undefined {
  const parser = nbdPcap(port === undefined ? {} : { port })
  feed(parser, encodeCapture(segments))
  return parser.remark()
}

function refusal(bytes: Uint8Array): string {
  try {
    feed(nbdPcap(), bytes)
  } catch (error) {
    assert.instance(error, BlockboxError)
    assert.is((error as BlockboxError).code, 'TRACE_FORMAT')
    return (error as BlockboxError).message
  }
  return assert.unreachable('the capture was taken') as never
}

const hello = negotiation([7, 'export'])
const session = join(
  hello,
  request(1, 4096n, 600, { flags: 1, data: data(600, 1) }),
  request(0, 2n ** 40n, 512),
  request(3, 5n, 6),
  request(4, 0n, 4096),
  request(6, 8192n, 4096, { flags: 2 }),
  request(5, 1n, 2),
  request(7, 3n, 4, { flags: 8 }),
  request(1, 0n, 0),
  request(2, 0n, 0),
)
const brief = ({ op, offset, length, flags, dev }: TraceEvent) => [op, offset, length, flags.join(), dev]
const said = [
  ['write', 4096, 600, 'FUA', 'conn1'],
  ['read', 2 ** 40, 512, '', 'conn1'],
  ['flush', null, null, '', 'conn1'],
  ['discard', 0, 4096, '', 'conn1'],
  ['zero', 8192, 4096, '', 'conn1'],
  ['other', 1, 2, '', 'conn1'],
  ['other', 3, 4, '', 'conn1'],
  ['write', 0, 0, '', 'conn1'],
  ['close', null, null, '', 'conn1'],
]

test('every request of a session is an event, and a write has its data', () => {
  const events = read(connection(session, 100_000))
  assert.equal(events.map(brief), said)
  assert.equal(events[0]!.data, data(600, 1))
  assert.is(events[7]!.data!.length, 0)
  assert.ok(events.every(({ tNs }) => tNs === 0))
})

test('byte orders, resolutions, link types and IP versions give the same events', () => {
  const segments = connection(session, 333)
  const plain = read(segments)
  for (const big of [false, true]) {
    for (const nano of [false, true]) {
      for (const six of [false, true]) {
        for (const link of [0, 1, 12, 101, 113, 276]) {
          assert.equal(read(segments, { big, nano, six, link }), plain)
        }
      }
    }
  }
  assert.equal(read(segments, { tags: 2 }), plain)
})

test('nanoseconds are kept where the capture has them, and the time is that of the first byte', () => {
  const stream = join(hello, request(0, 0n, 1), request(0, 0n, 2))
  const cut = hello.length + 28 + 1
  const at = start + 123n
  const segments: Segment[] = [
    { time: start, from: 4, sequence: 9, flags: 'syn' },
    { time: at, from: 4, sequence: 10, payload: stream.subarray(0, cut) },
    { time: at + 7n * second, from: 4, sequence: 10 + cut, payload: stream.subarray(cut) },
  ]
  assert.equal(
    read(segments, { nano: true }).map(({ tNs }) => tNs),
    [0, 0],
  )
  const apart = segments.map((segment, k) => (k === 2 ? { ...segment, sequence: 10 + cut - 1 } : segment))
  apart[1] = { ...apart[1]!, payload: stream.subarray(0, cut - 1) }
  apart[2] = { ...apart[2]!, payload: stream.subarray(cut - 1) }
  assert.equal(
    read(apart, { nano: true }).map(({ tNs }) => tNs),
    [0, 7e9],
  )
})

test('negotiation is skipped however many options it has, and old servers have none', () => {
  const long = negotiation([6, 'x'.repeat(5000)], [10, ''], [7, 'a'])
  for (const first of [long, negotiation([1, 'name']), new Uint8Array(0)]) {
    assert.equal(read(connection(join(first, request(0, 8n, 9)), 700)).map(brief), [
      ['read', 8, 9, '', 'conn1'],
    ])
  }
  assert.equal(read(connection(negotiation([3, ''], [2, '']), 700)), [])
})

test('extended requests have 64-bit lengths; the payload of a question is passed by', () => {
  const stream = join(
    hello,
    request(6, 0n, 2 ** 40, { wide: true }),
    request(7, 0n, 8, { wide: true, flags: 32, data: data(8, 3) }),
    request(1, 512n, 16, { wide: true, flags: 33, data: data(16, 4) }),
  )
  const events = read(connection(stream, 50))
  assert.equal(
    events.map(({ op, length }) => [op, length]),
    [
      ['zero', 2 ** 40],
      ['other', 8],
      ['write', 16],
    ],
  )
  assert.equal(events[2]!.data, data(16, 4))
})

test('connections are named as they appear and merged by the time of the first byte', () => {
  const one = connection(join(hello, request(0, 1n, 1), request(0, 2n, 1)), 28, 50001, start)
  const two = connection(join(hello, request(0, 3n, 1), request(0, 4n, 1)), 28, 50000, start + 500_000n)
  const all = [...one, ...two].sort((a, b) => Number(a.time - b.time))
  assert.equal(
    read(all).map(({ offset, dev }) => [offset, dev]),
    [
      [1, 'conn1'],
      [3, 'conn2'],
      [2, 'conn1'],
      [4, 'conn2'],
    ],
  )
  const twins = [50001, 50000].map((from) => connection(join(hello, request(0, BigInt(from), 1)), 500, from))
  const tied = [twins[0]![0]!, twins[1]![0]!, twins[1]![1]!, twins[0]![1]!]
  assert.equal(
    read(tied).map(({ offset, dev }) => [offset, dev]),
    [
      [50000, 'conn2'],
      [50001, 'conn1'],
    ],
  )
  const again = connection(join(hello, request(2, 0n, 0)), 500, 50001, start + second, 1234)
  assert.equal(read([...all, ...again]).at(-1)!.dev, 'conn3')
})

test('what waits is given out in order once it is too much, but not before an earlier request is whole', () => {
  const megabyte = new Uint8Array(2 ** 20)
  const slow = join(hello, request(1, 7n, 10, { data: data(10, 0) }))
  const fast = join(
    hello,
    ...Array.from({ length: 80 }, (_, k) => request(1, BigInt(k), 2 ** 20, { data: megabyte })),
  )
  const one = connection(slow, slow.length - 1, 50001, start)
  const two = connection(fast, 60_000, 50000, start + 500_000n)
  const late = { ...one[2]!, time: two.at(-1)!.time }
  const parser = nbdPcap()
  const counts: number[] = []
  for (const segments of [[one[0]!, one[1]!, ...two], [late]]) {
    const bytes = encodeCapture(segments)
    counts.push([...parser.push(counts.length === 0 ? bytes : bytes.subarray(24))].length)
  }
  assert.is(counts[0], 0)
  assert.ok(counts[1]! > 10 && counts[1]! < 40)
  const rest = [...parser.end()]
  assert.is(counts[1]! + rest.length, 81)
  assert.equal(
    rest.map(({ offset }) => offset),
    rest.map((_, k) => 80 - rest.length + k),
  )
})

test('a hole is refused with its place', () => {
  const segments = connection(session, 100)
  const lost = refusal(encodeCapture(segments.filter((_, k) => k !== 3)))
  assert.match(lost, /^byte \d+: packet 4 comes after a hole: 100 bytes of conn1 are missing at byte 200/)
  const tail = refusal(encodeCapture(segments.filter((_, k) => k !== segments.length - 2)))
  assert.match(tail, /packet \d+ comes after a hole: \d+ bytes of conn1/)
  assert.match(refusal(encodeCapture(segments.slice(1))), 'began before the capture')
  const short = segments.map((segment, k) => (k === 4 ? { ...segment, cut: 9 } : segment))
  assert.match(refusal(encodeCapture(short)), 'packet 5 was captured without its last 9 bytes')
  const torn = segments.map((segment, k) => (k === 4 ? { ...segment, moreFragments: true } : segment))
  assert.match(refusal(encodeCapture(torn)), 'packet 5 is an IP fragment')
})

test('streams that are no NBD are refused, an encrypted one by name', () => {
  const stream = (bytes: Uint8Array) => refusal(encodeCapture(connection(bytes, 400)))
  assert.match(stream(Buffer.from('GET / HTTP/1.1\r\n\r\n')), 'packet 2 (conn1): no NBD handshake')
  assert.match(stream(join(hello, Buffer.from('nonsense'))), 'no NBD option or request')
  assert.match(stream(join(hello, request(0, 0n, 1), hello)), 'no NBD request')
  assert.match(stream(join(hello, request(9, 0n, 1))), 'unknown type 9')
  assert.match(stream(join(hello, request(0, 2n ** 53n, 1))), 'beyond 2^53')
  assert.match(stream(join(negotiation([5, '']), data(90, 22))), 'STARTTLS')
})

test('a request that a connection never finished is left out, and said', () => {
  const stream = join(hello, request(0, 0n, 1), request(1, 0n, 100, { data: data(40, 0) }))
  assert.is(read(connection(stream, 64)).length, 1)
  assert.match(remarkOf(connection(stream, 64))!, 'ended inside a request, which is left out: conn1')
  assert.is(remarkOf(connection(session, 64)), undefined)
})

test('a capture without the port says which ports NBD servers answered on', () => {
  const greeting: Segment = {
    time: start,
    from: 4000,
    sequence: 1,
    server: true,
    payload: Buffer.from('NBDMAGICIHAVEOPT\0\x03'),
  }
  const segments = [greeting, ...connection(session, 500)]
  assert.match(
    remarkOf(segments, 99)!,
    `no connection to TCP port 99 in the capture; NBD servers answer on ${serverPort}`,
  )
  assert.match(remarkOf([], 99)!, 'name the port')
})

test('files that are no captures are refused, pcapng by name', () => {
  assert.match(refusal(data(100, 1)), 'byte 0: not the magic number')
  assert.match(refusal(Uint8Array.of(10, 13, 13, 10, ...data(40, 0))), 'pcapng')
  const capture = encodeCapture(connection(session, 500))
  assert.match(refusal(capture.subarray(0, 10)), 'byte 10: the capture ends inside its header')
  assert.match(refusal(capture.subarray(0, -1)), 'the capture ends inside packet')
  const linked = capture.slice()
  linked[20] = 77
  assert.match(refusal(linked), 'byte 20: link type 77')
})

/** Sends bytes as TCP may: cut anywhere, some twice, some late. */
const journeys = fc.record({
  size: fc.integer({ min: 1, max: 300 }),
  swaps: fc.array(fc.nat(1000), { maxLength: 30 }),
  repeats: fc.array(fc.record({ from: fc.nat(1000), bytes: fc.integer({ min: 1, max: 700 }) }), {
    maxLength: 20,
  }),
  isn: fc.nat(2 ** 32 - 1),
  lengths: fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 5 }),
})

test('segments that come late, twice or overlapping make the same requests', () => {
  const wanted = read(connection(session, 100_000)).map((event) => ({ ...event, tNs: 0 }))
  fc.assert(
    fc.property(journeys, ({ size, swaps, repeats, isn, lengths }) => {
      const [syn, ...rest] = connection(session, size, 7, start, isn)
      const fin = rest.pop()!
      for (const swap of swaps) {
        const k = swap % Math.max(1, rest.length - 1)
        if (k + 1 < rest.length) [rest[k], rest[k + 1]] = [rest[k + 1]!, rest[k]!]
      }
      for (const { from, bytes } of repeats) {
        const begin = from % session.length
        const payload = session.subarray(begin, begin + bytes)
        rest.splice(from % rest.length, 0, {
          time: start,
          from: 7,
          sequence: (isn + 1 + begin) >>> 0,
          payload,
        })
      }
      const events = read([syn!, syn!, ...rest, fin, ...rest.slice(0, 3)], {}, lengths)
      assert.equal(
        events.map((event) => ({ ...event, tNs: 0 })),
        wanted,
      )
    }),
    { numRuns: 150 },
  )
})

test.run()
