/**
 * Both sides' streams: whatever pieces the bytes come in, the messages are the same; what is no NBD ends with an error
 * of the protocol and no other; no length makes memory before its bytes have come.
 */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../../src/core/errors.ts'
import { type ClientMessage, ClientStream } from '../../../src/nbd/protocol/client-stream.ts'
import { chunk, magic, option, optionReply } from '../../../src/nbd/protocol/constant.ts'
import { FieldWriter } from '../../../src/nbd/protocol/field.ts'
import { Intake } from '../../../src/nbd/protocol/intake.ts'
import { maxOptionBytes, maxRequestBytes } from '../../../src/nbd/protocol/limit.ts'
import { clientFlags, contextMessage, goMessage, optionMessage } from '../../../src/nbd/protocol/option.ts'
import { contextReply, greeting, replyTo } from '../../../src/nbd/protocol/option-reply.ts'
import {
  blockStatusChunk,
  dataChunk,
  errorChunk,
  holeChunk,
  simpleReply,
} from '../../../src/nbd/protocol/reply.ts'
import { requestHead } from '../../../src/nbd/protocol/request.ts'
import { type ServerMessage, ServerStream } from '../../../src/nbd/protocol/server-stream.ts'

const test = suite('nbd streams')

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** Cuts bytes at random places, empty pieces and single bytes included. */
const cuts = fc.array(fc.nat({ max: 10_000 }), { maxLength: 60 })

function pieces(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, k) => bytes.slice(places[k], end))
}

const clientBytes = joined(
  clientFlags(),
  optionMessage(option.structuredReply),
  contextMessage('vol', ['base:allocation', 'x'.repeat(2000)]),
  goMessage('vol@mark:büro', [3, 1]),
  requestHead({ type: 'write', flags: 1, cookie: 2 ** 40 + 1, offset: 2 ** 41 + 4096, length: 5000 }),
  new Uint8Array(5000).map((_, k) => k % 251),
  requestHead({ type: 'read', flags: 0, cookie: 2, offset: 0, length: 0xffffffff }),
  requestHead({ type: 'write', flags: 0, cookie: 3, offset: 1, length: 3 }),
  new Uint8Array([1, 2, 3]),
  requestHead({ type: 'disconnect', flags: 0, cookie: 4, offset: 0, length: 0 }),
)

/** What a client said, when requests begin after its third option. */
function heard(parts: readonly Uint8Array[]): ClientMessage[] {
  const stream = new ClientStream()
  const all: ClientMessage[] = []
  let options = 0
  for (const part of parts) {
    stream.push(part)
    for (let message = stream.next(); message !== undefined; message = stream.next()) {
      all.push(plain(message))
      if (message.kind === 'option' && ++options === 3) stream.transmit()
    }
  }
  assert.is(stream.underWay, false)
  return all
}

/** A message with its data as a list of numbers, which compares. */
function plain<T extends object>(message: T): T {
  const data = 'data' in message ? message.data : undefined
  return data instanceof Uint8Array ? { ...message, data: [...data] } : message
}

test('what a client says is the same in whatever pieces it comes', () => {
  const whole = heard([clientBytes])
  assert.is(whole.length, 8)
  const write = whole[4]!
  assert.ok(write.kind === 'request' && write.offset === 2 ** 41 + 4096 && write.cookieHigh === 256)
  fc.assert(
    fc.property(cuts, (at) => {
      assert.equal(heard(pieces(clientBytes, at)), whole)
    }),
    { numRuns: 300 },
  )
  assert.equal(heard([...clientBytes].map((byte) => new Uint8Array([byte]))), whole)
})

const serverBytes = joined(
  greeting(),
  replyTo(option.structuredReply, optionReply.ack),
  contextReply(option.setMetaContext, 1, 'base:allocation'),
  simpleReply({ cookieHigh: 0, cookieLow: 7 }),
  new Uint8Array(3000).fill(9),
  dataChunk({ cookieHigh: 0, cookieLow: 8 }, 4096, 5, false),
  new Uint8Array([1, 2, 3, 4, 5]),
  holeChunk({ cookieHigh: 0, cookieLow: 8 }, 8192, 4096, true),
  blockStatusChunk({ cookieHigh: 0, cookieLow: 9 }, 1, [
    { length: 5, state: 3 },
    { length: 6, state: 0 },
  ]),
  errorChunk({ cookieHigh: 0, cookieLow: 9 }, 'ENOSPC', 'full'),
  simpleReply({ cookieHigh: 0, cookieLow: 7 }, 'EIO'),
)

function said(parts: readonly Uint8Array[]): ServerMessage[] {
  const stream = new ServerStream((cookie) => (cookie === 7 ? 3000 : 0))
  const all: ServerMessage[] = []
  for (const part of parts) {
    stream.push(part)
    for (let message = stream.next(); message !== undefined; message = stream.next()) {
      all.push(plain(message))
      if (all.length === 3) stream.transmit()
    }
  }
  assert.is(stream.underWay, false)
  return all
}

test('what a server says is the same in whatever pieces it comes', () => {
  const whole = said([serverBytes])
  assert.is(whole.length, 9)
  fc.assert(
    fc.property(cuts, (at) => {
      assert.equal(said(pieces(serverBytes, at)), whole)
    }),
    { numRuns: 300 },
  )
})

/** Feeds both streams; anything thrown but an error of the protocol is a defect. */
function survives(bytes: Uint8Array, transmit: boolean): void {
  for (const stream of [new ClientStream(), new ServerStream(() => 10)]) {
    try {
      if (transmit) stream.transmit()
      stream.push(bytes)
      for (let left = 1000; left > 0 && stream.next() !== undefined; left--);
    } catch (error) {
      assert.ok(error instanceof BlockboxError && error.code === 'NBD_PROTOCOL', String(error))
    }
  }
}

test('random bytes, and valid ones with a few changed, end in an error of the protocol or in silence', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), survives), { numRuns: 1000 })
  const changed = fc.array(fc.tuple(fc.nat({ max: 9000 }), fc.nat({ max: 255 })), { maxLength: 4 })
  fc.assert(
    fc.property(
      changed,
      fc.constantFrom(clientBytes, serverBytes),
      fc.boolean(),
      (changes, from, transmit) => {
        const bytes = from.slice()
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        survives(bytes, transmit)
      },
    ),
    { numRuns: 1000 },
  )
})

test('a length that is too long is told before its bytes come, and ends the stream', () => {
  for (const length of [maxOptionBytes + 1, 0xfffffffe, 0xffffffff]) {
    const stream = new ClientStream()
    stream.push(clientFlags())
    stream.push(new FieldWriter().u64(magic.option).u32(option.go).u32(length).done())
    stream.next()
    const message = stream.next()!
    assert.ok(message.kind === 'option' && message.tooLong && message.data.length === 0)
    stream.push(goMessage('vol', []))
    assert.is(stream.next(), undefined)
  }
  const stream = new ClientStream()
  stream.transmit()
  stream.push(requestHead({ type: 'write', flags: 0, cookie: 1, offset: 0, length: maxRequestBytes + 1 }))
  const write = stream.next()!
  assert.ok(write.kind === 'request' && write.tooLong && write.data === undefined)
  assert.is(stream.next(), undefined)
})

test('a client refuses lengths of a server that are too long', () => {
  const lies = [
    [
      joined(
        greeting(),
        new FieldWriter()
          .u64(magic.optionReply)
          .u32(7)
          .u32(3)
          .u32(2 ** 31)
          .done(),
      ),
      false,
    ],
    [
      new FieldWriter()
        .u32(magic.structuredReply)
        .u16(0)
        .u16(chunk.data)
        .u64(1)
        .u32(2 ** 31)
        .done(),
      true,
    ],
    [
      new FieldWriter()
        .u32(magic.structuredReply)
        .u16(0)
        .u16(chunk.error)
        .u64(1)
        .u32(2 ** 20)
        .done(),
      true,
    ],
  ] as const
  for (const [bytes, transmit] of lies) {
    const stream = new ServerStream(() => 0)
    if (transmit) stream.transmit()
    stream.push(bytes)
    assert.throws(() => {
      while (stream.next() !== undefined);
    }, /protocol/)
  }
})

test('an intake gives out what came, in order, whatever is put in and taken', () => {
  const steps = fc.array(fc.tuple(fc.nat({ max: 3000 }), fc.nat({ max: 2500 })), { maxLength: 80 })
  fc.assert(
    fc.property(steps, (all) => {
      const intake = new Intake()
      const taken: number[] = []
      let put = 0
      for (const [size, wanted] of all) {
        intake.push(new Uint8Array(size).map((_, k) => (put + k) % 253))
        put += size
        const got = intake.take(wanted)
        assert.is(got === undefined, wanted > put - taken.length)
        if (got !== undefined) taken.push(...got)
        assert.is(intake.length, put - taken.length)
      }
      assert.ok(taken.every((byte, k) => byte === k % 253))
    }),
    { numRuns: 300 },
  )
})

test('bytes that come one at a time are gathered, not kept as so many pieces', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const intake = new Intake()
  collect()
  const before = process.memoryUsage()
  for (let k = 0; k < 300_000; k++) intake.push(new Uint8Array([k % 253]))
  collect()
  const after = process.memoryUsage()
  const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers
  assert.ok(grown < 3 * 2 ** 20, `${grown} bytes are kept for 300000 that came`)
  assert.ok(intake.take(300_000)!.every((byte, k) => byte === k % 253))
})

test.run()
