/**
 * The frame around the commands, as a shell sees it: exit codes, what is said on standard error, a reader that goes
 * away, Ctrl-C once and twice. A planted program with commands that misbehave runs in a process of its own.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('program')

const compiled = (name: string) => new URL(`../../tools/${name}.js`, import.meta.url)
const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))

const PLANTED = `
import { createProgram, main } from '${compiled('program')}'
import { print } from '${compiled('output')}'
import { interrupt } from '${compiled('interrupt')}'
import { journalDir, journalOption } from '${compiled('journal-option')}'
import { BlockboxError } from '${new URL('../../src/core/errors.js', import.meta.url)}'
import { Violation } from '${new URL('../../src/core/assert.js', import.meta.url)}'
const aborted = () => new Promise((resolve) => {
  const alive = setInterval(() => {}, 1000)
  interrupt.addEventListener('abort', () => { clearInterval(alive); resolve() })
})
const actions = {
  missing: () => { throw new BlockboxError('JOURNAL_MISSING', 'no journal at \\x1b[31mhere\\nthere') },
  usage: () => { throw new BlockboxError('USAGE', 'say what') },
  violation: () => { throw new Violation('S1-I4', 'order lost') },
  bug: () => { undefined.x },
  findings: () => { process.exitCode = 12 },
  forever: async () => { for (;;) await print('line '.repeat(20)) },
  tidies: async () => { await print('ready'); await aborted(); await print('tidied') },
  aborts: async () => { await print('ready'); await aborted(); interrupt.throwIfAborted() },
  ignores: async () => { setInterval(() => {}, 1000); await print('ready'); await aborted(); await print('deaf')
    await new Promise(() => {}) },
}
const commands = Object.entries(actions).map(([name, action]) => (program) => program.command(name).action(action))
const where = (program) => journalOption(program.command('where')).action((options) => print(journalDir(options)))
await main(createProgram('1.2.3', [...commands, where]), process.argv)
`

const folder = mkdtempSync(join(tmpdir(), 'blockbox-program-'))
const planted = join(folder, 'planted.mjs')
writeFileSync(planted, PLANTED)
test.after(() => rmSync(folder, { recursive: true, force: true }))

interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program; `meddle` is called with the process and each piece of its output. */
async function run(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
  meddle: (child: ChildProcess, text: string) => void = () => undefined,
): Promise<Result> {
  const { BLOCKBOX_JOURNAL: _, BLOCKBOX_DEBUG: __, ...clean } = process.env
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...clean, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    meddle(child, text)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [code] = await once(child, 'close')
  return { code, stdout, stderr }
}

const blockbox = fileURLToPath(compiled('blockbox'))

test('the program tells its version', async () => {
  const option = await run(blockbox, ['--version'])
  assert.equal(option, { code: 0, stdout: `${version}\n`, stderr: '' })
  const command = await run(blockbox, ['version', '--json'])
  assert.is(JSON.parse(command.stdout).blockbox, version)
})

test('help is no error, but saying nothing is', async () => {
  const help = await run(blockbox, ['--help'])
  assert.is(help.code, 0)
  assert.match(help.stdout, /Usage: blockbox/)
  const nothing = await run(blockbox, [])
  assert.is(nothing.code, 2)
  assert.match(nothing.stderr, /Usage: blockbox/)
})

test('unknown words are usage errors, and their control characters never reach the terminal', async () => {
  for (const word of ['no\x1b[31msuch', '--no-\x1b[31msuch']) {
    const { code, stdout, stderr } = await run(blockbox, [word])
    assert.is(code, 2)
    assert.is(stdout, '')
    assert.match(stderr, /^blockbox: unknown (command|option) '.*\\x1b\[31msuch'/)
    assert.not(stderr.includes('\x1b'))
  }
})

test('an error of ours is one line and its own exit code', async () => {
  const missing = await run(planted, ['missing'])
  assert.equal(missing, { code: 10, stdout: '', stderr: 'blockbox: no journal at \\x1b[31mhere\\nthere\n' })
  assert.equal(await run(planted, ['usage']), { code: 2, stdout: '', stderr: 'blockbox: say what\n' })
  assert.equal(await run(planted, ['violation']), {
    code: 12,
    stdout: '',
    stderr: 'blockbox: S1-I4: order lost\n',
  })
})

test('a defect is called one, and shows where only when asked', async () => {
  const plain = await run(planted, ['bug'])
  assert.is(plain.code, 1)
  assert.match(plain.stderr, /^blockbox: internal error: .*undefined.*\n$/)
  const debug = await run(planted, ['bug'], { BLOCKBOX_DEBUG: '1' })
  assert.is(debug.code, 1)
  assert.match(debug.stderr, /TypeError[\s\S]*at .*planted\.mjs/)
})

test('findings without an error keep the exit code the command chose', async () => {
  assert.is((await run(planted, ['findings'])).code, 12)
})

test('a reader that goes away ends the program quietly', async () => {
  const gone = await run(planted, ['forever'], {}, (child) => child.stdout!.destroy())
  assert.is(gone.code, 0)
  assert.is(gone.stderr, '')
})

const interruptWhenReady = (child: ChildProcess, text: string) => {
  if (text.includes('ready')) child.kill('SIGINT')
}

test('Ctrl-C once: the command finishes what it must, then 130', async () => {
  assert.equal(await run(planted, ['tidies'], {}, interruptWhenReady), {
    code: 130,
    stdout: 'ready\ntidied\n',
    stderr: '',
  })
  assert.equal(await run(planted, ['aborts'], {}, interruptWhenReady), {
    code: 130,
    stdout: 'ready\n',
    stderr: '',
  })
})

test('Ctrl-C twice: a command that does not listen is ended at once, with 130', async () => {
  const twice = await run(planted, ['ignores'], {}, (child, text) => {
    if (/ready|deaf/.test(text)) child.kill('SIGINT')
  })
  assert.equal(twice, { code: 130, stdout: 'ready\ndeaf\n', stderr: '' })
})

test('the journal is named by option, else by environment, else not at all', async () => {
  const env = { BLOCKBOX_JOURNAL: '/from/env' }
  assert.is((await run(planted, ['where', '-j', '/from/option'], env)).stdout, '/from/option\n')
  assert.is((await run(planted, ['where'], env)).stdout, '/from/env\n')
  for (const unset of [{}, { BLOCKBOX_JOURNAL: '' }]) {
    const none = await run(planted, ['where'], unset)
    assert.is(none.code, 2)
    assert.match(none.stderr, /^blockbox: which journal\?/)
  }
})

test.run()
