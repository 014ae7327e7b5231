/** A tap between hosts and a far disk: what hosts are told, what is on the record, and that the two agree. */

import { randomBytes } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng } from '../../../src/core/prng.ts'
import type { kinds } from '../../../src/events/kind.ts'
import { unknownBytes } from '../../../src/layers/tap-state.ts'
import { allocation, transmissionFlag as bit, commandFlag } from '../../../src/nbd/protocol/constant.ts'
import { RequestFailed } from '../../../src/nbd/protocol/nbd-error.ts'
import { until } from '../../support/served.ts'
import { hooked, memoryStore } from '../../support/store.ts'
import { eventsOf, type Tapped, withTap } from '../../support/tapped.ts'

const test = suite('tap')

const sane = async (tapped: Tapped) => assert.equal((await tapped.replayed()).findings, [])

test('what a host does is done by the far disk, and on the record with its bytes and both instants', () =>
  withTap({}, async (tapped) => {
    const { disk } = tapped
    const host = await tapped.client()
    const bytes = randomBytes(8192)
    await host.write(4096, bytes, { fua: true })
    assert.ok(bytes.equals(await host.read(4096, 8192)))
    await host.zero(8192, 4096, commandFlag.noHole)
    await host.trim(65_536, 4096)
    await host.flush()
    assert.equal(
      disk.asked.map(({ kind, offset, length, fua, noHole = false }) => [kind, offset, length, fua, noHole]),
      [
        ['io.write', 4096, 8192, true, false],
        ['io.read', 4096, 8192, false, false],
        ['io.zeroes', 8192, 4096, false, true],
        ['io.discard', 65_536, 4096, false, false],
        ['io.flush', 0, 0, false, false],
      ],
    )
    const events = await eventsOf(tapped)
    const of = (kind: keyof typeof kinds) => events.filter((event) => event.kind === kind)
    assert.is(of('tap.released').length, 5)
    for (const { about, atNs } of of('tap.released')) {
      const asked = events.find(({ seq }) => seq === about)!
      const reported = events.find((event) => event.kind === 'tap.report' && event.about === about)!
      assert.is(asked.fate, 'forwarded')
      assert.ok(asked.atNs < reported.atNs, 'it was asked before it was answered')
      assert.is(atNs, reported.atNs)
    }
    assert.is(of('io.write')[0]!.digest, of('tap.report')[1]!.digest, 'the digest of what the read returned')
    await sane(tapped)
  }))

test('hosts are told what the far server tells', () =>
  withTap({ size: 3 * 4096, minimumBlock: 512, readOnly: true }, async (tapped) => {
    const host = await tapped.client()
    assert.is(host.size, 3 * 4096)
    assert.is(host.facts.minimumBlock, 512)
    assert.ok(host.readOnly)
    const error = await host.write(0, new Uint8Array(4096)).catch((error: unknown) => error)
    assert.is((error as RequestFailed).errno, 'EPERM')
    const [extent] = await host.blockStatus(0, 4096)
    assert.equal(extent, { length: 4096, state: 0 })
    assert.is(allocation.hole, 1)
  }))

test('flags that the far disk does not have, hosts are not offered', async () => {
  const flags = bit.hasFlags | bit.sendFlush
  await withTap({ flags }, async (tapped) => {
    const host = await tapped.client()
    assert.is(host.facts.flags, flags | bit.sendDontFragment)
  })
})

test('where nobody may write, hosts are told, and the far disk is not asked', () =>
  withTap({ nobodyWrites: true }, async (tapped) => {
    const host = await tapped.client()
    assert.ok(host.readOnly)
    assert.is((host.facts.flags ?? 0) & (bit.sendTrim | bit.sendWriteZeroes | bit.sendFua), 0)
    const error = await host.write(0, new Uint8Array(512)).catch((error: unknown) => error)
    assert.is((error as RequestFailed).errno, 'EPERM')
    assert.is((await host.read(0, 512)).length, 512)
    assert.equal(
      tapped.disk.asked.map(({ kind }) => kind),
      ['io.read'],
    )
  }))

test('its errors reach the host as they are, and the record has them; the content is what it was', () =>
  withTap({}, async (tapped) => {
    const { disk } = tapped
    const host = await tapped.client()
    await host.write(0, new Uint8Array(4096).fill(7))
    const errnos = [
      'EIO',
      'ENOSPC',
      'EINVAL',
      'EOVERFLOW',
      'ENOTSUP',
      'ENOMEM',
      'EPERM',
      'ESHUTDOWN',
    ] as const
    for (const errno of errnos) {
      disk.meddle = () => ({ code: 'E_IO', failure: { errno, why: `the far disk says ${errno}` } })
      const failed = await host.write(0, new Uint8Array(4096).fill(8)).catch((error: unknown) => error)
      assert.instance(failed, RequestFailed)
      assert.is((failed as RequestFailed).errno, errno)
      assert.match((failed as Error).message, `the far disk says ${errno}`)
    }
    disk.meddle = () => undefined
    const events = await eventsOf(tapped)
    const reports = events.filter(({ kind, code }) => kind === 'tap.report' && code !== 'ok')
    assert.equal(
      reports.map(({ detail }) => detail.errno),
      errnos,
    )
    assert.is(events.filter(({ kind }) => kind === 'io.failed').length, errnos.length)
    assert.is(tapped.recorded()[0], 7)
    await sane(tapped)
  }))

/** A journal whose writes wait while its gate is shut. */
function gated() {
  let shut = false
  let go: () => void = () => undefined
  const before = () => (shut ? new Promise<void>((resolve) => (go = resolve)) : undefined)
  return {
    store: hooked(memoryStore(), before),
    shut: () => {
      shut = true
    },
    open: () => {
      shut = false
      go()
    },
  }
}

/** What became of a promise after a while in which all that may happen has. */
async function soon(work: Promise<unknown>): Promise<string> {
  const waits = new Promise<string>((resolve) => setTimeout(() => resolve('waits'), 50))
  return Promise.race([
    waits,
    work.then(
      () => 'told',
      () => 'failed',
    ),
  ])
}

test('no host is told before it is on the record', async () => {
  const gate = gated()
  await withTap({ store: gate.store }, async (tapped) => {
    const host = await tapped.client()
    gate.shut()
    const write = host.write(0, new Uint8Array(4096))
    await until(() => tapped.disk.asked.length === 1, 'the far disk is asked')
    const became = await soon(write)
    gate.open()
    await write
    assert.is(became, 'waits')
  })
})

test('log first: nothing is changed that the record does not name', async () => {
  const gate = gated()
  await withTap({ store: gate.store, logFirst: true }, async (tapped) => {
    const host = await tapped.client()
    gate.shut()
    const write = host.write(0, new Uint8Array(4096))
    await host.read(65_536, 512)
    await soon(write)
    const asked = tapped.disk.asked.map(({ kind }) => kind)
    gate.open()
    await write
    assert.equal(asked, ['io.read'])
    assert.is(tapped.disk.asked.length, 2)
  })
})

test('a record that cannot be written ends the tap: hosts get errors, not answers', async () => {
  let broken = false
  const before = () => {
    if (broken) throw new Error('the disk of the journal is gone')
  }
  await withTap({ store: hooked(memoryStore(), before) }, async (tapped) => {
    const host = await tapped.client()
    await host.write(0, new Uint8Array(4096).fill(1))
    broken = true
    for (let k = 0; k < 2; k++) {
      const error = await host.write(0, new Uint8Array(4096).fill(2)).catch((error: unknown) => error)
      assert.instance(error, RequestFailed)
    }
    broken = false
  })
})

test('hosts at once, on the same blocks: the record holds what the far disk holds, and reads agree', async () => {
  await withTap({ size: 64 * 4096, block: 512 }, async (tapped) => {
    const chance = new Prng(11)
    const hosts = await Promise.all([0, 1, 2].map(() => tapped.client()))
    const load = async (host: (typeof hosts)[number]) => {
      for (let round = 0; round < 12; round++) {
        await Promise.all(
          Array.from({ length: 16 }, (_, k) => {
            const offset = chance.below(500) * 512
            const length = Math.min(64 * 4096 - offset, (1 + chance.below(12)) * 512 + chance.below(3) * 100)
            const op = chance.below(10)
            if (op < 5) return host.write(offset, randomBytes(length))
            if (op < 7) return host.read(offset, length)
            if (op === 7) return host.zero(offset, length)
            return op === 8 ? host.trim(offset, length) : host.flush().then(() => k)
          }),
        )
      }
    }
    await Promise.all(hosts.map(load))
    const verdict = await tapped.replayed()
    assert.equal(verdict.findings, [])
    assert.ok(verdict.reads!.reads > 50, `${verdict.reads!.reads} reads were compared`)
    assert.ok(Buffer.from(tapped.recorded()).equals(tapped.disk.bytes))
  })
})

test('a far disk that returns other bytes than were written is found in the record', () =>
  withTap({}, async (tapped) => {
    const host = await tapped.client()
    await host.write(0, new Uint8Array(4096).fill(1))
    await host.read(0, 4096)
    await host.read(65_536, 4096)
    tapped.disk.bytes[100] = 2
    await host.read(0, 4096)
    const { findings, reads } = await tapped.replayed()
    assert.equal(
      findings.map(({ rule }) => rule),
      ['G-I6'],
    )
    assert.is(reads!.unknown, 1, 'what was never written while it was recorded cannot be compared')
  }))

test('after a trim a range is known where the far server says that zeros are there, and only there', () =>
  withTap({}, async (tapped) => {
    const { disk, engine, volume } = tapped
    const host = await tapped.client()
    const { size } = host
    const unknown = () => unknownBytes(engine.world, volume)
    await host.write(0, new Uint8Array(size).fill(1))
    await host.trim(0, 65_536)
    assert.is(unknown(), 65_536, 'it does not say')
    disk.tellsZeros = true
    await host.trim(0, 65_536)
    assert.is(unknown(), 0)
    disk.meddle = ({ kind }) => (kind === 'io.discard' ? { code: 'ok' } : undefined)
    await host.trim(131_072, 65_536)
    assert.is(unknown(), 65_536, 'it kept what was there')
    disk.meddle = () => undefined
    assert.is((await host.read(0, 512))[0], 0)
    assert.is((await host.read(131_072, 512))[0], 1)
    const { findings, reads } = await tapped.replayed()
    assert.equal(findings, [])
    assert.equal([reads!.reads, reads!.unknown], [1, 1])
  }))

test('a stop answers what is under way', () =>
  withTap({}, async (tapped) => {
    const host = await tapped.client()
    tapped.disk.hold()
    const writes = Array.from({ length: 20 }, (_, k) => host.write(k * 4096, new Uint8Array(4096).fill(k)))
    await until(() => tapped.disk.holding === 20, 'all are at the far disk')
    const stopped = tapped.server.close().then(() => tapped.tap.stop())
    tapped.disk.release({ backwards: true })
    await Promise.all(writes)
    await stopped
    const events = await eventsOf(tapped)
    assert.is(events.filter(({ kind }) => kind === 'tap.released').length, 20)
    assert.is(events.at(-1)!.kind, 'tap.detached')
    await sane(tapped)
  }))

test.run()
