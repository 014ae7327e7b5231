/**
 * A server whose engine failed and whose journal was opened anew: hosts keep their connections, write again through the
 * same, and see nothing that they may not.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type Test } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../../src/core/errors.ts'
import { preservesOf } from '../../../src/layers/preserve-state.ts'
import { type NbdClient, openClient } from '../../../src/nbd/client/client.ts'
import { VolumeCatalog } from '../../../src/nbd/server/catalog.ts'
import { NbdServer } from '../../../src/nbd/server/server.ts'
import { errnoOf } from '../../support/errno.ts'
import { filled, heldTakeover, type ReignOptions, type Reigns, reigns } from '../../support/reigns.ts'

const test: Test = suite('nbd server whose journal is opened anew')

interface Served extends Reigns {
  readonly server: NbdServer
  client(name?: string): Promise<NbdClient>
}

async function served(options: ReignOptions, use: (served: Served) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-heirs-'))
  const run = await reigns(options)
  const { succession } = run
  const { engine, journal, payload } = succession
  const catalog = new VolumeCatalog({ engine, journal, payload })
  const server = new NbdServer({ catalog })
  succession.add(catalog)
  const at = { socket: join(folder, 's') }
  await server.listen(at)
  const clients: NbdClient[] = []
  const client = async (name = 'disk') => {
    const one = await openClient(at, name, { limitMs: 5000 })
    clients.push(one)
    return one
  }
  try {
    await use({ ...run, server, client })
  } finally {
    for (const one of clients) one.destroy()
    await server.close()
    catalog.close()
    await succession.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const at = (block: number) => block * 4096
const byteAt = async (disk: NbdClient, block: number) => (await disk.read(at(block), 1))[0]

for (const [fault, errno] of [
  ['full', 'ENOSPC'],
  ['doubt', 'EIO'],
] as const) {
  test(`after "${fault}" the same connections write again, whoever came meanwhile sees it, the past stays`, () =>
    served({}, async ({ succession, ill, client }) => {
      const [disk, other] = [await client(), await client()]
      await disk.write(at(1), filled(5))
      const { last } = succession.journal.bounds()
      const past = await client(`disk@seq:${last}`)
      ill.fault = fault
      assert.is(await errnoOf(disk.write(at(2), filled(6))), errno)
      assert.is(await errnoOf(other.flush()), errno)
      assert.is(await byteAt(other, 1), 5)
      const late = await client()
      assert.is(await byteAt(late, 1), 5)
      ill.fault = undefined
      await succession.reopen()
      const kept = await byteAt(disk, 2)
      assert.is(kept, fault === 'doubt' ? 6 : 0, 'the write in doubt is there whole, or not at all')
      await disk.write(at(2), filled(7))
      await other.write(at(3), filled(8))
      for (const one of [disk, other]) await one.flush()
      for (const one of [disk, other, late]) {
        assert.equal([await byteAt(one, 2), await byteAt(one, 3)], [7, 8])
      }
      assert.ok(late.readOnly)
      assert.is(await errnoOf(late.write(at(1), filled(1))), 'EPERM', 'it was told that it can only read')
      assert.equal([await byteAt(past, 1), await byteAt(past, 2)], [5, 0])
      const names = [...succession.engine.world.sessions.values()].sort()
      assert.equal(names, ['nbd-1', 'nbd-2', 'nbd-4'], 'each has a session of the new engine, by its name')
      await disk.close()
      await succession.engine.settled()
      const left = [...succession.engine.world.sessions.values()].sort()
      assert.equal(left, ['nbd-2', 'nbd-4'])
    }))
}

test('while it is opened reads wait, changes are refused at once, and who comes is let in afterwards', () =>
  served({}, async ({ succession, ill, client }) => {
    const disk = await client()
    await disk.write(at(1), filled(5))
    ill.fault = 'full'
    assert.is(await errnoOf(disk.write(at(2), filled(6))), 'ENOSPC')
    ill.fault = undefined
    const { reopened, letOn } = await heldTakeover(succession)
    const order: string[] = []
    const read = byteAt(disk, 1).then((byte) => order.push(`read ${byte}`))
    const status = disk.blockStatus(0, at(2)).then((found) => order.push(`${found.length} extents`))
    const late = client()
    const letIn = late.then(() => order.push('let in'))
    for (const change of [
      disk.write(at(3), filled(1)),
      disk.zero(at(3), 4096),
      disk.trim(at(3), 4096),
      disk.flush(),
    ]) {
      order.push(await errnoOf(change))
    }
    letOn()
    await reopened
    order.push('reopened')
    await Promise.all([read, status, letIn])
    assert.is((await late).readOnly, false)
    assert.equal(order.slice(0, 4), ['ENOSPC', 'ENOSPC', 'ENOSPC', 'ENOSPC'])
    assert.equal(order.slice(4).sort(), ['2 extents', 'let in', 'read 5', 'reopened'])
    assert.is(await byteAt(disk, 3), 0)
    await (await late).write(at(3), filled(9))
    assert.is(await byteAt(disk, 3), 9)
  }))

test('buffered: writes that were answered and are void make the next flush of each connection fail, once', () =>
  served({ ack: 'buffered' }, async ({ succession, ill, client }) => {
    const [disk, other] = [await client(), await client()]
    await disk.write(at(1), filled(5))
    await disk.flush()
    ill.fault = 'full'
    assert.is(await errnoOf(disk.write(at(1), filled(6))), 'ok')
    while (succession.state === 'recording') await new Promise((resolve) => setImmediate(resolve))
    ill.fault = undefined
    await succession.reopen()
    assert.is(await byteAt(disk, 1), 5, 'what was answered is gone')
    await disk.write(at(2), filled(7))
    for (const one of [disk, other]) {
      assert.is(await errnoOf(one.flush()), 'ENOSPC', 'and whoever asks is told')
      assert.is(await errnoOf(one.flush()), 'ok')
    }
    assert.is(await errnoOf((await client()).flush()), 'ok')
    assert.is(await byteAt(disk, 2), 7)
  }))

test('a session that reaches a view goes on reaching it, or nothing at all', () =>
  served({}, async ({ succession, ill, client }) => {
    const [disk, other] = [await client(), await client()]
    const submit = (ask: Parameters<typeof succession.engine.submit>[0]) => succession.engine.submit(ask)
    await disk.write(at(1), filled(5))
    const session = [...succession.engine.world.sessions].find(([, name]) => name === 'nbd-1')![0]
    const { made: view } = await submit({ kind: 'preserve.create', detail: { name: 'view', base: 1 } })
    await submit({ kind: 'session.rebind', session, detail: { from: 1, to: view } })
    await disk.write(at(1), filled(6))
    for (const fill of [7, 8]) {
      ill.fault = 'full'
      assert.is(await errnoOf(disk.write(at(1), filled(99))), 'ENOSPC')
      ill.opening = new BlockboxError('JOURNAL_CORRUPT', 'not now')
      await succession.reopen().catch(() => undefined)
      assert.is(await byteAt(disk, 1), fill - 1, 'what remains is that of the view')
      assert.is(await errnoOf(disk.write(at(1), filled(99))), 'EIO')
      assert.is(await errnoOf(disk.flush()), 'EIO')
      ill.opening = undefined
      ill.fault = undefined
      await succession.reopen()
      await disk.write(at(1), filled(fill))
      assert.equal([await byteAt(disk, 1), await byteAt(other, 1)], [fill, 5])
    }
    assert.is(preservesOf(succession.engine.world).rebound.size, 1)
    ill.fault = 'doubt'
    await submit({ kind: 'preserve.merge', detail: { view } }).catch(() => undefined)
    ill.fault = undefined
    await succession.reopen()
    await succession.engine.settled()
    assert.is(await errnoOf(disk.write(at(1), filled(4))), 'ESHUTDOWN', 'its view is no more')
    assert.is(await byteAt(other, 1), 8)
    await other.write(at(1), filled(3))
  }))

test('a client that goes in the middle of it leaves no session', () =>
  served({}, async ({ succession, ill, client, server }) => {
    const disk = await client()
    ill.fault = 'full'
    assert.is(await errnoOf(disk.write(at(2), filled(6))), 'ENOSPC')
    ill.fault = undefined
    const reopened = succession.reopen()
    disk.destroy()
    await reopened
    for (let k = 0; k < 200 && server.connections > 0; k++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.is(server.connections, 0)
    assert.is(succession.engine.world.sessions.size, 0)
  }))

test.run()
