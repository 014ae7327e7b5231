/**
 * Opens copies of a journal in which something else stands where a file of it belongs; the parent watches that none is
 * waited for. A line before each case, a line after it.
 *
 *     node hostile-folder-child.js JOURNAL ROOM
 */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { argv } from 'node:process'
import { BlockboxError } from '../../src/core/errors.ts'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { scrub } from '../../src/journal/scrub.ts'
import { salvage } from '../../src/replay/salvage.ts'

const [journal, room] = argv.slice(2) as [string, string]
const outside = join(room, 'outside')
mkdirSync(outside)
writeFileSync(join(outside, 'victim'), 'untouched')

/** What is put in a file's place; false where this machine cannot make it. */
const kinds: Record<string, (at: string) => boolean | Promise<boolean>> = {
  'a named pipe': (at) => spawnSync('mkfifo', [at]).status === 0,
  'a device': (at) => spawnSync('mknod', [at, 'c', '1', '5']).status === 0,
  'a socket': async (at) => {
    const server = createServer()
    process.chdir(join(at, '..'))
    await new Promise<void>((done) => server.listen('./s', done))
    cpSocket('s', at)
    await new Promise((done) => server.close(done))
    return true
  },
  'a link to a file outside': (at) => made(() => symlinkSync(join(outside, 'victim'), at)),
  'a link to a folder outside': (at) => made(() => symlinkSync(outside, at)),
  'a link to what is not there': (at) => made(() => symlinkSync(join(outside, 'new'), at)),
  'a link to itself': (at) => made(() => symlinkSync(at, at)),
}

/** A bound socket goes when its server closes: a second name of it stays. */
function cpSocket(from: string, to: string): void {
  spawnSync('ln', [from, to])
}

function made(make: () => void): boolean {
  make()
  return true
}

/** What LevelDB is about to name its next files is told by those it has. */
function places(): string[] {
  const numbers = readdirSync(join(journal, 'db')).flatMap((name) => /\d{6}/.exec(name)?.[0] ?? [])
  const next = Math.max(...numbers.map(Number)) + 1
  const six = (number: number) => String(number).padStart(6, '0')
  const coming = [next, next + 1, next + 2].flatMap((number) => [
    `db/${six(number)}.log`,
    `db/MANIFEST-${six(number)}`,
    `db/${six(number)}.dbtmp`,
  ])
  const there = readdirSync(join(journal, 'db')).map((name) => `db/${name}`)
  const own = ['journal.json', 'head', 'reserve', 'db', 'payload', 'found', 'index', 'copies']
  return [...own, ...there, ...coming, 'db/000001.ldb', 'payload/00000001', 'payload/99999999']
}

const asks: Record<string, (path: string) => Promise<unknown>> = {
  read: async (path) => (await openToRead(path)).journal.close(),
  scrub: async (path) => (await openToRead(path, { onFound: scrub })).journal.close(),
  write: async (path) => (await openToWrite(path)).engine.close(),
  salvage: (path) => salvage(path, `${path}.salvaged`),
}

async function outcome(ask: () => Promise<unknown>): Promise<string> {
  try {
    await ask()
    return 'done'
  } catch (error) {
    return error instanceof BlockboxError ? `${error.code} ${error.message}` : `raw ${String(error)}`
  }
}

function say(what: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}

for (const place of places()) {
  for (const [kind, make] of Object.entries(kinds)) {
    const path = join(room, 'case')
    cpSync(journal, path, { recursive: true })
    rmSync(join(path, place), { recursive: true, force: true })
    mkdirSync(join(path, place, '..'), { recursive: true })
    if (await make(join(path, place))) {
      for (const [ask, act] of Object.entries(asks)) {
        say({ begins: `${ask}, ${place} is ${kind}` })
        const ended = await outcome(() => act(path))
        const left = Object.fromEntries(
          readdirSync(outside).map((name) => [name, readFileSync(join(outside, name), 'utf8')]),
        )
        say({ place, kind, ask, ended, left })
        rmSync(`${path}.salvaged`, { recursive: true, force: true })
      }
    }
    process.chdir('/')
    rmSync(path, { recursive: true, force: true })
  }
}
say({ over: true })
