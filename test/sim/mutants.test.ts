/**
 * Every defect of mutants.json, planted in a copy of the compiled project, is found by a few seeds, and the run that
 * found it shrinks to a few inputs.
 */
// limit: 1500 s

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

interface Mutant {
  readonly name: string
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Options for `simulate`: the nature of the disks on which it shows. */
  readonly args?: readonly string[]
}

/** What `simulate --json` says of a seed. */
interface Line {
  readonly seed: number
  readonly findings: readonly { readonly rule: string }[]
  readonly shrunk?: {
    readonly steps: readonly number[]
    readonly inputs: number
    readonly findings: Line['findings']
  }
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const mutants = JSON.parse(readFileSync(join(root, 'test/sim/mutants.json'), 'utf8')) as Mutant[]
/** Each is found within so many seeds of 3,000 steps, */
const seeds = 100
/** and shrunk to fewer inputs and steps than these. */
const fewInputs = 20

const test = suite<{ nursery: string }>('simulator canaries')

test.before((context) => {
  const nursery = mkdtempSync(join(tmpdir(), 'blockbox-sim-'))
  for (const part of ['src', 'tools']) {
    cpSync(join(root, '.build', part), join(nursery, '.build', part), { recursive: true })
  }
  for (const beside of ['package.json', 'node_modules'])
    symlinkSync(join(root, beside), join(nursery, beside))
  context.nursery = nursery
})

test.after(({ nursery }) => rmSync(nursery, { recursive: true, force: true }))

for (const { name, file, find, replace, args = [] } of mutants) {
  test(name, ({ nursery }) => {
    const place = join(nursery, '.build', file.replace(/\.ts$/, '.js'))
    const sound = readFileSync(place, 'utf8')
    assert.ok(sound.includes(find), `${file} has the text to replace`)
    writeFileSync(
      place,
      sound.replaceAll(find, () => replace),
    )
    try {
      const { status, stdout } = simulate(nursery, args)
      assert.is(status, 12, `not found in ${seeds} seeds: ${stdout.slice(-300)}`)
      const { findings, shrunk } = JSON.parse(stdout.trim().split('\n').at(-1)!) as Line
      assert.ok(shrunk!.inputs < fewInputs, `${shrunk!.inputs} inputs are left`)
      assert.ok(shrunk!.steps.length < fewInputs, `${shrunk!.steps.length} steps are left`)
      assert.ok(shrunk!.findings.some(({ rule }) => rule === findings[0]!.rule))
    } finally {
      writeFileSync(place, sound)
    }
  })
}

function simulate(nursery: string, args: readonly string[]) {
  const program = join(nursery, '.build/tools/blockbox.js')
  const chance = ['--crash-every', '300', '--fault-every', '0', '--once', '--json', ...args]
  const asked = [program, 'simulate', '--seed', '1', '--seeds', `${seeds}`, '--steps', '3000', ...chance]
  return spawnSync(process.execPath, asked, { encoding: 'utf8', timeout: 300_000 })
}

test.run()
