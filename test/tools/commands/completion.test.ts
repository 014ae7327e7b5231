/** Completion scripts: bash runs its own, and the others name every command. */

// needs: program bash

import { execFileSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox } from './blockbox.ts'

const test = suite('completion')

test('bash completes commands, commands below commands, and options', async () => {
  const { out: script } = await blockbox(['completion', 'bash'])
  const complete = (...words: readonly string[]) => {
    const line = words.map((word) => `'${word}'`).join(' ')
    const ask = `COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _blockbox; echo "\${COMPREPLY[@]}"`
    const env = { ...process.env, BASH_ENV: '' }
    return execFileSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8', env }).trim()
  }
  assert.is(complete('blockbox', 'ver'), 'verify version')
  assert.is(complete('blockbox', 'volume', ''), 'create rm resize ls --help')
  assert.is(complete('blockbox', 'volume', 'create', '--s'), '--size --stripe')
  assert.is(complete('blockbox', 'log', '--follow', '--k'), '--kind')
})

test('every shell gets every command; another shell is refused', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out } = await blockbox(['completion', shell])
    assert.is(code, 0)
    for (const word of ['import', 'image', 'digest', 'volume', 'create']) assert.match(out, word)
  }
  assert.is((await blockbox(['completion', 'tcsh'])).code, 2)
})

test.run()
