/** Far servers that go, lie or say nothing: hosts get errors, the record says what nobody knows, and it is sound. */

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { unknownBytes } from '../../../src/layers/tap-state.ts'
import type { NbdClient } from '../../../src/nbd/client/client.ts'
import { RequestFailed } from '../../../src/nbd/protocol/nbd-error.ts'
import { NbdServer } from '../../../src/nbd/server/server.ts'
import { MemoryDisk } from '../../support/memory-disk.ts'
import { until } from '../../support/served.ts'
import { eventsOf, type Tapped, withTap } from '../../support/tapped.ts'

const test = suite('a far server that is lost')

const errnoOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: unknown) => (error instanceof RequestFailed ? error.errno : String(error)),
  )

/** What hosts and the record say when the far server was lost while `pending` writes were under way. */
async function isLost(
  tapped: Tapped,
  host: NbdClient,
  pending: readonly Promise<unknown>[],
): Promise<string> {
  const reason = await tapped.tap.lost
  assert.is(reason.code, 'NBD_CLOSED')
  for (const work of pending) assert.is(await errnoOf(work), 'ESHUTDOWN')
  assert.is(await errnoOf(host.read(0, 512)), 'ESHUTDOWN')
  assert.is(await errnoOf(host.write(0, new Uint8Array(512))), 'ESHUTDOWN')
  assert.is(await errnoOf(host.flush()), 'ESHUTDOWN')
  const events = await eventsOf(tapped)
  const lost = events.filter(({ kind, code }) => kind === 'io.lost' && code === 'E_TAP_ENDED')
  assert.is(lost.length, pending.length)
  assert.is(events.filter(({ kind }) => kind === 'tap.detached').length, 1)
  assert.equal((await tapped.replayed()).findings, [])
  return reason.message
}

test('it goes while it is asked: who waits gets an error, the blocks are unknown', () =>
  withTap({}, async (tapped) => {
    const host = await tapped.client()
    const { size } = host
    await host.write(0, new Uint8Array(size).fill(1))
    assert.is(unknownBytes(tapped.engine.world, tapped.volume), 0)
    tapped.disk.hold()
    const pending = [0, 1, 2].map((k) => host.write(k * 65_536, new Uint8Array(8192).fill(2)))
    const behind = host.write(4096, new Uint8Array(8192))
    await until(() => tapped.disk.holding === 3, 'three are at the far disk, one waits for its turn')
    tapped.farServer.close()
    const message = await isLost(tapped, host, [...pending, behind])
    assert.match(message, /disk0 is lost: .*start the tap again under another name/)
    assert.is(unknownBytes(tapped.engine.world, tapped.volume), 3 * 8192 + 4096)
    assert.ok(tapped.recorded().every((byte) => byte === 1))
  }))

test('it goes while nobody asks', () =>
  withTap({}, async (tapped) => {
    const host = await tapped.client()
    tapped.farServer.close()
    await isLost(tapped, host, [])
  }))

test('it says nothing for too long', () =>
  withTap({ deadlineMs: 200 }, async (tapped) => {
    const host = await tapped.client()
    tapped.disk.hold()
    const message = await isLost(tapped, host, [host.write(0, new Uint8Array(512))])
    assert.match(message, 'no reply within 200 ms')
  }))

/** A server whose every reply behind the negotiation becomes `reply`. */
function lying(reply: (cookie: Uint8Array) => Uint8Array) {
  return async (socket: string) => {
    const truth = `${socket}.truth`
    const server = new NbdServer({ catalog: new MemoryDisk(), drainMs: 0 })
    await server.listen({ socket: truth })
    const sockets = new Set<Socket>()
    const front = createServer((near) => {
      const behind = connect(truth)
      for (const one of [near, behind]) {
        sockets.add(one)
        one.on('error', () => undefined)
        one.on('close', () => sockets.delete(one))
      }
      behind.on('data', (bytes) => near.write(bytes))
      near.on('data', (bytes: Buffer) => {
        const isRequest = bytes.length >= 28 && bytes.readUInt32BE(0) === 0x25609513
        if (isRequest) near.write(reply(bytes.subarray(8, 16)))
        else behind.write(bytes)
      })
    })
    front.listen(socket)
    await once(front, 'listening')
    return {
      async close() {
        for (const one of sockets) one.destroy()
        await new Promise((resolve) => front.close(resolve))
        await server.close()
      },
    }
  }
}

const word = (number: number) => Buffer.from([number >>> 24, number >>> 16, number >>> 8, number])
/** A chunk of a structured reply. */
const chunk = (flags: number, type: number, cookie: Uint8Array, length: number, ...data: Uint8Array[]) =>
  Buffer.concat([
    ...[word(0x668e33ef), Buffer.from([0, flags, type >>> 8, type]), cookie, word(length)],
    ...data,
  ])

const lies: readonly [string, (cookie: Uint8Array) => Uint8Array][] = [
  ['no reply at all', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  [
    'a reply to a request that was not made',
    () => Buffer.concat([word(0x67446698), word(0), Buffer.alloc(8, 9)]),
  ],
  ['a chunk of 4 GiB', (cookie) => chunk(1, 1, cookie, 0xffff_ffff)],
  ['data outside of what was asked for', (cookie) => chunk(1, 1, cookie, 12, word(0), word(99_999), word(7))],
  ['fewer bytes than were asked for', (cookie) => chunk(1, 1, cookie, 12, word(0), word(0), word(7))],
  [
    'a hole longer than what was asked for',
    (cookie) => chunk(1, 2, cookie, 12, word(0), word(0), word(2 ** 31)),
  ],
  ['extents for a read', (cookie) => chunk(1, 5, cookie, 12, word(1), word(512), word(0))],
]
for (const [what, reply] of lies) {
  test(`it answers with ${what}`, () =>
    withTap({ far: lying(reply) }, async (tapped) => {
      const host = await tapped.client()
      await isLost(tapped, host, [host.read(0, 512)])
    }))
}

test.run()
