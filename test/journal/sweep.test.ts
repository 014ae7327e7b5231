/**
 * A sample of the damage sweep (tools/sweep.ts), and that its judge can tell: damage is said or provably harmless, and
 * what is altered or short without a word is called silent.
 */

// limit: 120 s

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { damaged, damageTo } from '../../tools/sweep/damage.ts'
import { judge, salvageFault } from '../../tools/sweep/judge.ts'
import { forms, makeForms, type Whole, wholeOf, writeFiles } from '../../tools/sweep/whole.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('damage sweep')
const folder = temporaryFolder()
test.after(() => folder.remove())

const program = fileURLToPath(new URL('../../tools/sweep.js', import.meta.url))
/** By then some cases are judged. */
const underWayMs = 4000
/** It ends within some 100 ms where nothing else runs. */
const patienceMs = 3000
const wholes = new Map<string, Whole>()

test.before(async () => {
  const root = folder.fresh('forms')
  mkdirSync(root)
  const made = await makeForms(root)
  for (const form of forms) wholes.set(form, await wholeOf(made[form], folder.fresh('work')))
})

function written(files: ReadonlyMap<string, Uint8Array>): string {
  const path = folder.fresh('copy')
  writeFiles(files, path)
  return path
}

test('one case in 331 of every file: none is silent', () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, '--every', '331', '--json'], {
    encoding: 'utf8',
  })
  assert.is(status, 0, `${stderr}${stdout}`)
  const { all, files, failures } = JSON.parse(stdout)
  assert.equal(failures, [])
  assert.ok(all.cases > 400, `${all.cases} cases`)
  assert.ok(all.open > 100 && all.verify > 20 && all.store > 20 && all.harmless > 20, stdout)
  const held = [
    'log: db/000003.log',
    'ldb: db/000005.ldb',
    'log: head',
    'ldb: head',
    'segment: payload/00000001',
  ]
  for (const file of held) {
    for (const how of ['flip', 'cut']) {
      assert.ok(
        files.some((one: { name: string }) => one.name === `${file} ${how}`),
        `${file} ${how}`,
      )
    }
  }
})

test('Ctrl-C ends it at once, with 130 and what was judged so far', async () => {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
  })
  let asked = 0
  setTimeout(() => {
    asked = performance.now()
    child.kill('SIGINT')
  }, underWayMs)
  const [code] = await once(child, 'close')
  assert.ok(performance.now() - asked < patienceMs, `${performance.now() - asked} ms`)
  assert.is(code, 130, said.err)
  assert.match(said.err, /stopped after \d+ of \d{5,} cases\n$/)
  assert.match(said.out, /\d+ cases in \d+ s, 0 failures\n$/)
})

test('every file removed, emptied and cut by one byte: said, or nothing is missing', async () => {
  for (const [form, whole] of wholes) {
    const all = damageTo(whole.files)
    const ends = all.filter(({ file, how, at }) => {
      const isEnd = at === 0 || at === whole.files.get(file)!.length - 1
      return how === 'remove' || (how === 'cut' && isEnd)
    })
    assert.ok(ends.length >= 3 * whole.files.size - 4, `${ends.length} cases`)
    for (const damage of ends) {
      const files = new Map<string, Uint8Array>(whole.files)
      const bytes = damaged(whole.files.get(damage.file)!, damage)
      if (bytes === undefined) files.delete(damage.file)
      else files.set(damage.file, bytes)
      const { verdict, why } = await judge(written(files), whole)
      assert.is.not(verdict, 'silent', `${form}: ${damage.file} ${damage.how} ${damage.at}: ${why}`)
      const holdsEvents = /\.(?:log|ldb)$/.test(damage.file) && whole.files.get(damage.file)!.length > 0
      const isFooter = damage.file.endsWith('.ldb') && damage.how === 'cut' && damage.at > 0
      const wanted = isFooter ? 'store' : 'open'
      if (damage.file.startsWith('payload/')) assert.is(verdict, 'verify', `${damage.how} ${damage.at}`)
      if (holdsEvents) assert.is(verdict, wanted, `${form}: ${damage.file} ${damage.how} ${damage.at}`)
    }
  }
})

test('what is altered, short or misnamed is silent to the judge', async () => {
  for (const whole of wholes.values()) {
    assert.equal(await judge(written(whole.files), whole), { verdict: 'harmless' })
    const other = { ...whole, content: 'another' }
    assert.match((await judge(written(whole.files), other)).why ?? '', 'the content is another')
    const frames = whole.frames.map((frame, k) => (k === 5 ? { ...frame, hash: 'another' } : frame))
    assert.match((await judge(written(whole.files), { ...whole, frames })).why ?? '', /frame of event \d+ is/)
    const longer = { ...whole, events: whole.events + 1 }
    assert.match((await judge(written(whole.files), longer)).why ?? '', 'and no finding')
    const short = { verdict: 'open', seq: whole.events + 5 } as const
    assert.match(
      (await salvageFault(written(whole.files), folder.fresh('salvaged'), whole, short)) ?? '',
      /salvage kept/,
    )
  }
})

test.run()
