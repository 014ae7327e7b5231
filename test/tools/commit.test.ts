/** The commit that findings are reported with: that of the own checkout and of nobody else's. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commitOf } from '../../tools/commit.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('commit')

test('it is told, with what differs, and unknown elsewhere', () => {
  const folder = temporaryFolder()
  try {
    const root = folder.fresh()
    mkdirSync(join(root, 'node_modules', 'blockbox'), { recursive: true })
    assert.is(commitOf(root), 'unknown')
    const git = (...words: string[]) =>
      execFileSync('git', ['-C', root, '-c', 'user.name=n', '-c', 'user.email=e', ...words], {
        encoding: 'utf8',
      })
    git('init', '--quiet')
    assert.is(commitOf(root), 'unknown')
    writeFileSync(join(root, 'file'), 'one')
    git('add', 'file')
    git('commit', '--quiet', '-m', 'first')
    const head = git('rev-parse', '--short=12', 'HEAD').trim()
    assert.is(commitOf(root), head)
    assert.is(commitOf(join(root, 'node_modules', 'blockbox')), 'unknown')
    writeFileSync(join(root, 'file'), 'two')
    assert.is(commitOf(root), `${head}-dirty`)
  } finally {
    folder.remove()
  }
})

test.run()
