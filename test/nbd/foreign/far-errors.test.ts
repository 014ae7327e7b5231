/**
 * A store that answers with errors for a while, or late, as nbdkit's filters have it: hosts get an error for what could
 * not be read and for nothing else, the restore has failed by name, and goes on when it is told to.
 */

// needs: program nbdkit
// limit: 120 s

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../../src/check/all.ts'
import type { CommandAsk } from '../../../src/engine/ask.ts'
import { openToWrite } from '../../../src/engine/open-folder.ts'
import { pairsOf } from '../../../src/layers/pair-state.ts'
import { restoresOf } from '../../../src/layers/restore-state.ts'
import { replay } from '../../../src/replay/replay.ts'
import { farSide } from '../../support/far-side.ts'
import { until } from '../../support/served.ts'

const test = suite('a store with errors')

const home = mkdtempSync(join(tmpdir(), 'blockbox-errors-'))
test.after(() => rmSync(home, { recursive: true, force: true }))

const extent = 65_536
const extents = 64
const size = extents * extent
const bytes = randomBytes(size)
const disk = join(home, 'disk.img')
writeFileSync(disk, bytes)
const socket = join(home, 'far.sock')
/** While this file is there, reads fail. */
const trigger = join(home, 'trigger')
const host = { session: 1, volume: 1 } as const

/** A volume whose restore from nbdkit with these filters is about to begin. */
async function prepared(name: string, filters: readonly string[], settings: readonly string[]) {
  const args = ['-f', '-r', '-U', socket, ...filters.map((filter) => `--filter=${filter}`), 'file', disk]
  const far = await farSide('nbdkit', [...args, ...settings], socket)
  const { engine, journal } = await openToWrite(join(home, `${name}.journal`), { create: true })
  const must = async (kind: CommandAsk['kind'], detail: NonNullable<CommandAsk['detail']>) => {
    assert.is((await engine.submit({ kind, detail })).code, 'ok', kind)
  }
  await must('volume.create', { name: 'disk', size, block: 4096 })
  await must('session.open', { name: 'host' })
  await must('pair.create', {
    name: 'p',
    source: 1,
    clone: 0,
    extent,
    path: `nbd+unix:///?socket=${socket}`,
    size,
  })
  const restore = () => restoresOf(engine.world).byTag.get(1)
  return {
    engine,
    must,
    restore,
    read: (offset: number, length = 4096) => engine.submit({ kind: 'io.read', ...host, offset, length }),
    left: () => pairsOf(engine.world).byTag.get(1)!.cdm.count,
    async end() {
      await until(() => restore() === undefined, 'the restore ends', 30_000)
      const { data } = await engine.submit({ kind: 'io.read', ...host, offset: 0, length: size })
      assert.ok(bytes.equals(data!), 'the volume is the disk')
      await engine.settled()
      assert.equal((await replay(journal, { checks })).findings, [])
    },
    async close() {
      await engine.close()
      await far.kill()
      rmSync(trigger, { force: true })
    },
  }
}

test('errors begin in the middle of the background and of what hosts need, and end', async () => {
  const filters = ['error']
  const run = await prepared('errors', filters, [
    'error-pread=EIO',
    'error-pread-rate=100%',
    `error-file=${trigger}`,
  ])
  try {
    await run.must('restore.start', { pair: 'p', protected: true, rate: 300 })
    await until(() => run.left() < extents / 2, 'half of it is there', 20_000)
    writeFileSync(trigger, '')
    await until(() => run.restore()!.background === false, 'the restore gives up', 20_000)
    await until(() => run.restore()!.gate.copying.count === 0, 'no copy is on its way', 20_000)
    const { cdm } = pairsOf(run.engine.world).byTag.get(1)!
    for (let e = 0; e < extents; e++) {
      const { code, data } = await run.read(e * extent + 4096)
      assert.is(code, cdm.get(e) ? 'E_IO' : 'ok', `extent ${e}`)
      const at = e * extent + 4096
      if (code === 'ok') assert.ok(bytes.subarray(at, at + 4096).equals(data!))
    }
    rmSync(trigger)
    const there = await run.read(size - 4096)
    assert.ok(bytes.subarray(size - 4096).equals(there.data!), 'what hosts need comes before it is resumed')
    assert.is(run.restore()!.background, false)
    await run.must('restore.resume', { pair: 'p' })
    await run.end()
  } finally {
    await run.close()
  }
})

test('every fifth read fails, and every one is late: resumed as often as it gives up, it ends', async () => {
  const settings = ['error-pread=EIO', 'error-pread-rate=20%', 'rdelay=5ms']
  const run = await prepared('some', ['error', 'delay'], settings)
  try {
    await run.must('restore.start', { pair: 'p', protected: true })
    let errors = 0
    for (let k = 0; run.restore() !== undefined; k++) {
      const at = ((k * 37) % extents) * extent
      const { code, data } = await run.read(at)
      if (code === 'ok') assert.ok(bytes.subarray(at, at + 4096).equals(data!))
      else assert.is(code, 'E_IO')
      if (code === 'E_IO') errors++
      const gaveUp = run.restore()?.background === false
      if (gaveUp) await run.engine.submit({ kind: 'restore.resume', detail: { pair: 'p' } })
      assert.ok(k < 20_000, `it does not end: ${run.left()} extents are left, ${errors} errors`)
    }
    await run.end()
  } finally {
    await run.close()
  }
})

test.run()
