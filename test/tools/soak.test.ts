/** The long run, made short: it sums what its processes say, and tells how a finding is shown again. */

// limit: 300 s

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const test = suite('soak')

function soak(built: string, ...args: readonly string[]) {
  return spawnSync(process.execPath, [join(built, '.build/tools/soak.js'), ...args], {
    encoding: 'utf8',
    timeout: 100_000,
  })
}

test('so many seeds on two lanes, none left out and none twice', () => {
  const { status, stdout } = soak(root, '--seeds', '9', '--steps', '60', '--lanes', '2')
  assert.is(status, 0, stdout)
  assert.match(stdout, /^\| 9 \| 540 \| /m)
})

test('a seed with a finding is told with its command, and the others go on', () => {
  const nursery = mkdtempSync(join(tmpdir(), 'blockbox-soak-'))
  try {
    for (const part of ['src', 'tools'])
      cpSync(join(root, '.build', part), join(nursery, '.build', part), { recursive: true })
    for (const beside of ['package.json', 'node_modules'])
      symlinkSync(join(root, beside), join(nursery, beside))
    const place = join(nursery, '.build/src/sim/life.js')
    const sound = readFileSync(place, 'utf8')
    const planted = sound.replace(
      'async step(dice) {',
      '$& if (this.witness.world.seq > 40) this.witness.find("planted", "x");',
    )
    assert.not.equal(planted, sound)
    writeFileSync(place, planted)
    const { status, stdout } = soak(nursery, '--seeds', '3', '--steps', '200', '--lanes', '1')
    assert.is(status, 12, stdout)
    for (const seed of [1, 2, 3])
      assert.ok(stdout.includes(`npx blockbox simulate --seed ${seed} --steps 200 --keep`), stdout)
    assert.match(stdout, /^\| 3 \| /m)
  } finally {
    rmSync(nursery, { recursive: true, force: true })
  }
})

test.run()
