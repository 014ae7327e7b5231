/**
 * A journal kept as evidence: a copy that nobody may write. Every question is answered, not a byte or a time of it
 * changes, and a command that would write says why it does not.
 */

// limit: 120 s

import { chmodSync, cpSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../../src/core/digest.ts'
import { blockbox, damage, json, ofRepository, scratch } from './blockbox.ts'

const test = suite('a journal that nobody may write')
const folder = scratch()
const live = join(folder, 'live.journal')
const kept = join(folder, 'kept.journal')

/** Everything below a folder, each part first. */
function below(path: string): string[] {
  if (!lstatSync(path).isDirectory()) return [path]
  return [...readdirSync(path).flatMap((name) => below(join(path, name))), path]
}

function protect(path: string, isProtected: boolean): void {
  for (const one of isProtected ? below(path) : below(path).reverse()) {
    const isFolder = statSync(one).isDirectory()
    chmodSync(one, (isFolder ? 0o555 : 0o444) | (isProtected ? 0 : 0o200))
  }
}

/** Name, size, times and content of all there is. */
function seen(path: string): string[] {
  return below(path).map((one) => {
    const { size, mtimeNs, ctimeNs, mode } = statSync(one, { bigint: true })
    const content = (mode & 0o170000n) === 0o40000n ? '' : hex(sha256(readFileSync(one)))
    return [one, size, mtimeNs, ctimeNs, mode, content].join(' ')
  })
}

async function said(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await blockbox(args)
  assert.is(code, 0, `${args.join(' ')}: ${err}`)
  return out
}

test.before(async () => {
  const trace = ofRepository('traces', 'sqlite_delete.dmlog.gz')
  await json('import', trace, '-j', live, '--volume', 'bank')
  await said('volume', 'create', 'twin', '--size', '16M', '-j', live)
  await said('clone', 'create', 'mirror', '--source', 'bank', '--clone', 'twin', '-j', live)
  await said('clone', 'sync', 'mirror', '-j', live)
  await said('clone', 'fracture', 'mirror', '-j', live)
  await said('restore', 'start', 'mirror', '-j', live)
  cpSync(live, kept, { recursive: true })
  protect(kept, true)
})
test.after(() => protect(kept, false))

test('every question is answered as of a journal that may be written, and nothing changes', async () => {
  const before = seen(kept)
  const questions = (name: string) => [
    ['log', '--json'],
    ['inspect', 'restore', 'mirror', '--json'],
    ['inspect', 'block', 'bank:+1048576', '--json'],
    ['verify'],
    ['head'],
    ['image', 'bank@seq:470', '-o', join(folder, `${name}.img`), '--digest'],
    ['export', '-o', join(folder, `${name}.trace`)],
  ]
  for (const k of questions('').keys()) {
    const [asked, found] = await Promise.all(
      ['live', 'kept'].map(async (name) => {
        const { code, out, err } = await blockbox([
          ...questions(name)[k]!,
          '-j',
          join(folder, `${name}.journal`),
        ])
        return { code, out: out.replaceAll(name, 'one'), err: err.replaceAll(name, 'one') }
      }),
    )
    assert.equal(found, asked)
    assert.is(found!.code, 0, found!.err)
  }
  assert.equal(seen(kept), before)
})

test('what an unfinished block index lacks is made in memory', async () => {
  await said('inspect', 'block', 'bank:+1048576', '-j', live)
  const copy = join(folder, 'indexed.journal')
  await said('mark', 'bank', 'later', '-j', live)
  cpSync(live, copy, { recursive: true })
  protect(copy, true)
  const before = seen(copy)
  try {
    const found = await said('inspect', 'block', 'bank:+1048576', '-j', copy)
    assert.is(found, await said('inspect', 'block', 'bank:+1048576', '-j', live))
    assert.equal(seen(copy), before)
  } finally {
    protect(copy, false)
  }
})

test('what would write says why it does not, and what to do', async () => {
  const before = seen(kept)
  for (const args of [
    ['mark', 'bank', 'now'],
    ['volume', 'create', 'more', '--size', '1M'],
    ['serve', '--socket', join(folder, 'sock')],
  ]) {
    const { code, err } = await blockbox([...args, '-j', kept])
    assert.is(code, 1, err)
    assert.match(err, /cannot be written: .*copy its whole folder to where you may write/)
  }
  assert.equal(seen(kept), before)
})

test('damage is found in evidence as well, and what verifies is salvaged elsewhere', async () => {
  const copy = join(folder, 'damaged.journal')
  cpSync(kept, copy, { recursive: true })
  protect(copy, false)
  assert.ok(damage(copy, Buffer.from('BBF1'), 120))
  protect(copy, true)
  const before = seen(copy)
  try {
    const { code, out } = await blockbox(['verify', '-j', copy])
    assert.is(code, 12, out)
    const bad = Number(/not to be trusted from event (\d+) on/.exec(out)?.[1])
    const saved = await blockbox(['salvage', copy, join(folder, 'saved.journal')])
    assert.match(saved.out, bad === 1 ? /no event verifies/ : new RegExp(`events 1 to ${bad - 1} in`))
    await said('log', '-j', join(folder, 'saved.journal'))
    assert.equal(seen(copy), before)
  } finally {
    protect(copy, false)
  }
})

test.run()
