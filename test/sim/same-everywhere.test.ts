/**
 * The same seed gives the same history, whatever the process is like: time zone, language, folder, no compiled code, and a
 * later Node where one is installed. Each is a process of its own, whose journal ends with the same SHA-256.
 */

// limit: 300 s

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { notProved } from '../support/ability.ts'

const test = suite('the same everywhere')
const program = fileURLToPath(new URL('../../tools/blockbox.js', import.meta.url))

interface Way {
  readonly node?: string
  readonly flags?: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** What a run of a seed ends with: the hash of its last frame covers every frame before it. */
function run(seed: number, { node = process.execPath, flags = [], cwd = process.cwd(), env = {} }: Way = {}) {
  const chance = ['--steps', '300', '--crash-every', '90', '--fault-every', '40', '--once', '--json']
  const args = [...flags, program, 'simulate', '--seed', `${seed}`, '--seeds', '1', ...chance]
  const { stdout, stderr, status } = spawnSync(node, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  assert.is(status, 0, stderr)
  const { head, events, state_hash: state, crashes } = JSON.parse(stdout.trim().split('\n').at(-1)!)
  assert.match(head.hash, /^[0-9a-f]{64}$/)
  return { head, events, state, crashes }
}

/** A Node of the line 22, from the PATH or where version managers keep theirs. */
function node22(): string | undefined {
  const named = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node22'))
  const kept = join(homedir(), '.nvm/versions/node')
  const managed = existsSync(kept) ? readdirSync(kept).filter((name) => name.startsWith('v22.')) : []
  return [...named, ...managed.map((name) => join(kept, name, 'bin/node'))].find((path) => existsSync(path))
}

const here = run(7)

const ways: Record<string, Way> = {
  'another time zone': { env: { TZ: 'Pacific/Kiritimati' } },
  'another language': { env: { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' } },
  'another folder': { cwd: tmpdir() },
  'no compiled code': { flags: ['--jitless'] },
}
for (const [name, way] of Object.entries(ways)) {
  test(name, () => assert.equal(run(7, way), here))
}

test('Node 22, where it is installed', () => {
  const node = node22()
  if (node === undefined) return void notProved('there is no Node 22')
  assert.equal(run(7, { node }), here)
})

test('another seed ends otherwise, and the run has crashes in it', () => {
  assert.ok(here.crashes > 0 && here.events > 200)
  assert.is.not(run(8).head.hash, here.head.hash)
})

test.run()
