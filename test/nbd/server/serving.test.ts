/**
 * Volumes as hosts use them, with the client of this project: everything that can be asked of an export, several
 * connections as one disk, sessions on the record, stopping.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../../src/check/all.ts'
import type { Journal } from '../../../src/journal/journal.ts'
import { listExports, type NbdClient, openClient } from '../../../src/nbd/client/client.ts'
import { commandFlag, transmissionFlag } from '../../../src/nbd/protocol/constant.ts'
import { replay } from '../../../src/replay/replay.ts'
import { errnoOf } from '../../support/errno.ts'
import { until, withServer } from '../../support/served.ts'

const test = suite('nbd server')

const block = 4096
const size = 2 ** 20

function filled(bytes: number, value: number): Uint8Array {
  return new Uint8Array(bytes).fill(value)
}

function isAll(bytes: Uint8Array, value: number): boolean {
  return bytes.every((byte) => byte === value)
}

/** What a journal holds of some kinds of event. */
async function eventsOf(journal: Journal, kinds: readonly string[]) {
  const found: { kind: string; session: number; detail: unknown; fate: string; code: string }[] = []
  for await (const frame of journal.read(1)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      const { kind, session, detail, fate, code } = row
      if (kinds.includes(kind)) found.push({ kind, session, detail: { ...detail }, fate, code })
    }
  }
  return found
}

for (const ack of ['durable', 'buffered'] as const) {
  test(`what was written is read, whatever the request (${ack})`, () =>
    withServer({ ack }, async ({ client, journal, engine }) => {
      const disk = await client()
      assert.is(disk.size, size)
      assert.ok(isAll(await disk.read(0, size), 0))
      await disk.write(0, filled(3 * block, 7))
      await disk.write(block, filled(block, 8), { fua: true })
      await disk.write(100, filled(10, 9))
      await disk.flush()
      const model = filled(size, 0)
      model
        .fill(7, 0, 3 * block)
        .fill(8, block, 2 * block)
        .fill(9, 100, 110)
      assert.equal([...(await disk.read(0, 4 * block))], [...model.subarray(0, 4 * block)])
      await disk.zero(50, 5000, commandFlag.noHole)
      await disk.zero(2 * block, 10, commandFlag.fastZero)
      model.fill(0, 50, 5050).fill(0, 2 * block, 2 * block + 10)
      assert.equal([...(await disk.read(0, 4 * block))], [...model.subarray(0, 4 * block)])
      await disk.trim(2 * block - 100, block + 200)
      assert.equal([...(await disk.read(0, 2 * block))], [...model.subarray(0, 2 * block)])
      assert.ok(isAll(await disk.read(2 * block, block), 0))
      await disk.request('cache', { offset: 0, length: size })
      await disk.close()
      await engine.settled()
      const { findings } = await replay(journal, { checks })
      assert.equal(findings, [])
    }))
}

test('an export tells what it can', () =>
  withServer({}, async ({ client }) => {
    const { facts, knowsAllocation } = await client()
    assert.ok(knowsAllocation)
    assert.is(facts.minimumBlock, 1)
    assert.is(facts.maximumBlock, 32 * 2 ** 20)
    const bit = transmissionFlag
    const wanted =
      bit.hasFlags | bit.sendFlush | bit.sendFua | bit.sendTrim | bit.sendWriteZeroes | bit.canMultiConn
    assert.is(facts.flags! & wanted, wanted)
    assert.is(facts.flags! & bit.readOnly, 0)
  }))

test('block status tells data from holes, one extent when asked for one, and never beyond the range', () =>
  withServer({}, async ({ client }) => {
    const disk = await client()
    assert.equal(await disk.blockStatus(0, size), [{ length: size, state: 3 }])
    await disk.write(4 * block, filled(2 * block, 1))
    await disk.write(10 * block, filled(block, 1))
    await disk.zero(5 * block, block)
    assert.equal(await disk.blockStatus(100, 10 * block), [
      { length: 4 * block - 100, state: 3 },
      { length: block, state: 0 },
      { length: 5 * block, state: 3 },
      { length: 100, state: 0 },
    ])
    assert.equal(await disk.blockStatus(4 * block, size - 4 * block, { one: true }), [
      { length: block, state: 0 },
    ])
  }))

test('a request that makes no sense fails alone, with the error that the protocol has for it', () =>
  withServer({}, async ({ client }) => {
    const disk = await client()
    assert.is(await errnoOf(disk.read(size - 10, 11)), 'EINVAL')
    assert.is(await errnoOf(disk.read(0, 32 * 2 ** 20 + 1)), 'EINVAL')
    assert.is(await errnoOf(disk.read(0, 0)), 'EINVAL')
    assert.is(await errnoOf(disk.read(2 ** 52, 10)), 'EINVAL')
    assert.is(await errnoOf(disk.write(size, filled(10, 1))), 'ENOSPC')
    assert.is(await errnoOf(disk.zero(size - 1, 2)), 'ENOSPC')
    assert.is(await errnoOf(disk.zero(0, 0xffffffff)), 'ENOSPC')
    assert.is(await errnoOf(disk.trim(0, 0xffffffff)), 'EINVAL')
    assert.is(await errnoOf(disk.blockStatus(0, size + 1)), 'EINVAL')
    assert.is(await errnoOf(disk.read(0, 10, commandFlag.noHole)), 'EINVAL')
    assert.is(
      await errnoOf(disk.request('write', { offset: 0, length: 1, flags: 512, data: filled(1, 1) })),
      'EINVAL',
    )
    assert.ok(isAll(await disk.read(0, size), 0))
  }))

test('a volume served read-only is not written', () =>
  withServer({ readOnly: true }, async ({ client }) => {
    const disk = await client()
    assert.ok(disk.readOnly)
    assert.is(await errnoOf(disk.write(0, filled(block, 1))), 'EPERM')
    assert.is(await errnoOf(disk.zero(0, block)), 'EPERM')
    assert.is(await errnoOf(disk.trim(0, block)), 'EPERM')
    await disk.flush()
  }))

test('many connections are one disk: what one has written another reads', () =>
  withServer({}, async ({ client }) => {
    const disks = await Promise.all(Array.from({ length: 8 }, () => client()))
    for (let round = 0; round < 20; round++) {
      const writer = disks[round % 8]!
      await writer.write(round * 1000, filled(5000, round + 1))
      for (const reader of disks) assert.ok(isAll(await reader.read(round * 1000, 5000), round + 1))
    }
  }))

test('many requests at once, overlapping and of odd sizes, end as if one had come after the other', () =>
  withServer({ limits: { requests: 16, bytes: 64 * 1024 } }, async ({ client }) => {
    const disk = await client()
    const model = filled(size, 0)
    const asked: Promise<unknown>[] = []
    for (let k = 0; k < 400; k++) {
      const offset = (k * 7919) % (size - 20_000)
      const length = 1 + ((k * 131) % 20_000)
      if (k % 7 === 0) {
        asked.push(disk.zero(offset, length))
        model.fill(0, offset, offset + length)
      } else {
        asked.push(disk.write(offset, filled(length, 1 + (k % 255))))
        model.fill(1 + (k % 255), offset, offset + length)
      }
    }
    await Promise.all(asked)
    assert.ok(Buffer.from(await disk.read(0, size)).equals(model))
  }))

test('connections that share a small bound of bytes all get on', () =>
  withServer({ limits: { allBytes: 8192 } }, async ({ client }) => {
    const disks = await Promise.all(Array.from({ length: 6 }, () => client()))
    const asked = disks.flatMap((disk, k) =>
      Array.from({ length: 50 }, async (_, n) => {
        const at = (k * 50 + n) % 200
        await disk.write(at * block, filled(block, 1 + at))
        assert.ok(isAll(await disk.read(at * block, block), 1 + at))
      }),
    )
    await Promise.all(asked)
  }))

test('each connection is a session on the record, which tells whether it ended in order', () =>
  withServer({}, async ({ client, server, journal, engine }) => {
    const orderly = await client()
    await orderly.write(0, filled(block, 1))
    await orderly.close()
    const abrupt = await client()
    abrupt.destroy()
    await until(() => server.connections === 0, 'both are gone')
    await engine.settled()
    const events = await eventsOf(journal, ['session.open', 'session.close'])
    assert.equal(
      events.map(({ kind, session, detail }) => [kind, session, (detail as { orderly?: boolean }).orderly]),
      [
        ['session.open', 0, undefined],
        ['session.close', 1, true],
        ['session.open', 0, undefined],
        ['session.close', 2, false],
      ],
    )
  }))

test('the list names the volumes, and an empty name means the only one', () =>
  withServer({}, async ({ socket, engine, client }) => {
    assert.equal(
      (await listExports({ socket })).map(({ name }) => name),
      ['vol'],
    )
    assert.is((await client('')).size, size)
    await engine.submit({ kind: 'volume.create', detail: { name: 'other', size: 8192, block: 512 } })
    assert.equal(
      (await listExports({ socket })).map(({ name }) => name),
      ['vol', 'other'],
    )
    assert.is((await client('other')).size, 8192)
    for (const name of ['', 'nobody', 'vol@seq:9999', 'vol@', 'vol@seq:x', 'x'.repeat(4000)]) {
      try {
        await openClient({ socket }, name)
        assert.unreachable(`${name} was opened`)
      } catch (error) {
        assert.is((error as { code?: string }).code, 'NBD_REFUSED', String(error))
      }
    }
  }))

test('a stop answers what is under way, then closes', () =>
  withServer({}, async ({ client, server }) => {
    const disk = await client()
    const writes = Array.from({ length: 50 }, (_, k) =>
      errnoOf(disk.write(k * block, filled(block, k + 1))).catch(() => 'closed'),
    )
    await writes[0]
    await server.close()
    const ends = await Promise.all(writes)
    assert.is(ends[0], 'ok')
    assert.ok(
      ends.every((end) => end === 'ok' || end === 'ESHUTDOWN' || end === 'closed'),
      ends.join(),
    )
    assert.is(server.connections, 0)
  }))

async function readsBack(disk: NbdClient, value: number): Promise<boolean> {
  return isAll(await disk.read(0, block), value)
}

test('a held write is answered when the backup ends, and reads go on meanwhile', () =>
  withServer({}, async ({ client, engine }) => {
    const disk = await client()
    await disk.write(0, filled(block, 1))
    const limits = { deadlineMs: 10_000, maxEntries: 100, maxBytes: 2 ** 20 }
    await engine.submit({ kind: 'backup.start', detail: { name: 'b', volumes: [1], ...limits } })
    let answered = false
    const held = disk.write(0, filled(block, 2)).then(() => {
      answered = true
    })
    assert.ok(await readsBack(disk, 1))
    await disk.flush()
    assert.is(answered, false)
    await engine.submit({ kind: 'backup.stop', detail: { name: 'b' } })
    await held
    assert.ok(await readsBack(disk, 2))
  }))

test.run()
