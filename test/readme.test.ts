/**
 * The README tells the truth: its commands are run again, in order, and their output compared, with what depends on
 * the moment (times, instants, identities, hashes of frames) masked on both sides.
 */
// limit: 300 s

import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('README')

const built = fileURLToPath(new URL('..', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const program = `${built}tools/blockbox.js`

interface Shown {
  readonly command: string
  readonly output: readonly string[]
}

/** The commands of the console blocks, each with the lines shown below it. */
function shown(readme: string): Shown[] {
  const blocks = [...readme.matchAll(/^```console\n(.*?)^```$/gms)].map((match) => match[1]!)
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command, ...output] = part.trimEnd().split('\n')
        return { command: command!, output }
      }),
  )
}

function masked(line: string): string {
  return line
    .replace(/\d+\.\d+ s\b/g, 'N s')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT')
    .replace(/\b[0-9a-f]{64}@/g, 'HASH@')
    .replace(/\b[0-9a-f]{16}\.\.\.@/g, 'HASH@')
    .replace(/^(id +)[0-9a-f]{32}$/, '$1ID')
}

/** What is run for a command of the README, without going through npm. */
function argumentsOf(command: string): string[] {
  if (command === 'npm ci && npm start') return [`${built}tools/start.js`]
  assert.ok(
    command.startsWith('npx blockbox '),
    `the README shows a command this test cannot run: ${command}`,
  )
  return [program, ...command.slice('npx blockbox '.length).split(' ').map(local)]
}

/** Paths below .build are those of the build that is being tested. */
function local(argument: string): string {
  return argument.startsWith('.build/') ? `${built}${argument.slice('.build/'.length)}` : argument
}

test('each command shown gives the output shown', () => {
  const all = shown(readFileSync(`${root}README.md`, 'utf8'))
  assert.ok(all.length >= 8, 'the README shows its commands')
  for (const name of ['sqlite', 'fio']) rmSync(`${built}${name}.journal`, { recursive: true, force: true })
  for (const { command, output } of all) {
    const { stdout, stderr, status } = spawnSync(process.execPath, argumentsOf(command), {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    })
    assert.is(status, 0, `${command}: ${stderr}`)
    const lines = stdout.trimEnd().split(built).join('.build/').split('\n').map(masked)
    assert.equal(lines, output.map(masked), command)
  }
})

test('no figure is left to fill in', () => {
  assert.not.match(readFileSync(`${root}README.md`, 'utf8'), /PERFORMANCE-TABLE/)
})

test.run()
