/**
 * Real file systems on a volume, through nbdfuse and a loop mount: made, filled, unmounted, clean; and the volume as it
 * was before files were deleted still holds them. Needs the right to mount, which BLOCKBOX_MOUNT=1 says is there.
 */

// needs: env BLOCKBOX_MOUNT
// needs: program nbdfuse
// needs: program mkfs.ext4
// needs: program mkfs.xfs
// needs: program fusermount3
// needs: program sqlite3
// limit: 240 s

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { exportUri } from '../../../src/nbd/server/address.ts'
import { run, runs } from '../../support/foreign.ts'
import { createVolume, serveProgram, socketIn } from '../../support/serve-program.ts'
import { until } from '../../support/served.ts'

const test = suite('file systems')

const scratch = mkdtempSync(join(tmpdir(), 'blockbox-mount-'))
test.after(() => rmSync(scratch, { recursive: true, force: true }))

/** The export as a file; the server is another process, for whoever waits for a file system waits in the kernel. */
class ExportFile {
  readonly file: string
  readonly #folder: string
  readonly #exited: Promise<unknown>

  constructor(socket: string, name: string) {
    this.#folder = mkdtempSync(join(scratch, 'fuse-'))
    this.file = join(this.#folder, 'nbd')
    const fuse = spawn('nbdfuse', [this.file, exportUri({ socket }, name, false)], { stdio: 'ignore' })
    this.#exited = once(fuse, 'exit')
  }

  async there(): Promise<string> {
    await until(() => existsSync(this.file), 'nbdfuse shows the export', 20_000)
    return this.file
  }

  async remove(): Promise<void> {
    await run('fusermount3', ['-u', '-z', this.#folder])
    await this.#exited
  }
}

async function withFile(socket: string, name: string, use: (file: string) => Promise<void>): Promise<void> {
  const shown = new ExportFile(socket, name)
  try {
    await use(await shown.there())
  } finally {
    await shown.remove()
  }
}

async function mounted(file: string, options: string, use: (folder: string) => void): Promise<void> {
  const folder = join(scratch, 'mounted')
  mkdirSync(folder, { recursive: true })
  await runs('mount', '-o', options, file, folder)
  try {
    use(folder)
  } finally {
    await runs('umount', folder)
  }
}

const bytesOf = (k: number) => Buffer.alloc(1000 + k * 777, `file ${k} `)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

for (const [kind, make, fsck, size, past] of [
  ['ext4', ['mkfs.ext4', '-q', '-F'], ['e2fsck', '-fn'], '64M', 'loop,ro,noload'],
  ['xfs', ['mkfs.xfs', '-q', '-f'], ['xfs_repair', '-n', '-f'], '320M', 'loop,ro,norecovery'],
] as const) {
  test(`${kind} is made, filled, unmounted and clean; its past holds what was deleted`, async () => {
    const journal = join(scratch, `${kind}.journal`)
    const socket = socketIn(scratch)
    await createVolume(journal, 'vol', '--size', size)
    const serving = await serveProgram(['-j', journal, '--socket', socket, '--ack', 'buffered'])
    let then = ''
    await withFile(socket, 'vol', async (file) => {
      await runs(make[0], ...make.slice(1), file)
      await mounted(file, 'loop', (folder) => {
        for (let k = 0; k < 50; k++) writeFileSync(join(folder, `f${k}`), bytesOf(k))
      })
      await runs('sync', file)
      then = new Date().toISOString()
      await pause(10)
      await runs(fsck[0], ...fsck.slice(1), file)
      await mounted(file, 'loop', (folder) => {
        for (let k = 0; k < 50; k++) assert.ok(readFileSync(join(folder, `f${k}`)).equals(bytesOf(k)))
        for (let k = 0; k < 25; k++) rmSync(join(folder, `f${k}`))
      })
      await runs(fsck[0], ...fsck.slice(1), file)
    })
    await withFile(socket, `vol@time:${then}`, (file) =>
      mounted(file, past, (folder) => {
        for (let k = 0; k < 50; k++) assert.ok(readFileSync(join(folder, `f${k}`)).equals(bytesOf(k)))
      }),
    )
    assert.is(await serving.end('SIGTERM'), 0)
  })
}

/** Synchronous "extra": less than that, SQLite itself may take back its last transaction after a loss of power. */
test('a database on a mounted volume survives a server that is killed', async () => {
  const journal = join(scratch, 'database.journal')
  const socket = socketIn(scratch)
  const folder = join(scratch, 'mounted')
  await createVolume(journal, 'vol', '--size', '64M')
  let made = false
  let counted = 0
  for (const ms of [undefined, 300, 700, 1100, undefined]) {
    const serving = await serveProgram(['-j', journal, '--socket', socket, '--ack', 'buffered'])
    const shown = new ExportFile(socket, 'vol')
    try {
      const file = await shown.there()
      if (!made) await runs('mkfs.ext4', '-q', '-F', file)
      made = true
      mkdirSync(folder, { recursive: true })
      await runs('mount', '-o', 'loop', file, folder)
      const database = join(folder, 'data.db')
      const schema = 'create table if not exists t(n integer primary key, x blob);'
      await runs('sqlite3', database, schema)
      assert.is((await runs('sqlite3', database, 'pragma integrity_check')).trim(), 'ok')
      const kept = Number(await runs('sqlite3', database, 'select count(*) from t'))
      assert.ok(kept >= counted, `${kept} rows are left of ${counted} that were committed`)
      if (ms === undefined) continue
      const insert = 'insert into t(x) values(randomblob(2000)); select count(*) from t;'
      const loop = `while sqlite3 '${database}' 'pragma synchronous=extra; ${insert}'; do :; done 2>/dev/null`
      const writing = run('sh', ['-c', loop], undefined, 20_000)
      await pause(ms)
      assert.is(await serving.end('SIGKILL'), 'SIGKILL')
      counted = Math.max(kept, Number((await writing).out.trim().split('\n').at(-1)))
    } finally {
      await run('umount', ['-l', folder])
      await shown.remove()
      if (ms === undefined) assert.is(await serving.end('SIGTERM'), 0)
      else await serving.end('SIGKILL')
    }
  }
  assert.ok(counted > 5, `only ${counted} rows were committed`)
})

test.run()
