/**
 * Clients that are hostile or broken: whatever one does it gets an error or loses its connection, the server lives,
 * its memory stays bounded, and a host on another connection notices nothing.
 */

import type { Socket } from 'node:net'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { option, optionError, optionReply } from '../../../src/nbd/protocol/constant.ts'
import { FieldWriter, u32 } from '../../../src/nbd/protocol/field.ts'
import { maxOptions } from '../../../src/nbd/protocol/limit.ts'
import { clientFlags, contextMessage, goMessage, optionMessage } from '../../../src/nbd/protocol/option.ts'
import { requestHead } from '../../../src/nbd/protocol/request.ts'
import { remainder, type Served, serve, until } from '../../support/served.ts'

const test = suite('hostile clients')

const block = 4096
const limits = { negotiationMs: 400, stallMs: 400 }

let served: Served

test.before(async () => {
  served = await serve({ limits, size: 64 * 2 ** 20, connections: 20 })
})
test.after(() => served.close())

/** A host on a connection of its own reads and writes while `meddle` is at it, and afterwards nobody else is left. */
async function unaffected(meddle: () => Promise<void>): Promise<void> {
  const host = await served.client()
  let going = true
  let rounds = 0
  const working = (async () => {
    while (going || rounds < 3) {
      const value = 1 + (rounds++ % 255)
      await host.write(0, new Uint8Array(block).fill(value))
      const read = await host.read(0, block)
      assert.ok(read.every((byte) => byte === value))
    }
  })()
  try {
    await meddle()
  } finally {
    going = false
    await working
    await host.close()
  }
  await until(() => served.server.connections === 0, 'the hostile connections are gone')
}

/** Sends bytes and gives all that comes back until the server hangs up. */
async function answerTo(...parts: readonly Uint8Array[]): Promise<Buffer> {
  const socket = await served.raw()
  for (const part of parts) socket.write(part)
  return remainder(socket)
}

/** A bare connection whose requests begin behind what has been read; simple replies. */
async function transmitting(): Promise<Socket> {
  const socket = await served.raw()
  socket.write(clientFlags())
  socket.write(goMessage('vol', []))
  let came = 0
  const count = (bytes: Buffer) => {
    came += bytes.length
  }
  socket.on('data', count)
  await until(() => came >= 18 + 32 + 20, 'the negotiation ends')
  socket.off('data', count)
  return socket
}

/** The types of the replies to options in what a server said after its greeting. */
function replyTypes(bytes: Uint8Array): number[] {
  const types: number[] = []
  for (let at = 18; at + 20 <= bytes.length; at += 20 + u32(bytes, at + 16)) types.push(u32(bytes, at + 12))
  return types
}

test('random bytes, before and after the negotiation', () =>
  unaffected(async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 600 }), fc.boolean(), async (bytes, late) => {
        const socket = late ? await transmitting() : await served.raw()
        socket.end(bytes)
        await remainder(socket)
      }),
      { numRuns: 60 },
    )
  }))

test('lengths of options that lie are refused at once, not waited for', () =>
  unaffected(async () => {
    for (const number of [1, 3, 6, 7, 10, 99]) {
      const lie = new FieldWriter().u64([0x49484156, 0x454f5054]).u32(number).u32(0xfffffffe).done()
      const started = performance.now()
      const types = replyTypes(await answerTo(clientFlags(), lie))
      assert.equal(types, [optionError.tooBig])
      assert.ok(performance.now() - started < 350)
    }
  }))

test('names that are too long, or say they are, are refused and the next option is answered', () =>
  unaffected(async () => {
    const longer = new FieldWriter().u32(0xffffffff).text('vol').u16(0).done()
    const shorter = new FieldWriter().u32(1).text('vol').u16(0).done()
    const types = replyTypes(
      await answerTo(
        clientFlags(),
        goMessage('x'.repeat(4097), []),
        goMessage('x'.repeat(3000), []),
        optionMessage(option.go, longer),
        optionMessage(option.info, shorter),
        optionMessage(option.go, new Uint8Array([0, 0, 0, 1, 0xff, 0, 0])),
        optionMessage(option.go),
        optionMessage(option.structuredReply),
        optionMessage(option.setMetaContext, new FieldWriter().counted('vol').u32(0xffffffff).done()),
        contextMessage('nobody', ['base:allocation']),
        optionMessage(option.abort),
      ),
    )
    const { invalid, unknown } = optionError
    assert.equal(types, [
      invalid,
      unknown,
      invalid,
      invalid,
      invalid,
      invalid,
      optionReply.ack,
      invalid,
      unknown,
      optionReply.ack,
    ])
    const exportName = await answerTo(clientFlags(), optionMessage(option.exportName, new Uint8Array(5000)))
    assert.is(exportName.length, 18)
  }))

test('thousands of options are answered up to a bound', () =>
  unaffected(async () => {
    const many = Array.from({ length: maxOptions + 100 }, () => optionMessage(77))
    const types = replyTypes(await answerTo(clientFlags(), ...many))
    assert.ok(types.length <= maxOptions && types.length > 0)
    assert.ok(types.every((type) => type === optionError.unsupported))
  }))

test('who says nothing, or half of something, loses the connection', () =>
  unaffected(async () => {
    const started = performance.now()
    const sockets = await Promise.all([
      served.raw(),
      served.raw(),
      served.raw(),
      transmitting(),
      transmitting(),
    ])
    sockets[1]!.write(clientFlags().subarray(0, 2))
    sockets[2]!.write(goMessage('vol', []).subarray(0, 9))
    sockets[3]!.write(requestHead({ type: 'write', flags: 0, cookie: 1, offset: 0, length: block }))
    sockets[3]!.write(new Uint8Array(block - 1))
    sockets[4]!.write(requestHead({ type: 'read', flags: 0, cookie: 1, offset: 0, length: 1 }).subarray(0, 5))
    await Promise.all(sockets.map((socket) => remainder(socket)))
    assert.ok(performance.now() - started < 3000)
  }))

test('a disconnect in the middle of a write leaves nothing of it', async () => {
  const before = served.engine.world.volumes[0]!.map.get(1000)
  await unaffected(async () => {
    for (let k = 0; k < 20; k++) {
      const socket = await transmitting()
      const head = requestHead({ type: 'write', flags: 0, cookie: 1, offset: 1000 * block, length: 2 ** 20 })
      socket.write(head)
      socket.write(new Uint8Array(2 ** 20 - 1 - k * 1000).fill(9))
      await new Promise((resolve) => setTimeout(resolve, 2))
      socket.destroy()
    }
  })
  assert.is(served.engine.world.volumes[0]!.map.get(1000), before)
})

test('requests past the end, of 4 GiB, of no known type, get an error and the next is answered', () =>
  unaffected(async () => {
    const socket = await transmitting()
    const ask = (type: 'read' | 'trim' | 'writeZeroes', offset: number, length: number) =>
      socket.write(requestHead({ type, flags: 0, cookie: 5, offset, length }))
    ask('read', 0, 0xffffffff)
    ask('read', 2 ** 53 - 1, 4096)
    ask('trim', 64 * 2 ** 20 - 1, 2)
    ask('writeZeroes', 2 ** 52, 0xffffffff)
    const odd = requestHead({ type: 'read', flags: 0, cookie: 5, offset: 0, length: 16 })
    odd[7] = 99
    socket.write(odd)
    const far = requestHead({ type: 'read', flags: 0, cookie: 5, offset: 0, length: 16 })
    far.fill(0xff, 16, 24)
    socket.write(far)
    ask('read', 512, 16)
    socket.write(requestHead({ type: 'disconnect', flags: 0, cookie: 6, offset: 0, length: 0 }))
    const bytes = await remainder(socket)
    assert.is(bytes.length, 7 * 16 + 16)
    const errors: number[] = []
    for (let at = 0; at < 112; ) {
      errors.push(u32(bytes, at + 4))
      at += 16 + (u32(bytes, at + 4) === 0 ? 16 : 0)
    }
    assert.equal(
      errors.toSorted((a, b) => a - b),
      [0, 22, 22, 22, 22, 22, 28],
    )
  }))

test('who sends everything at once and then closes its side gets every answer', () =>
  unaffected(async () => {
    const socket = await transmitting()
    const head = requestHead({ type: 'read', flags: 0, cookie: 5, offset: 0, length: block })
    const last = requestHead({ type: 'disconnect', flags: 0, cookie: 6, offset: 0, length: 0 })
    socket.end(Buffer.concat([...Array.from({ length: 2000 }, () => head), last]))
    assert.is((await remainder(socket)).length, 2000 * (16 + block))
  }))

test('a write that is too long is refused and ends the connection', () =>
  unaffected(async () => {
    const socket = await transmitting()
    socket.write(requestHead({ type: 'write', flags: 0, cookie: 1, offset: 0, length: 0xffffffff }))
    const bytes = await remainder(socket)
    assert.is(u32(bytes, 4), 22)
  }))

test('a client that asks and does not read is made to wait: the server holds a bounded number of bytes', () =>
  unaffected(async () => {
    const writer = await served.client()
    for (let at = 0; at < 8; at++) await writer.write(at * 2 ** 20 + block, new Uint8Array(2 ** 20).fill(3))
    await writer.close()
    const socket = await transmitting()
    socket.pause()
    const before = process.memoryUsage().arrayBuffers
    const head = requestHead({ type: 'read', flags: 0, cookie: 1, offset: block, length: 8 * 2 ** 20 })
    for (let k = 0; k < 200; k++) socket.write(head)
    let most = 0
    for (let k = 0; k < 30; k++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    assert.ok(most < 300 * 2 ** 20, `${most} bytes for a client that does not read`)
    assert.ok(most > 2 ** 20)
    socket.destroy()
  }))

test('connections beyond the cap are turned away, and there is room again when one goes', async () => {
  const sockets = await Promise.all(Array.from({ length: 20 }, () => served.raw()))
  await until(() => served.server.connections === 20, 'all are let in')
  const over = await served.raw()
  assert.is((await remainder(over)).length, 0)
  for (const socket of sockets) socket.destroy()
  await until(() => served.server.connections === 0, 'all are gone')
  await unaffected(async () => undefined)
})

test.run()
