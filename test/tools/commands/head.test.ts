/** Heads kept elsewhere, signed or not: a journal that was rolled back or is another one is found out. */

import { generateKeyPairSync } from 'node:crypto'
import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

test('a proof that the newer head extends the older is checked without the journal, and against kept heads', async () => {
  const proof = join(folder, 'one.proof')
  const [older, newer] = readFileSync(heads, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { seq: number; hash: string })
  const text = ({ seq, hash }: { seq: number; hash: string }) => `${hash}@${seq}`
  const made = await json('head', '-j', journal, '--prove', text(older!), '-o', proof)
  assert.equal(
    [made.from, made.to],
    [older!, newer!].map(({ seq, hash }) => ({ seq, hash })),
  )
  assert.is(made.bytes, readFileSync(proof).length)
  assert.is(
    (await blockbox(['head', '-j', journal, '--prove', text(older!), '-o', proof])).code,
    2,
    'it is there',
  )
  const { code, out } = await blockbox(['head', '--check-proof', proof])
  assert.is(code, 0)
  assert.match(
    out,
    /^proven: .*\njournal [0-9a-f]{32}\nearlier [0-9a-f]{64}@\d+\nlater {3}[0-9a-f]{64}@\d+\ncompare/,
  )
  const against = (...args: readonly string[]) => blockbox(['head', '--check-proof', proof, ...args])
  assert.is((await against('--heads', heads, '--key', keys.check)).code, 0)
  assert.is((await against('--heads', heads, '--key', keys.other)).code, 12)
  const one = join(folder, 'first.heads')
  writeFileSync(one, `${readFileSync(heads, 'utf8').split('\n')[0]}\n`)
  const lacking = await against('--heads', one)
  assert.is(lacking.code, 12)
  assert.match(lacking.err, `holds no head ${text(newer!)}`)
  const bytes = readFileSync(proof)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(proof, bytes)
  const spoilt = await against()
  assert.is(spoilt.code, 12)
  assert.match(spoilt.err, /not proven: the frame of event \d+/)
  const old = join(folder, 'old.journal')
  const backwards = await blockbox([
    'head',
    '-j',
    old,
    '--prove',
    text(older!),
    '--to',
    text(newer!),
    '-o',
    `${proof}.2`,
  ])
  assert.is(backwards.code, 12)
  assert.is(existsSync(`${proof}.2`), false, 'nothing is left of what could not be proven')
})

test('options that do not go together, a head that is none, a file that is not there: usage', async () => {
  const head = `${'0'.repeat(64)}@0`
  for (const args of [
    ['--prove', 'x', '-o', 'f'],
    ['--prove', head],
    ['--prove', head, '-o', 'f', '--append', 'g'],
    ['--prove', head, '--heads', heads, '-o', 'f'],
    ['--to', head],
    ['-o', 'f'],
    ['--force'],
    ['--heads', heads],
    ['--check-proof', 'f', '--prove', head],
    ['--check-proof', 'f', '--key', keys.check],
    ['--check-proof', join(folder, 'none.proof')],
  ]) {
    const { code, err } = await blockbox(['head', '-j', journal, ...args])
    assert.is(code, 2, `${args.join(' ')}: ${err}`)
  }
})

test.run()
