/** Addresses: which event a point names, and what the volume was there. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../src/core/digest.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { type OpenFolder, openToWrite } from '../../src/engine/open-folder.ts'
import { readContent } from '../../src/images/content.ts'
import { imageDigest } from '../../src/images/export.ts'
import { parsePoint } from '../../src/replay/point.ts'
import { volumeAt } from '../../src/replay/volume-at.ts'
import { command } from '../../src/run/import-run.ts'

const test = suite('volume at')

const folder = mkdtempSync(join(tmpdir(), 'blockbox-volume-at-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

/** A journal to be used and closed. */
async function recording(
  name: string,
  use: (engine: Engine, open: OpenFolder) => Promise<void>,
  options: Parameters<typeof openToWrite>[1] = {},
): Promise<void> {
  const open = await openToWrite(join(folder, name), { create: true, ...options })
  try {
    await use(open.engine, open)
  } finally {
    await open.engine.close()
  }
}

async function made(engine: Engine, name: string): Promise<number> {
  const detail = { name, size: 65_536, block: 4096 }
  return (await command(engine, { kind: 'volume.create', detail })).made
}

async function mark(engine: Engine, volume: number, label: string): Promise<number> {
  return (await command(engine, { kind: 'mark', volume, detail: { label } })).seq
}

test('a mark is that of the volume asked for; one of another is refused, with the name of that', async () => {
  await recording('marks', async (engine, { journal }) => {
    const [one, two] = [await made(engine, 'one'), await made(engine, 'two')]
    const first = await mark(engine, one, 'noon')
    const second = await mark(engine, two, 'noon')
    await mark(engine, one, 'dusk')
    const seqOf = async (name: string, point: string) =>
      (await volumeAt(journal, name, parsePoint(point))).seq
    assert.is(await seqOf('one', 'mark:noon'), first)
    assert.is(await seqOf('two', 'mark:noon'), second)
    const refused = await seqOf('two', 'mark:dusk').catch((error: unknown) => error)
    assert.instance(refused, BlockboxError)
    assert.match((refused as BlockboxError).message, 'mark dusk of volume two; there is one of one')
  })
})

test('the first K events of a trace count those that asked the volume for nothing', async () => {
  await recording('source', async (engine, { journal }) => {
    const volume = await made(engine, 'v')
    await command(engine, { kind: 'run.begin', detail: { scenario: 'import v', digest: '', seed: 1 } })
    const session = (await command(engine, { kind: 'session.open', detail: { name: 'import' } })).made
    for (const request of [3, 5]) {
      const data = new Uint8Array(4096).fill(request)
      await engine.submit({ kind: 'io.write', session, volume, request, offset: request * 4096, data })
    }
    const mapped = async (k: number) =>
      (await volumeAt(journal, 'v', parsePoint(`source:${k}`))).volume.map.mapped
    assert.equal(await Promise.all([0, 1, 2, 3, 4, 5].map(mapped)), [0, 0, 0, 1, 1, 2])
    const beyond = await mapped(6).catch((error: unknown) => error)
    assert.instance(beyond, BlockboxError)
    assert.is((beyond as BlockboxError).code, 'NO_SUCH_POINT')
  })
})

test('in the middle of a restore an image is what readers see', async () => {
  const never = () => new Promise<'ok'>(() => undefined)
  await recording(
    'restore',
    async (engine, { journal, payload }) => {
      const [source, clone] = [await made(engine, 'source'), await made(engine, 'clone')]
      const session = (await command(engine, { kind: 'session.open', detail: { name: 'host' } })).made
      const write = (volume: number, offset: number, fill: number) =>
        engine.submit({ kind: 'io.write', session, volume, offset, data: new Uint8Array(4096).fill(fill) })
      await write(clone, 0, 1)
      await write(clone, 8192, 2)
      await write(source, 4096, 3)
      const ends = { name: 'pair', source, clone, extent: 4096 }
      await command(engine, { kind: 'pair.create', detail: ends })
      await command(engine, { kind: 'restore.start', detail: { pair: 'pair', protected: true } })
      await write(source, 12_288, 4)
      await engine.settled()
      const { volume, world } = await volumeAt(journal, 'source', parsePoint(`seq:${journal.bounds().last}`))
      const seen = readContent(world, world.volumes[source - 1]!, payload, 0, 20_480)
      assert.equal(
        [0, 4096, 8192, 12_288].map((at) => seen[at]),
        [1, 0, 2, 4],
      )
      const bytes = new Uint8Array(65_536)
      bytes.set(seen)
      assert.is(imageDigest(volume, payload), hex(sha256(bytes)))
    },
    { copier: never },
  )
})

test.run()
