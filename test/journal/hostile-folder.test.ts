/**
 * A journal's folder from somebody hostile: pipes, devices, sockets and links where its files belong, and where LevelDB is
 * about to make files. Nothing is waited for, nothing outside is written, and what is refused is refused by name.
 */

// limit: 300 s

import { spawn } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openToRead } from '../../src/engine/open-folder.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fill } from '../support/leveldb.ts'

const test = suite('hostile folders')
const folder = temporaryFolder()
test.after(() => folder.remove())

/** Far longer than any case takes on a busy machine; a wait for a pipe has no end. */
const silenceMs = 30_000

interface Case {
  readonly place: string
  readonly kind: string
  readonly ask: string
  readonly ended: string
  readonly left: Record<string, string>
}

/** Runs the child to its end; throws with the case that it does not come back from. */
async function cases(journal: string): Promise<Case[]> {
  const room = folder.fresh('room')
  mkdirSync(room)
  const program = fileURLToPath(new URL('./hostile-folder-child.js', import.meta.url))
  const child = spawn(process.execPath, [program, journal, room], { stdio: ['ignore', 'pipe', 'inherit'] })
  let begun = 'the first case'
  const kill = () => child.kill('SIGKILL')
  let watch = setTimeout(kill, silenceMs)
  const found: Case[] = []
  let isOver = false
  for await (const line of createInterface(child.stdout)) {
    clearTimeout(watch)
    watch = setTimeout(kill, silenceMs)
    const said = JSON.parse(line)
    if ('begins' in said) begun = said.begins
    else if ('over' in said) isOver = true
    else found.push(said)
  }
  clearTimeout(watch)
  assert.ok(isOver, `it does not come back from: ${begun}`)
  return found
}

test('what is no file of a journal is neither waited for nor written through', async () => {
  const path = folder.fresh()
  const { engine } = await fill(path, 3)
  await engine.close()
  const found = await cases(path)
  assert.ok(found.length > 400, String(found.length))
  for (const { place, kind, ask, ended, left } of found) {
    const what = `${ask}, ${place} is ${kind}`
    assert.equal(left, { victim: 'untouched' }, what)
    if (ask === 'salvage' && place === 'db' && kind !== 'a link to a folder outside') {
      assert.match(ended, /^(?:JOURNAL_FOREIGN|JOURNAL_MISSING|USAGE) /, `${what}: ${ended}`)
      continue
    }
    assert.match(
      ended,
      /^JOURNAL_FOREIGN .* is no (?:plain file|folder) but a .*: the folder was changed/,
      what,
    )
  }
})

test('the folder itself may be a link, and hold what is not the journal’s', async () => {
  const path = folder.fresh()
  const { engine } = await fill(path, 1)
  await engine.close()
  symlinkSync('/dev/zero', join(path, 'notes'))
  const link = folder.fresh('link')
  symlinkSync(path, link)
  const { journal } = await openToRead(link)
  assert.ok(journal.bounds().last > 0)
  await journal.close()
})

test.run()
