/** `blockbox branch` as a shell runs it. */

// limit: 120 s

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { serveControl } from '../../../src/control/control-server.ts'
import { openToWrite } from '../../../src/engine/open-folder.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('blockbox branch')

const home = scratch()
const journal = join(home, 'j')
const size = 2 ** 20

/** A volume whose first block is 1 up to the mark `before`, and 2 after it. */
test.before(async () => {
  const { engine } = await openToWrite(journal, { create: true })
  await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size, block: 4096 } })
  await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  const write = (value: number) =>
    engine.submit({
      kind: 'io.write',
      session: 1,
      volume: 1,
      offset: 0,
      data: new Uint8Array(4096).fill(value),
    })
  await write(1)
  await engine.submit({ kind: 'mark', volume: 1, detail: { label: 'before' } })
  await write(2)
  await engine.close()
})

const digest = async (address: string) => (await json('image', address, '--digest', '-j', journal)).sha256

test('a branch is the volume as it was, and can be branched and deleted like others', async () => {
  const made = await json('branch', 'disk@mark:before', 'old', '-j', journal)
  const { at, ...branch } = made.branch as Record<string, unknown>
  assert.ok(Number(at) > 0)
  assert.equal([made.code, branch], ['ok', { name: 'old', of: 'disk', size, mapped_bytes: 4096, runs: 1 }])
  assert.is(await digest('old'), await digest('disk@mark:before'))
  assert.is.not(await digest('old'), await digest('disk'))
  const { code, out } = await blockbox(['branch', 'old', 'older', '-j', journal])
  assert.is(code, 0)
  assert.match(out, /^branch older: old after event \d+, 1M, 4K of it mapped in 1 runs\n$/)
  assert.is((await json('volume', 'rm', 'older', '-j', journal)).code, 'ok')
  assert.is((await blockbox(['replay', '-j', journal])).code, 0)
})

test('the same key makes one branch', async () => {
  const ask = ['branch', 'disk@mark:before', 'keyed', '-j', journal, '--key', 'k1']
  const [first, second] = [await json(...ask), await json(...ask)]
  assert.equal([first.branch, second.repeats], [second.branch, first.seq])
})

test('what cannot be is refused, and said', async () => {
  const cases = [
    [['disk@mark:none', 'x'], 1, 'no such point'],
    [['disk@seq:2', 'x'], 1, 'did not exist yet'],
    [['disk@seq:999999', 'x'], 1, 'the journal ends with event'],
    [['none@seq:2', 'x'], 1, 'there is no volume "none"'],
    [['disk', 'no/name'], 2, 'is no name'],
    [['disk', 'disk'], 1, 'E_ALREADY'],
    [['disk'], 2, 'missing required argument'],
  ] as const
  for (const [args, expected, said] of cases) {
    const { code, err } = await blockbox(['branch', ...args, '-j', journal])
    assert.match(err, said)
    assert.is(code, expected, `${args.join(' ')}: ${err}`)
  }
})

test('a branch that is given up, by a process that knows no past, is exit code 1 and says why, in words and as JSON', async () => {
  const other = join(home, 'other.journal')
  await json('volume', 'create', 'disk', '--size', '1M', '-j', other)
  const { engine, journal: open, payload } = await openToWrite(other)
  const server = await serveControl(engine, open, payload, { folder: other })
  try {
    const words = await blockbox(['branch', 'disk', 'x', '-j', other])
    assert.equal([words.code, words.out], [1, 'branch x: given up\n'])
    assert.match(words.err, /could not be made, as event \d+ says: E_UNSUPPORTED: /)
    const { code, out } = await blockbox(['branch', 'disk', 'x', '-j', other, '--json'])
    const told = JSON.parse(out)
    assert.equal([code, told.branch, told.failed.code], [1, null, 'E_UNSUPPORTED'])
    assert.ok(told.failed.seq > told.seq && told.failed.advice.length > 0)
  } finally {
    await server.close()
    await engine.close()
  }
})

test('a volume that is gone comes back; a file in the way is no journal', async () => {
  const before = await digest('disk@mark:before')
  await json('volume', 'rm', 'disk', '-j', journal)
  await json('branch', 'disk@mark:before', 'back', '-j', journal)
  assert.is(await digest('back'), before)
  writeFileSync(join(home, 'file'), '')
  assert.is.not((await blockbox(['branch', 'disk', 'x', '-j', join(home, 'file')])).code, 0)
})

test.run()
