/**
 * The server that has the clone is stopped in the middle of copies and killed, then started again: who needed what it
 * had not sent gets an error and nobody else does, the restore is named as failed, and is resumed where it was.
 */

// limit: 180 s

import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import type { CommandAsk, IoAsk } from '../../src/engine/ask.ts'
import { openToWrite } from '../../src/engine/open-folder.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { replay } from '../../src/replay/replay.ts'
import { verify } from '../../src/replay/verify.ts'
import { temporaryFolder } from '../support/folder.ts'
import { createVolume, serveProgram } from '../support/serve-program.ts'
import { until } from '../support/served.ts'

const test = suite('a far side that is killed')

const folder = temporaryFolder()
test.after(() => folder.remove())

const block = 4096
const extent = 65_536
const size = 64 * extent

/** A server of random bytes in a process of its own, and a journal whose volume is to be restored from it. */
async function prepared() {
  const home = folder.fresh('far')
  mkdirSync(home)
  const bytes = randomBytes(size)
  writeFileSync(join(home, 'disk.img'), bytes)
  const store = join(home, 'far.journal')
  await createVolume(store, 'vol', '--from', join(home, 'disk.img'), '--copy')
  const start = () => serveProgram(['-j', store, '--socket', join(home, 'far.sock'), '--no-control'])
  const far = await start()
  const near = join(home, 'near.journal')
  const opened = await openToWrite(near, { create: true })
  const { engine } = opened
  const must = async (kind: CommandAsk['kind'], detail: NonNullable<CommandAsk['detail']>) => {
    assert.is((await engine.submit({ kind, detail })).code, 'ok', kind)
  }
  await must('volume.create', { name: 'disk', size, block })
  await must('session.open', { name: 'host' })
  await engine.submit({ kind: 'io.write', ...host, offset: 0, data: new Uint8Array(size).fill(1) })
  await must('pair.create', { name: 'p', source: 1, clone: 0, extent, path: far.uri, size })
  return { ...opened, near, bytes, start, far, must }
}

const host = { session: 1, volume: 1 } as const
const filled = (length: number) => new Uint8Array(length).fill(9)

function asks(engine: { submit(ask: IoAsk): Promise<{ code: string; data?: Uint8Array }> }) {
  return {
    read: (offset: number, length = block) => engine.submit({ kind: 'io.read', ...host, offset, length }),
    write: (offset: number, length = block) =>
      engine.submit({ kind: 'io.write', ...host, offset, data: filled(length) }),
  }
}

test('in the middle of copies that hosts asked for: they get errors, a write of the whole extent does not', async () => {
  const { engine, journal, payload, bytes, start, far, must } = await prepared()
  const { read, write } = asks(engine)
  const restore = () => restoresOf(engine.world).byTag.get(1)!
  await must('restore.start', { pair: 'p', protected: true, paused: true })
  assert.ok(bytes.subarray(0, block).equals((await read(0)).data!))
  far.child.kill('SIGSTOP')
  const failing = [read(3 * extent), write(4 * extent + block), read(5 * extent - block, 2 * block)]
  await until(() => restore().gate.copying.count === 3, 'three copies are on their way', 20_000)
  const whole = write(3 * extent, extent)
  const beside = [read(block), write(2 * block), write(7 * extent, extent)]
  for (const one of beside) assert.is((await one).code, 'ok', 'what needs no copy goes')
  assert.is(await far.end('SIGKILL'), 'SIGKILL')
  assert.equal(
    (await Promise.all(failing)).map(({ code }) => code),
    ['E_IO', 'E_IO', 'E_IO'],
  )
  assert.is((await whole).code, 'ok')
  assert.ok((await read(3 * extent, extent)).data!.every((byte) => byte === 9))
  assert.is((await read(20 * extent)).code, 'E_IO', 'nobody answers there')
  const again = await start()
  try {
    const first = await read(20 * extent)
    assert.ok(
      bytes.subarray(20 * extent, 20 * extent + block).equals(first.data!),
      'asked again, it is there',
    )
    await must('restore.resume', { pair: 'p' })
    await until(() => restoresOf(engine.world).byTag.size === 0, 'the restore ends', 30_000)
    for (const [from, length] of [
      [2 * block, block],
      [3 * extent, extent],
      [7 * extent, extent],
    ] as const) {
      bytes.fill(9, from, from + length)
    }
    assert.ok(bytes.equals((await read(0, size)).data!))
    await engine.settled()
    assert.equal((await replay(journal, { checks })).findings, [])
    assert.equal((await verify(journal, payload)).findings, [])
  } finally {
    await engine.close()
    await again.end('SIGTERM')
  }
})

test('in the middle of background copies: the restore has failed, by name, also for the next process; then it ends', async () => {
  const { engine, near, bytes, start, far, must } = await prepared()
  const left = () => pairsOf(engine.world).byTag.get(1)!.cdm.count
  await must('restore.start', { pair: 'p', protected: true, rate: 200 })
  await until(() => left() <= 60, 'some extents are there', 20_000)
  far.child.kill('SIGSTOP')
  await until(
    () => restoresOf(engine.world).byTag.get(1)!.gate.copying.count > 0,
    'copies are on their way',
    20_000,
  )
  assert.is(await far.end('SIGKILL'), 'SIGKILL')
  await until(() => !restoresOf(engine.world).byTag.get(1)!.background, 'the restore gives up', 20_000)
  const there = asks(engine)
  const restored = 64 - left()
  assert.is((await there.read(0)).code, 'ok', 'what was copied is there')
  assert.is((await there.read(63 * extent)).code, 'E_IO')
  await engine.close()
  const again = await start()
  const next = await openToWrite(near)
  try {
    const kinds: string[] = []
    for await (const frame of next.journal.read(next.journal.bounds().first)) {
      const row = frame.open()
      for (row.index = 0; row.index < frame.count; row.index++) {
        kinds.push(row.kind)
        if (row.kind === 'restore.failed') assert.is(row.code, 'E_IO')
        if (row.kind === 'restore.resumed') assert.is(row.detail.count, 64 - restored)
      }
    }
    assert.ok(kinds.indexOf('restore.failed') < kinds.lastIndexOf('restore.resumed'))
    await until(() => restoresOf(next.engine.world).byTag.size === 0, 'the restore ends', 30_000)
    await next.engine.submit({ kind: 'session.open', detail: { name: 'host' } })
    const { data } = await next.engine.submit({
      kind: 'io.read',
      session: 2,
      volume: 1,
      offset: 0,
      length: size,
    })
    assert.ok(bytes.equals(data!))
    await next.engine.settled()
    assert.equal((await replay(next.journal, { checks })).findings, [])
  } finally {
    await next.engine.close()
    await again.end('SIGTERM')
  }
})

test.run()
