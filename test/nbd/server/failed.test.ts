/**
 * A server whose journal cannot be written any more: hosts get errors for what changes something, go on reading what is
 * durable, and so do those who come after.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openEngine } from '../../../src/engine/open-engine.ts'
import { systemClock } from '../../../src/engine/system-clock.ts'
import type { KvStore } from '../../../src/journal/store.ts'
import { listExports, openClient } from '../../../src/nbd/client/client.ts'
import { VolumeCatalog } from '../../../src/nbd/server/catalog.ts'
import { NbdServer } from '../../../src/nbd/server/server.ts'
import { Disk } from '../../../src/sim/disk.ts'
import { type Fault, FaultyLevel } from '../../../src/sim/faulty-level.ts'
import { errnoOf } from '../../support/errno.ts'
import { openMemory } from '../../support/store.ts'

const test = suite('nbd server on an engine that failed')
const block = 4096

async function serveIll(use: (served: Awaited<ReturnType<typeof illServer>>) => Promise<void>) {
  const served = await illServer()
  try {
    await use(served)
  } finally {
    await served.server.close()
    served.catalog.close()
    await served.engine.close()
    rmSync(served.folder, { recursive: true, force: true })
  }
}

async function illServer() {
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-ill-'))
  const ill: { fault: Fault | undefined } = { fault: undefined }
  const store = new FaultyLevel(new Disk(), {
    fault: ({ kind }) => (kind === 'put' || kind === 'batch' ? ill.fault : undefined),
  })
  const { journal, payload } = await openMemory({ store: store as unknown as KvStore })
  const engine = await openEngine({ journal, payload, clock: systemClock() })
  await engine.submit({ kind: 'volume.create', detail: { name: 'vol', size: 64 * block, block } })
  await engine.submit({ kind: 'volume.create', detail: { name: 'kept', size: 64 * block, block } })
  const catalog = new VolumeCatalog({ engine, journal, payload })
  const server = new NbdServer({ catalog })
  const at = { socket: join(folder, 's') }
  await server.listen(at)
  return { folder, ill, journal, engine, catalog, server, at }
}

const filled = (fill: number, blocks = 1) => new Uint8Array(blocks * block).fill(fill)

for (const [fault, errno] of [
  ['doubt', 'EIO'],
  ['full', 'ENOSPC'],
] as const) {
  test(`${fault}: changes get ${errno} for good, reads and views of the past go on`, () =>
    serveIll(async ({ ill, engine, journal, at }) => {
      const disk = await openClient(at, 'vol')
      await disk.write(0, filled(5, 4))
      const { last } = journal.bounds()
      ill.fault = fault
      const asked = [disk.write(0, filled(9)), disk.read(0, 2 * block)] as const
      assert.is(await errnoOf(asked[0]), errno)
      assert.equal(new Set(await asked[1]), new Set([5]), 'a read that was under way is answered')
      ill.fault = undefined
      assert.is(await errnoOf(disk.write(0, filled(9))), errno)
      assert.is(await errnoOf(disk.flush()), errno)
      assert.is(await errnoOf(disk.zero(0, block)), errno)
      assert.is(await errnoOf(disk.trim(0, block)), errno)
      assert.is(await errnoOf(disk.trim(1, 10)), errno, 'nothing is promised, nothing at all')
      assert.equal(new Set(await disk.read(100, 3 * block)), new Set([5]))
      assert.is(await errnoOf(disk.read(64 * block - 1, 2)), 'EINVAL')
      assert.equal(await disk.blockStatus(0, 8 * block), [
        { length: 4 * block, state: 0 },
        { length: 4 * block, state: 3 },
      ])

      const late = await openClient(at, 'vol')
      assert.ok(late.readOnly)
      assert.equal(new Set(await late.read(0, 4 * block)), new Set([5]))
      assert.is(await errnoOf(late.write(0, filled(1))), 'EPERM')
      const before = await openClient(at, `vol@seq:${last - 1}`)
      assert.equal(new Set(await before.read(0, 4 * block)), new Set([0]))
      const exports = await listExports(at)
      assert.equal(exports.map(({ name }) => name).sort(), ['kept', 'vol'])
      for (const one of [disk, late, before]) await one.close()
      assert.is(journal.bounds().last, last, 'nothing of it is on record')
      assert.is(engine.remains?.known?.seq, last)
    }))
}

test('a fence keeps late readers out: nobody can be told from its owner any more', () =>
  serveIll(async ({ ill, engine, at }) => {
    const { made: session } = await engine.submit({ kind: 'session.open', detail: { name: 'owner' } })
    const ranges = { meta: [0, block], covered: [0, 8 * block], last: 0, full: false }
    const detail = { name: 'guard', advisory: false, metaFirst: false, deadlineMs: 0, ...ranges }
    const raised = await engine.submit({ kind: 'fence.raise', session, volume: 1, detail })
    assert.is(raised.code, 'ok')
    await engine.settled()
    const host = await openClient(at, 'vol')
    ill.fault = 'full'
    const other = await openClient(at, 'kept').catch(() => undefined)
    assert.is(other, undefined, 'the session that could not be recorded is no session')
    assert.is(await errnoOf(host.read(block, block)), 'EPERM', 'who was there is judged as before')
    const why = await openClient(at, 'vol').then(
      () => 'let in',
      (error: Error) => error.message,
    )
    assert.match(why, /fence stands on volume vol/)
    await (await openClient(at, 'kept')).close()
    await host.close()
  }))

test.run()
