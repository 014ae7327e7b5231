/** Heads kept elsewhere, signed or not: a journal that was rolled back or is another one is found out. */

import { generateKeyPairSync } from 'node:crypto'
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('heads kept elsewhere')
const folder = scratch()
const journal = join(folder, 'one.journal')
const heads = join(folder, 'one.heads')
const keys = {
  sign: join(folder, 'key.pem'),
  check: join(folder, 'public.pem'),
  other: join(folder, 'other.pem'),
}

test.before(async () => {
  for (const [secret, open] of [
    [keys.sign, keys.check],
    [join(folder, 'x.pem'), keys.other],
  ] as const) {
    const pair = generateKeyPairSync('ed25519')
    writeFileSync(secret, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    writeFileSync(open, pair.publicKey.export({ type: 'spki', format: 'pem' }))
  }
  await json('volume', 'create', 'disk', '--size', '1M', '-j', journal)
  await json('head', '-j', journal, '--append', heads, '--sign', keys.sign)
  cpSync(journal, join(folder, 'old.journal'), { recursive: true })
  await json('mark', 'disk', 'later', '-j', journal)
  await json('head', '-j', journal, '--append', heads, '--sign', keys.sign)
})

const verify = (path: string, ...args: readonly string[]) => blockbox(['verify', '-j', path, ...args])

test('each command adds a line; the journal holds them all, signed with that key', async () => {
  assert.is(readFileSync(heads, 'utf8').trimEnd().split('\n').length, 2)
  assert.is((await verify(journal, '--heads', heads, '--key', keys.check)).code, 0)
  const { out } = await blockbox(['head', '-j', journal])
  assert.match(out, /^[0-9a-f]{64}@\d+\n$/)
  assert.is((await verify(journal, '--head', out.trim())).code, 0)
})

test('a journal that was rolled back lacks the newer head', async () => {
  const { code, out } = await verify(join(folder, 'old.journal'), '--heads', heads)
  assert.is(code, 12)
  assert.match(out, /rolled back/)
})

test('a head of another key, or altered, or unsigned, is a finding', async () => {
  assert.is((await verify(journal, '--heads', heads, '--key', keys.other)).code, 12)
  const altered = join(folder, 'altered.heads')
  const [line] = readFileSync(heads, 'utf8').split('\n')
  const { signature, ...plain } = JSON.parse(line!) as Record<string, unknown>
  for (const wrong of [{ ...plain, at: '2020-01-01T00:00:00.000Z', signature }, plain]) {
    writeFileSync(altered, `${JSON.stringify(wrong)}\n`)
    const { code, out } = await verify(journal, '--heads', altered, '--key', keys.check)
    assert.is(code, 12)
    assert.match(out, /SIGNATURE/)
  }
})

test('a file that is none, heads of another journal, keys of another kind: usage', async () => {
  const other = join(folder, 'other.journal')
  await json('volume', 'create', 'disk', '--size', '1M', '-j', other)
  assert.is((await verify(other, '--heads', heads)).code, 2)
  const broken = join(folder, 'broken.heads')
  for (const text of ['{}\n', 'x\n', '{"__proto__":1}\n', `${'['.repeat(2000)}\n`]) {
    writeFileSync(broken, text)
    const { code, err } = await verify(journal, '--heads', broken)
    assert.is(code, 2)
    assert.match(err, /line 1/)
  }
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const pem = join(folder, 'rsa.pem')
  writeFileSync(pem, rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  assert.is((await blockbox(['head', '-j', journal, '--sign', pem])).code, 2)
  rmSync(pem)
  appendFileSync(pem, 'no key')
  assert.is((await blockbox(['head', '-j', journal, '--sign', pem])).code, 2)
})

test.run()
