/**
 * Payload in a segment is synced before the frame that refers to it is written, as the system calls of a writer show; and
 * a writer that forgets to sync is told from one that does not.
 */

// needs: program strace

import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('order of segments and frames')
const folder = temporaryFolder()
test.after(() => folder.remove())

const repository = fileURLToPath(new URL('../../../', import.meta.url))
const built = join(repository, '.build/src')
const writes = 3

/** Writes 64 KiB a few times, each when the one before is durable; the calls that write and sync, in order. */
function calls(code: string): string[] {
  const journal = folder.fresh()
  const log = folder.fresh('strace')
  const script = `
    const { openToWrite } = await import(${JSON.stringify(join(code, 'engine/open-folder.js'))})
    const { engine } = await openToWrite(${JSON.stringify(journal)}, { create: true })
    await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size: 2 ** 20, block: 4096 } })
    await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
    for (let k = 0; k < ${writes}; k++) {
      const data = new Uint8Array(65536).fill(k + 1)
      await engine.submit({ kind: 'io.write', session: 1, volume: 1, offset: 0, data })
    }
    await engine.close()
  `
  const traced = ['-f', '-y', '-o', log, '-e', 'trace=write,pwrite64,fdatasync']
  const { status, stderr } = spawnSync(
    'strace',
    [...traced, process.execPath, '--input-type=module', '-e', script],
    { encoding: 'utf8', timeout: 60_000 },
  )
  assert.is(status, 0, stderr)
  return readFileSync(log, 'utf8').split('\n')
}

/** How many writes to a segment are followed by one to the database's log, and how many of those were synced before. */
function ordered(lines: readonly string[]): { followed: number; synced: number } {
  const syncing = new Set<string>()
  let state: 'none' | 'written' | 'synced' = 'none'
  let followed = 0
  let synced = 0
  for (const line of lines) {
    const [thread = ''] = line.split(/\s/)
    const ofSegment = /\/payload\/\d{8}>/.test(line)
    if (/ p?write(?:64)?\(/.test(line) && ofSegment) state = 'written'
    else if (/ fdatasync\(/.test(line) && ofSegment) {
      if (/ = 0$/.test(line)) state = 'synced'
      else syncing.add(thread)
    } else if (/fdatasync resumed.* = 0$/.test(line) && syncing.delete(thread)) state = 'synced'
    else if (/ write\(.*\/db\/\d{6}\.log>/.test(line) && state !== 'none') {
      followed++
      if (state === 'synced') synced++
      state = 'none'
    }
  }
  return { followed, synced }
}

test('the pieces are synced first, each time', () => {
  assert.equal(ordered(calls(built)), { followed: writes, synced: writes })
})

test('a writer that forgets it is noticed', () => {
  const code = join(folder.fresh('forgetful'), 'src')
  cpSync(built, code, { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(code, '../node_modules'))
  writeFileSync(join(code, '../package.json'), '{"type":"module"}')
  const file = join(code, 'journal/segments.js')
  const sound = readFileSync(file, 'utf8')
  const forgetful = sound.replace('await file.sync()', 'await undefined')
  assert.is.not(forgetful, sound)
  writeFileSync(file, forgetful)
  assert.equal(ordered(calls(code)), { followed: writes, synced: 0 })
})

test.run()
