/**
 * The test runner against every kind of broken test file that uvu alone lets through, or that would hang: each is
 * written to a folder of its own, run by the real runner, and must fail for the reason named here.
 */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('test runner')

const RUNNER = fileURLToPath(new URL('../../tools/test.js', import.meta.url))
const ASSERT = fileURLToPath(import.meta.resolve('uvu/assert'))
const HEAD = `import { suite } from 'uvu'\nconst test = suite('planted')\n`
const GOOD = `${HEAD}test('one', () => {})\ntest('two', () => {})\ntest.run()\n`

const root = mkdtempSync(join(tmpdir(), 'blockbox-runner-'))
let folders = 0
test.after(() => rmSync(root, { recursive: true, force: true }))

interface Run {
  readonly code: number | null
  readonly out: string
  readonly lastLine: string | undefined
}

/** Writes the files to a new folder and runs the runner on it. */
function runnerOn(files: Record<string, string>, args: string[] = [], env: NodeJS.ProcessEnv = {}): Run {
  folders += 1
  const folder = join(root, String(folders))
  mkdirSync(folder)
  const uvu = join(dirname(dirname(ASSERT)), 'dist', 'index.mjs')
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text.replace(`'uvu'`, JSON.stringify(uvu)))
  }
  const done = spawnSync(process.execPath, [RUNNER, folder, ...args], {
    encoding: 'utf8',
    env: { ...process.env, BLOCKBOX_REQUIRE_ALL: '', ...env },
  })
  const out = done.stdout + done.stderr
  return { code: done.status, out, lastLine: done.stdout.trimEnd().split('\n').at(-1) }
}

test('a good file passes', () => {
  const run = runnerOn({ 'good.test.js': GOOD, 'below/deep.test.js': GOOD, 'no-test.js': 'throw 1' })
  assert.is(run.lastLine, '4 passed, 0 failed')
  assert.is(run.code, 0)
})

test('a test that this machine cannot prove is said, and not counted as passed', () => {
  const part = `${HEAD}test('one', () => console.log('not proved here: no disk'))\ntest('two', () => {})\ntest.run()\n`
  const run = runnerOn({ 'part.test.js': part })
  assert.match(run.out, /NOT RUN +part\.test\.js +one test of it: no disk\n/)
  assert.is(run.lastLine, '1 passed, 0 failed, 1 skipped')
  assert.is(run.code, 0)
})

interface Broken {
  readonly body: string
  readonly reason: RegExp
  readonly limit?: string
  readonly closing?: string
}

const HANGS = { reason: /FAIL .*still running after its limit of 2 s/, limit: '2' }

const BROKEN: Record<string, Broken> = {
  'a failing assertion': {
    body: `test('one', () => {})\ntest('two', () => { throw new Error('planted') })\ntest.run()`,
    reason: /FAIL .*1 of 2 tests passed[\s\S]*planted/,
    closing: '1 passed, 1 failed',
  },
  'before() throws': {
    body: `test.before(() => { throw new Error('planted') })\ntest('one', () => {})\ntest.run()`,
    reason: /FAIL .*0 of 1 tests passed/,
  },
  'a test throws what is not an Error': {
    body: `test('one', () => { throw 'planted' })\ntest('two', () => {})\ntest.run()`,
    reason: /FAIL .*0 of 2 tests passed/,
    closing: '0 passed, 2 failed',
  },
  'after.each() throws': {
    body: `test.after.each(() => { throw new Error('planted') })\ntest('one', () => {})\ntest.run()`,
    reason: /FAIL .*0 of 1 tests passed/,
  },
  '.run() forgotten': { body: `test('one', () => {})`, reason: /FAIL .*is .run\(\) missing/ },
  'a suite without tests': { body: 'test.run()', reason: /FAIL .*no test ran/ },
  'only() left in': {
    body: `test.only('one', () => {})\ntest('two', () => {})\ntest.run()`,
    reason: /FAIL .*1 tests skipped/,
    closing: '1 passed, 1 failed',
  },
  'skip() left in': {
    body: `test('one', () => {})\ntest.skip('two', () => {})\ntest.run()`,
    reason: /FAIL .*1 tests skipped/,
  },
  'a late unhandled rejection': {
    body: `test('one', () => { setTimeout(() => Promise.reject(new Error('planted')), 50) })\ntest.run()`,
    reason: /FAIL .*exit code 1[\s\S]*planted/,
  },
  'a promise that never settles, no handle': {
    body: `test('one', () => new Promise(() => {}))\ntest.run()`,
    reason: /FAIL .*exit code 1[\s\S]*Exiting early/,
  },
  'a promise that never settles, with a handle': {
    body: `test('one', () => new Promise(() => setInterval(() => {}, 1000)))\ntest.run()`,
    ...HANGS,
  },
  'a handle left open': { body: `test('one', () => { setInterval(() => {}, 1000) })\ntest.run()`, ...HANGS },
  'after() throws': {
    body: `test.after(() => { throw new Error('planted') })\ntest('one', () => {})\ntest.run()`,
    reason: /FAIL .*exit code 1[\s\S]*planted/,
  },
  'process.exit(0) inside a test': {
    body: `test('one', () => process.exit(0))\ntest.run()`,
    reason: /FAIL .*exit code 1/,
  },
  'a second .run() after the first has reported': {
    body: `test('one', () => {})\ntest.run()\nsetTimeout(() => { test('two', () => {}); test.run() }, 100)`,
    reason: /FAIL .*totals printed more than once/,
  },
  'a process that outlives the file': {
    body: `import { spawn } from 'node:child_process'
test('one', () => { spawn('sleep', ['60'], { stdio: 'inherit' }).unref() })\ntest.run()`,
    reason: /FAIL .*a process it started outlived it/,
  },
  'a syntax error': { body: `test('one'`, reason: /FAIL .*exit code 1[\s\S]*SyntaxError/ },
}

for (const [what, { body, reason, limit = '60', closing = '' }] of Object.entries(BROKEN)) {
  test(`fails: ${what}`, () => {
    const run = runnerOn({ 'bad.test.js': `${HEAD}${body}\n` }, ['--limit', limit])
    assert.match(run.out, reason)
    assert.match(run.lastLine!, /^\d+ passed, [1-9]\d* failed$/)
    if (closing !== '') assert.is(run.lastLine, closing)
    assert.is(run.code, 1)
  })
}

test('fails: one bad file among good ones', () => {
  const run = runnerOn({ 'a.test.js': GOOD, 'b.test.js': `${HEAD}test('one', () => {})`, 'c.test.js': GOOD })
  assert.is(run.lastLine, '4 passed, 1 failed')
  assert.match(run.out, /failed:\n {2}b\.test\.js: ended without/)
  assert.is(run.code, 1)
})

test('fails: no file found, and a filter that matches none', () => {
  for (const run of [runnerOn({ 'good.js': GOOD }), runnerOn({ 'good.test.js': GOOD }, ['other'])]) {
    assert.match(run.out, /FAIL .*no test file found/)
    assert.is(run.lastLine, '0 passed, 1 failed')
    assert.is(run.code, 1)
  }
})

test('a filter chooses by path', () => {
  const run = runnerOn({ 'x/good.test.js': GOOD, 'y/bad.test.js': HEAD }, ['x/'])
  assert.is(run.lastLine, '2 passed, 0 failed')
  assert.is(run.code, 0)
})

const NEEDY = `// needs: env BLOCKBOX_PLANTED\n// needs: program no-such-program\n\n${HEAD}throw new Error('started')\n`

test('a file whose needs are missing is not started, listed with the reason, and counted', () => {
  const run = runnerOn({ 'needy.test.js': NEEDY, 'good.test.js': GOOD })
  assert.match(run.out, /NOT RUN needy\.test\.js .*env BLOCKBOX_PLANTED, program no-such-program/)
  assert.is(run.lastLine, '2 passed, 0 failed, 1 skipped')
  assert.is(run.code, 0)
})

test('missing needs fail when everything is required, and when nothing else was run', () => {
  const required = runnerOn({ 'needy.test.js': NEEDY, 'good.test.js': GOOD }, [], {
    BLOCKBOX_REQUIRE_ALL: '1',
  })
  assert.is(required.lastLine, '2 passed, 1 failed')
  assert.is(required.code, 1)
  const excused = (what: string) =>
    runnerOn({ 'needy.test.js': NEEDY, 'good.test.js': GOOD }, [], {
      BLOCKBOX_REQUIRE_ALL: '1',
      BLOCKBOX_NOT_REQUIRED: what,
    }).lastLine
  assert.is(excused('BLOCKBOX_PLANTED,no-such-program'), '2 passed, 0 failed, 1 skipped')
  assert.is(excused('BLOCKBOX_PLANTED'), '2 passed, 1 failed')
  const alone = runnerOn({ 'needy.test.js': NEEDY })
  assert.is(alone.lastLine, '0 passed, 0 failed, 1 skipped')
  assert.is(alone.code, 1)
})

test('a file whose needs are met is run, within the limit it names', () => {
  const slow = `test('one', () => new Promise((done) => setTimeout(done, 1500)))\ntest.run()\n`
  const met = `// needs: env BLOCKBOX_PLANTED\n// needs: program sh\n// limit: 60 s\n\n${HEAD}${slow}`
  const run = runnerOn({ 'met.test.js': met }, ['--limit', '1'], { BLOCKBOX_PLANTED: 'yes' })
  assert.is(run.lastLine, '1 passed, 0 failed')
  assert.is(run.code, 0)
})

test('fails: a need or a limit that cannot be understood', () => {
  for (const line of ['// needs: sqlite3', '// needs: file /etc/passwd', '// limit: 5 min']) {
    const run = runnerOn({ 'odd.test.js': `${line}\n\n${GOOD}` })
    assert.match(run.out, /FAIL .*not understood/)
    assert.is(run.code, 1)
  }
})

test('a compiled test whose source has gone is named and not run', () => {
  const map = JSON.stringify({ version: 3, sources: ['gone.test.ts'] })
  const run = runnerOn({ 'gone.test.js': HEAD, 'gone.test.js.map': map, 'good.test.js': GOOD })
  assert.match(run.out, /STALE {3}gone\.test\.js/)
  assert.is(run.lastLine, '2 passed, 0 failed')
})

test.run()
