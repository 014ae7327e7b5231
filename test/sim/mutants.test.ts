/** Every defect of mutants.json, planted in a copy of the compiled project, is found by a few seeds. */

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
  /** The nature of the disks on which it shows; the seeds say it unless told otherwise. */
  readonly disk?: string
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const mutants = JSON.parse(readFileSync(join(root, 'test/sim/mutants.json'), 'utf8')) as Mutant[]
/** Each is found within so many seeds of 3,000 steps. */
const seeds = 100

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

for (const { name, file, find, replace, disk } of mutants) {
  test(name, ({ nursery }) => {
    const place = join(nursery, '.build', file.replace(/\.ts$/, '.js'))
    const sound = readFileSync(place, 'utf8')
    assert.ok(sound.includes(find), `${file} has the text to replace`)
    writeFileSync(
      place,
      sound.replaceAll(find, () => replace),
    )
    try {
      const { status, stdout } = simulate(nursery, disk)
      assert.is(status, 12, `not found in ${seeds} seeds: ${stdout.slice(-300)}`)
    } finally {
      writeFileSync(place, sound)
    }
  })
}

function simulate(nursery: string, disk: string | undefined) {
  const program = join(nursery, '.build/tools/blockbox.js')
  const nature = disk === undefined ? [] : ['--disk', disk]
  const chance = ['--crash-every', '300', '--fault-every', '0', '--no-shrink', ...nature]
  const args = [program, 'simulate', '--seed', '1', '--seeds', `${seeds}`, '--steps', '3000', ...chance]
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 100_000 })
}

test.run()
