/**
 * A journal's folder: what is one and what is not, a creation that never finished, one process at a time.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openJournalFolder } from '../../src/journal/folder.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'
import { appendMarks, boundsOf } from './place.ts'

const test = suite('folder')
const folder = temporaryFolder()

async function recorded(frames = 5): Promise<string> {
  const path = folder.fresh()
  const journal = await openJournalFolder(path, { create: true, createdIso: '2026-01-31T12:00:00Z' })
  await appendMarks(journal, await journal.openWriter('one', 0n), frames)
  await journal.close()
  return path
}

test('a new journal has what the format says', async () => {
  const path = await recorded()
  assert.equal(readdirSync(path).sort(), ['db', 'head', 'journal.json', 'reserve'])
  const { id, ...about } = JSON.parse(readFileSync(join(path, 'journal.json'), 'utf8'))
  assert.equal(about, { format: 'blockbox-journal', version: 1, created: '2026-01-31T12:00:00Z' })
  assert.match(id, /^[0-9a-f]{32}$/)
  assert.is(statSync(join(path, 'head')).size, 8192)
  assert.ok(statSync(join(path, 'reserve')).size >= 2 ** 20)
})

test('what is no journal is left alone', async () => {
  const none = folder.fresh()
  await fails('JOURNAL_MISSING', () => openJournalFolder(none))
  assert.is(existsSync(none), false)
  mkdirSync(none)
  await fails('JOURNAL_MISSING', () => openJournalFolder(none))
  assert.equal(readdirSync(none), [])
  writeFileSync(join(none, 'letter.txt'), 'dear')
  await fails('JOURNAL_FOREIGN', () => openJournalFolder(none, { create: true }))
  await fails('JOURNAL_MISSING', () => openJournalFolder(none))
  assert.equal(readdirSync(none), ['letter.txt'])
  await fails('JOURNAL_FOREIGN', () => openJournalFolder(join(none, 'letter.txt'), { create: true }))
})

test('journal.json is read with care', async () => {
  const path = await recorded()
  const file = join(path, 'journal.json')
  const good = readFileSync(file, 'utf8')
  const before = readdirSync(join(path, 'db'))
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{}',
    '{"format":"other","version":1}',
    good.slice(0, 30),
    '\0'.repeat(99),
  ]) {
    writeFileSync(file, text)
    await fails('JOURNAL_FOREIGN', () => openJournalFolder(path, { create: true }))
  }
  for (const version of ['"1"', '0', '-1', 'null']) {
    writeFileSync(file, good.replace('"version":1', `"version":${version}`))
    await fails('JOURNAL_FOREIGN', () => openJournalFolder(path))
  }
  writeFileSync(file, good.replace('"version":1', '"version":2'))
  const error = await fails('JOURNAL_VERSION', () => openJournalFolder(path))
  assert.match(error.message, /version 2/)
  assert.equal(readdirSync(join(path, 'db')), before)
  writeFileSync(file, good)
  const journal = await openJournalFolder(path)
  assert.is(journal.bounds().last, 6)
  await journal.close()
})

test('a creation that never finished is finished by opening it', async () => {
  const path = await recorded(0)
  const json = readFileSync(join(path, 'journal.json'))
  const stages: Record<string, (at: string) => void> = {
    'nothing but a folder': (at) => mkdirSync(at),
    'journal.json half written': (at) => {
      mkdirSync(at)
      writeFileSync(join(at, 'journal.json.new'), json.subarray(0, 20))
    },
    'journal.json alone': (at) => {
      mkdirSync(at)
      writeFileSync(join(at, 'journal.json'), json)
    },
    'a database without CURRENT': (at) => {
      mkdirSync(join(at, 'db'), { recursive: true })
      writeFileSync(join(at, 'journal.json'), json)
      writeFileSync(join(at, 'db', 'MANIFEST-000001'), 'half')
      writeFileSync(join(at, 'db', 'LOCK'), '')
    },
    'no head yet': (at) => {
      const source = folder.fresh('empty')
      cpSync(path, source, { recursive: true })
      rmSync(join(source, 'db'), { recursive: true })
      rmSync(join(source, 'head'))
      cpSync(source, at, { recursive: true })
    },
    'a head of zeros': (at) => {
      mkdirSync(at)
      writeFileSync(join(at, 'journal.json'), json)
      writeFileSync(join(at, 'head'), new Uint8Array(8192))
    },
  }
  for (const [stage, make] of Object.entries(stages)) {
    const at = folder.fresh('unfinished')
    make(at)
    const journal = await openJournalFolder(at, { create: true })
    assert.is(journal.bounds().last, 0, stage)
    await appendMarks(journal, await journal.openWriter('one', 0n), 2)
    await journal.close()
    const again = await openJournalFolder(at)
    assert.is(again.bounds().last, 3, stage)
    await again.close()
  }
})

test('a look changes no frame and makes no file', async () => {
  const path = await recorded()
  const files = () => readdirSync(path).sort()
  const before = [files(), readFileSync(join(path, 'head')).toString('hex')]
  const journal = await openJournalFolder(path, { readOnly: true })
  await fails('USAGE', () => journal.openWriter('x', 0n))
  await journal.close()
  assert.equal([files(), readFileSync(join(path, 'head')).toString('hex')], before)
})

test('one process at a time; what a killed one leaves opens', async () => {
  const path = await recorded()
  const module = new URL('../../src/journal/folder.js', import.meta.url).href
  const script = `
    const { openJournalFolder } = await import(${JSON.stringify(module)})
    const journal = await openJournalFolder(${JSON.stringify(path)})
    const writer = await journal.openWriter('child', 5n)
    console.log('open')
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(child.stdout, 'data')
    const before = readFileSync(join(path, 'head')).toString('hex')
    const error = await fails('JOURNAL_LOCKED', () => openJournalFolder(path))
    assert.match(error.message, /another process/)
    await fails('JOURNAL_LOCKED', () => openJournalFolder(path, { readOnly: true }))
    assert.is(readFileSync(join(path, 'head')).toString('hex'), before)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const journal = await openJournalFolder(path)
  assert.is(journal.bounds().epoch, 2)
  assert.is(journal.bounds().last, 7)
  await fails('JOURNAL_LOCKED', () => openJournalFolder(path))
  const { last } = boundsOf(journal)
  await appendMarks(journal, await journal.openWriter('two', 0n), 1)
  assert.is(journal.bounds().last, last + 2)
  await journal.close()
})

test.after(folder.remove)
test.run()
