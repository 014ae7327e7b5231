/**
 * Views of the past: what `NAME@POINT` shows is what the volume held then, whatever is written to it meanwhile, and
 * however often it is asked for.
 */

import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { imageDigest } from '../../../src/images/export.ts'
import { listExports, openClient } from '../../../src/nbd/client/client.ts'
import { parsePoint } from '../../../src/replay/point.ts'
import { volumeAt } from '../../../src/replay/volume-at.ts'
import { until, withServer } from '../../support/served.ts'

const test = suite('views of the past')

const block = 4096
const size = 2 ** 20

const filled = (value: number, bytes = block) => new Uint8Array(bytes).fill(value)

test('a view taken under load is the image of that event', () =>
  withServer({}, async ({ client, engine, journal, payload }) => {
    const host = await client()
    let going = true
    let writes = 0
    const load = (async () => {
      while (going) {
        const some = Array.from({ length: 8 }, () => {
          const k = writes++
          return k % 5 === 4
            ? host.zero((k * 37 * 512) % (size - block), 5000 % block)
            : host.write((k * 7919) % (size - block), filled(1 + (k % 255), 1 + (k % block)))
        })
        await Promise.all(some)
      }
    })()
    const seen: [number, string][] = []
    try {
      for (let k = 0; k < 6; k++) {
        await new Promise((resolve) => setTimeout(resolve, 30))
        const seq = journal.bounds().last
        const view = await client(`vol@seq:${seq}`)
        assert.ok(view.readOnly && view.size === size)
        const before = writes
        const first = await view.read(0, size)
        await new Promise((resolve) => setTimeout(resolve, 30))
        await until(() => writes > before, 'the load goes on')
        assert.ok(Buffer.from(first).equals(await view.read(0, size)), 'a view does not change')
        seen.push([seq, createHash('sha256').update(first).digest('hex')])
        if (k % 2 === 0) await view.close()
      }
    } finally {
      going = false
      await load
    }
    await engine.settled()
    for (const [seq, digest] of seen) {
      const { volume } = await volumeAt(journal, 'vol', parsePoint(`seq:${seq}`))
      assert.is(digest, imageDigest(volume, payload), `event ${seq}`)
    }
    assert.ok(new Set(seen.map(([, digest]) => digest)).size > 3)
  }))

test('points are named by event, mark, time and backup; marks are listed as they are made', () =>
  withServer({}, async ({ client, engine, socket }) => {
    const host = await client()
    await host.write(0, filled(1))
    const marked = await engine.submit({ kind: 'mark', volume: 1, detail: { label: 'one' } })
    await new Promise((resolve) => setTimeout(resolve, 5))
    const time = new Date().toISOString()
    await new Promise((resolve) => setTimeout(resolve, 5))
    await host.write(0, filled(2))
    const limits = { deadlineMs: 10_000, maxEntries: 100, maxBytes: 2 ** 20 }
    await engine.submit({ kind: 'backup.start', detail: { name: 'nightly', volumes: [1], ...limits } })
    const held = host.write(0, filled(3))
    await engine.settled()
    for (const [name, value] of [
      ['vol@mark:one', 1],
      [`vol@seq:${marked.seq}`, 1],
      [`vol@time:${time}`, 1],
      ['vol@backup:nightly', 2],
      ['@mark:one', 1],
    ] as const) {
      const view = await client(name)
      assert.is((await view.read(10, 1))[0], value, name)
      assert.equal(await view.blockStatus(0, size), [
        { length: block, state: 0 },
        { length: size - block, state: 3 },
      ])
      await view.flush()
      await view.close()
    }
    await engine.submit({ kind: 'backup.stop', detail: { name: 'nightly' } })
    await held
    assert.equal(
      (await listExports({ socket })).map(({ name }) => name),
      ['vol', 'vol@mark:one'],
    )
    const mark = (label: string, key: string) =>
      engine.submit({ kind: 'mark', volume: 1, detail: { label, key } })
    assert.is((await mark('one', 'again')).code, 'ok')
    assert.is((await mark('never', 'again')).code, 'E_KEY_USED')
    assert.equal(
      (await listExports({ socket })).map(({ name }) => name),
      ['vol', 'vol@mark:one'],
    )
    const newest = await client('vol@mark:one')
    assert.is((await newest.read(10, 1))[0], 3, 'the newest mark of that label')
    await newest.close()
    assert.match((await client('vol@mark:never').catch((error: Error) => error)).toString(), /no such point/)
  }))

test('nothing is written through a view', () =>
  withServer({}, async ({ client, journal }) => {
    const view = await client(`vol@seq:${journal.bounds().last}`)
    for (const asked of [view.write(0, filled(1)), view.zero(0, block), view.trim(0, block)]) {
      await asked.then(
        () => assert.unreachable(),
        (error: { errno?: string }) => assert.is(error.errno, 'EPERM'),
      )
    }
    assert.ok((await view.read(0, size)).every((byte) => byte === 0))
  }))

test('moments looked at are bounded, shared by those who look at the same, and free again when closed', () =>
  withServer({}, async ({ client, journal, socket }) => {
    const host = await client()
    for (let k = 0; k < 30; k++) await host.write(0, filled(k + 1))
    const last = journal.bounds().last
    const views = []
    for (let k = 0; k < 16; k++) views.push(await client(`vol@seq:${last - k}`))
    views.push(await client(`vol@seq:${last}`))
    const one = openClient({ socket }, `vol@seq:${last - 20}`)
    await one.then(
      () => assert.unreachable('a seventeenth moment'),
      (error: { code?: string }) => assert.is(error.code, 'NBD_REFUSED'),
    )
    assert.is((await host.read(0, 1))[0], 30)
    await views[3]!.close()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const again = await client(`vol@seq:${last - 20}`)
    assert.is((await again.read(0, 1))[0], 10)
  }))

test('of a volume that is gone its past is left', () =>
  withServer({}, async ({ client, engine, journal, socket }) => {
    const host = await client()
    await host.write(0, filled(5))
    await host.close()
    const { last } = journal.bounds()
    await engine.submit({ kind: 'volume.delete', volume: 1 })
    assert.equal(await listExports({ socket }), [])
    const view = await client(`vol@seq:${last}`)
    assert.is((await view.read(0, 1))[0], 5)
    await openClient({ socket }, 'vol').then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, 'is no more'),
    )
  }))

test.run()
