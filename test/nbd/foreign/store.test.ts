/**
 * Stores that other programs serve: a volume is restored from nbdkit and from qemu-nbd, which are killed in the middle
 * and come back; hosts read through them at once; backups are written to them.
 */

// needs: program nbdkit
// needs: program qemu-nbd
// needs: program nbdcopy
// limit: 180 s

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
import { type FarSide, farSide } from '../../support/far-side.ts'
import { runs } from '../../support/foreign.ts'
import { serveProgram } from '../../support/serve-program.ts'
import { until } from '../../support/served.ts'
import { blockbox, json } from '../../tools/commands/blockbox.ts'

const test = suite('stores of others')

const home = mkdtempSync(join(tmpdir(), 'blockbox-store-'))
test.after(() => rmSync(home, { recursive: true, force: true }))

const size = 8 * 2 ** 20
const bytes = randomBytes(size)
const disk = join(home, 'disk.img')
writeFileSync(disk, bytes)

const socket = join(home, 'far.sock')
const uri = `nbd+unix:///?socket=${socket}`

/** The programs, reading the disk slowly where they can. */
const servers: Readonly<Record<string, () => Promise<FarSide>>> = {
  nbdkit: () =>
    farSide('nbdkit', ['-f', '-r', '-U', socket, '--filter=delay', 'file', disk, 'rdelay=10ms'], socket),
  'qemu-nbd': () => farSide('qemu-nbd', ['-r', '-t', '-e', '8', '-f', 'raw', '-k', socket, disk], socket),
}

for (const [program, start] of Object.entries(servers)) {
  test(`restored from ${program}, which is killed in the middle and comes back`, async () => {
    let far = await start()
    const { engine, journal } = await openToWrite(join(home, `${program}.journal`), { create: true })
    try {
      const ask = async (kind: CommandAsk['kind'], detail: NonNullable<CommandAsk['detail']>) => {
        assert.is((await engine.submit({ kind, detail })).code, 'ok', kind)
      }
      await ask('volume.create', { name: 'disk', size, block: 4096 })
      await ask('session.open', { name: 'host' })
      await ask('pair.create', { name: 'p', source: 1, clone: 0, extent: 65_536, path: uri, size })
      await ask('restore.start', { pair: 'p', protected: true, rate: 400 })
      const left = () => pairsOf(engine.world).byTag.get(1)!.cdm.count
      const read = (offset: number, length: number) =>
        engine.submit({ kind: 'io.read', session: 1, volume: 1, offset, length })
      const last = await read(size - 4096, 4096)
      assert.ok(bytes.subarray(size - 4096).equals(last.data!), 'a host does not wait for its turn')
      await until(() => left() < 100, 'some extents are there', 20_000)
      await far.kill()
      await until(() => !restoresOf(engine.world).byTag.get(1)!.background, 'the restore gives up', 20_000)
      assert.ok(left() > 0)
      assert.is((await read(size / 2 + 3 * 2 ** 20, 4096)).code, 'E_IO')
      far = await start()
      await ask('restore.resume', { pair: 'p' })
      await until(() => restoresOf(engine.world).byTag.size === 0, 'the restore ends', 30_000)
      assert.ok(bytes.equals((await read(0, size)).data!))
      await engine.settled()
      assert.equal((await replay(journal, { checks })).findings, [])
    } finally {
      await engine.close()
      await far.kill()
    }
  })
}

test('hosts of a volume that begins as a disk of nbdkit read it through at once', async () => {
  const far = await servers.nbdkit!()
  try {
    const journal = join(home, 'through.journal')
    await json('volume', 'create', 'd', '--from', uri, '-j', journal)
    const serving = await serveProgram(['-j', journal, '--socket', join(home, 's')])
    const out = join(home, 'out.img')
    await runs('nbdcopy', serving.uri, out)
    assert.is(await serving.end('SIGTERM'), 0)
    assert.ok(readFileSync(out).equals(bytes))
    assert.is((await blockbox(['replay', '-j', journal])).code, 0)
  } finally {
    await far.kill()
  }
})

test('backups go to a file of nbdkit and to an image of qemu-nbd, and are what the volume was', async () => {
  const journal = join(home, 'backup.journal')
  await json('volume', 'create', 'd', '--from', disk, '--copy', '-j', journal)
  const store = join(home, 'store.img')
  writeFileSync(store, Buffer.alloc(size, 0xee))
  const kinds = [
    ['nbdkit', '-f', '-U', socket, 'file', store],
    ['qemu-nbd', '-t', '-e', '8', '-f', 'raw', '-k', socket, store],
  ] as const
  for (const [program, ...args] of kinds) {
    const far = await farSide(program, args, socket)
    try {
      await json('backup', 'run', 'd', '-o', uri, '-j', journal)
    } finally {
      await far.kill()
    }
    assert.ok(readFileSync(store).equals(bytes), program)
    writeFileSync(store, Buffer.alloc(size, 0x11))
  }
})

test.run()
