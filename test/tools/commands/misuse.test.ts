/** What a hurried person does wrong: two sources, a file written over what is read, heads that are none. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { temporaryFolder } from '../../support/folder.ts'
import { blockbox } from './blockbox.ts'

const test = suite('misuse')
const folder = temporaryFolder()
test.after(() => folder.remove())

let home = ''
const at = (name: string) => join(home, name)
const usage = async (said: RegExp, ...args: string[]) => {
  const { code, err } = await blockbox(args)
  assert.is(code, 2, `${args.join(' ')}: ${err}`)
  assert.match(err, said)
}

test.before(async () => {
  home = folder.fresh('misuse')
  for (const name of ['one', 'two']) {
    const made = await blockbox(['volume', 'create', 'vol', '--size', '1M', '-j', at(`${name}.journal`)])
    assert.is(made.code, 0, made.err)
  }
  const { code, err } = await blockbox(['export', '-j', at('one.journal'), '-o', at('one.trace')])
  assert.is(code, 0, err)
})

test('a journal as an argument and another with -j: which is meant cannot be told', async () => {
  for (const command of ['verify', 'replay', 'log']) {
    await usage(/Name one of them/, command, at('one.journal'), '-j', at('two.journal'))
  }
  const { code } = await blockbox(['verify', at('one.journal')], undefined, {
    BLOCKBOX_JOURNAL: at('two.journal'),
  })
  assert.is(code, 0, 'the environment names a default, an argument goes before it')
})

test('what is read is not written over', async () => {
  const before = readFileSync(at('one.trace'))
  await usage(/is what is read/, 'redact', at('one.trace'), at('one.trace'), '--force')
  await usage(/is what is read/, 'convert', at('one.trace'), at('one.trace'), '--force')
  assert.ok(readFileSync(at('one.trace')).equals(before))
})

test('an image goes into a file', () =>
  usage(/name a file/, 'image', 'vol', '-j', at('one.journal'), '-o', '-'))

test('a run that plays nothing says so and is no success', async () => {
  const trace = fileURLToPath(new URL('../../../../traces/fio_randrw.v3.iolog', import.meta.url))
  const { code, err } = await blockbox(['run', trace, '-j', at('run.journal'), '--only', 'bogus'])
  assert.is(code, 1, err)
  assert.match(err, /played nothing/)
})

test('verify says how many heads it compared, and takes no empty list for one', async () => {
  writeFileSync(at('none.heads'), '')
  await usage(/holds no head/, 'verify', '-j', at('one.journal'), '--heads', at('none.heads'))
  await usage(/name their file/, 'verify', '-j', at('one.journal'), '--key', at('none.heads'))
  for (let k = 0; k < 2; k++) await blockbox(['head', '-j', at('one.journal'), '--append', at('heads')])
  const { code, out } = await blockbox(['verify', '-j', at('one.journal'), '--heads', at('heads')])
  assert.is(code, 0)
  assert.match(out, /2 kept elsewhere, all in its history/)
})

test.run()
