/**
 * A database made by somebody hostile: every checksum is right, and what stands under them lies. What reads it ends in
 * time, with a bounded memory and an error of its own kind, and believes nothing that contradicts itself.
 */

// limit: 120 s

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Packr } from 'msgpackr'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { Prng } from '../../src/core/prng.ts'
import { openToRead } from '../../src/engine/open-folder.ts'
import { fileStore } from '../../src/journal/file-store.ts'
import { logEntries } from '../../src/journal/level-log.ts'
import { tablesInUse } from '../../src/journal/level-manifest.ts'
import { outlineFault, tableEntries, tableFault } from '../../src/journal/level-table.ts'
import { scrub } from '../../src/journal/scrub.ts'
import { worldOf } from '../../src/journal/state.ts'
import { salvage } from '../../src/replay/salvage.ts'
import { verify } from '../../src/replay/verify.ts'
import { temporaryFolder } from '../support/folder.ts'
import { hostileTexts, isUnpolluted } from '../support/hostile.ts'
import { block, entry, record, sum, table } from '../support/level-table.ts'
import { biggest, fill } from '../support/leveldb.ts'

const test = suite('hostile databases')
const folder = temporaryFolder()
test.after(() => folder.remove())

function written(bytes: Uint8Array, name = '000005.ldb'): string {
  const path = folder.fresh('db')
  mkdirSync(path)
  writeFileSync(join(path, name), bytes)
  return path
}

const tail = Buffer.from([1, 5, 0, 0, 0, 0, 0, 0])
const frameKey = (k: number) => Buffer.concat([Buffer.from([0x66, 0, 0, 0, 0, 0, 0, 0, k]), tail])
const data = block([
  entry(0, frameKey(1), Buffer.from('one')),
  entry(8, frameKey(2).subarray(8), Buffer.from('two')),
])
const whole = { offset: 0, length: data.length - 5 }

function within(ms: number, act: () => void): void {
  const begun = performance.now()
  act()
  assert.ok(performance.now() - begun < ms, `it took ${performance.now() - begun} ms`)
}

function keysIn(path: string): string[] {
  const keys: string[] = []
  tableEntries(path, ({ key }) => void keys.push(Buffer.from(key).toString('hex')))
  return keys
}

test('an honest table made by hand is read, and is sound', () => {
  const path = join(written(table(data, [whole])), '000005.ldb')
  assert.is(tableFault(path), undefined)
  assert.is(outlineFault(path), undefined)
  assert.equal(keysIn(path), ['660000000000000001', '660000000000000002'])
})

test('an index whose blocks overlap, repeat, or lie elsewhere is a fault, and its blocks are not read over and over', () => {
  const far = { offset: 2 ** 40, length: 5 }
  const huge = { offset: 0, length: 2 ** 62 }
  const big = block([entry(0, frameKey(1), Buffer.alloc(2 ** 21))])
  const many = Array.from({ length: 20_000 }, () => ({ offset: 0, length: big.length - 5 }))
  for (const [bytes, index, filters] of [
    [data, [whole, whole], []],
    [data, [whole, { offset: 3, length: 9 }], []],
    [data, [far], []],
    [data, [huge], []],
    [data, [whole], [whole]],
    [data, [{ ...whole, length: whole.length + 200 }], []],
    [big, many, []],
    [big, [many[0]!], many],
  ] as const) {
    const path = join(written(table(bytes, index, filters)), '000005.ldb')
    within(20_000, () => {
      assert.ok(outlineFault(path) !== undefined)
      assert.ok(tableFault(path) !== undefined)
      assert.ok(keysIn(path).length <= 2 * many.length)
    })
  }
})

test('keys that grow with every entry end the block', () => {
  const long = Buffer.alloc(1000, 7)
  const grows = [
    entry(0, long, long),
    ...Array.from({ length: 50_000 }, (_, k) => entry(1000 + k, tail, tail)),
  ]
  const bytes = block(grows)
  const path = join(written(table(bytes, [{ offset: 0, length: bytes.length - 5 }])), '000005.ldb')
  within(10_000, () => assert.ok(keysIn(path).length < 30))
})

test('a footer of hostile numbers', () => {
  const honest = table(data, [whole])
  for (const bytes of [
    Buffer.alloc(40, 0xff),
    Buffer.alloc(40, 0x80),
    Buffer.alloc(40, 0),
    Buffer.alloc(40, 0x7f),
  ]) {
    const copy = Buffer.from(honest)
    bytes.copy(copy, copy.length - 48)
    const path = join(written(copy), '000005.ldb')
    assert.ok(tableFault(path) !== undefined && outlineFault(path) !== undefined)
    const found = keysIn(path).slice(0, 2)
    assert.equal(found, ['660000000000000001', '660000000000000002'], 'the data is found without it')
  }
})

test('batches and edits of any bytes, their checksums right', () => {
  const random = new Prng(21)
  for (let k = 0; k < 400; k++) {
    const body = Uint8Array.from({ length: random.below(80) }, () =>
      random.below(random.below(2) === 0 ? 256 : 12),
    )
    const log = written(record(body), '000007.log')
    for (const { key, value } of logEntries(join(log, '000007.log'))) {
      assert.ok(key.length + (value?.length ?? 0) <= body.length)
    }
    const manifest = written(record(body), 'MANIFEST-000004')
    writeFileSync(join(manifest, 'CURRENT'), 'MANIFEST-000004\n')
    const tables = tablesInUse(manifest)
    assert.ok(tables === undefined || tables.size <= 80)
    isUnpolluted('manifest')
  }
})

test('CURRENT of any text names no file elsewhere', () => {
  const path = written(table(data, [whole]))
  for (const text of [
    ...hostileTexts,
    'MANIFEST-1\n../x',
    '../MANIFEST-000004\n',
    `MANIFEST-${'9'.repeat(5000)}\n`,
  ]) {
    writeFileSync(join(path, 'CURRENT'), text)
    assert.is(tablesInUse(path), undefined, JSON.stringify(text).slice(0, 60))
  }
})

test('a journal whose table was changed anywhere and sealed again: verified, salvaged, or refused', async () => {
  const path = folder.fresh()
  const { engine } = await fill(path, 12)
  await engine.close()
  await (await openToRead(path)).journal.close()
  const random = new Prng(22)
  for (let k = 0; k < 60; k++) {
    const copy = folder.copy(path)
    const file = biggest(copy, 'table')
    const bytes = readFileSync(file)
    for (let n = random.below(4); n >= 0; n--) bytes[random.below(bytes.length)] = random.below(256)
    const at = random.below(bytes.length - 60)
    sum(bytes.subarray(0, at)).copy(bytes, at)
    writeFileSync(file, bytes)
    try {
      const { journal, payload } = await openToRead(copy, { onFound: scrub })
      await verify(journal, payload)
      await journal.close()
    } catch (error) {
      assert.instance(error, BlockboxError, String((error as Error).stack))
    }
    await salvage(copy, folder.fresh()).catch((error: unknown) => {
      assert.instance(error, BlockboxError, String((error as Error).stack))
    })
    isUnpolluted(`table ${k}`)
  }
})

test('checkpoints of anything: passed over, and nothing comes of it', () => {
  const packr = new Packr({ useRecords: false })
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])
  const plains: unknown[] = [
    ...[null, 1, [], {}, 'x', { epoch: 1 }, { sessions: 7 }, deep(500)],
    { sessions: [['__proto__', 'x']], volumes: [{ block: 0 }], layers: [['__proto__', { polluted: true }]] },
    {
      sessions: [],
      volumes: [{ block: 4096, size: 2 ** 53, name: '__proto__' }],
      layers: [['constructor', {}]],
    },
    JSON.parse('{"__proto__":{"polluted":true},"sessions":[],"volumes":[],"layers":[]}'),
  ]
  const parts = plains.map((plain) => new Uint8Array(packr.pack(plain)))
  const random = new Prng(23)
  for (let k = 0; k < 300; k++)
    parts.push(Uint8Array.from({ length: random.below(60) }, () => random.below(256)))
  for (const part of parts) {
    const pages = new Uint8Array(16 + 4096 * 8).fill(0xff)
    const checkpoint = {
      seq: 3,
      stateLow: 1,
      stateHigh: 2,
      frameHash: new Uint8Array(32),
      parts: [part, pages],
    }
    assert.is(worldOf(checkpoint), undefined)
    assert.is(worldOf({ ...checkpoint, parts: [part] }), undefined)
    assert.is(worldOf({ ...checkpoint, parts: [] }), undefined)
  }
  isUnpolluted('checkpoints')
})

test('pipes and folders in the place of files are not waited for', async () => {
  const path = folder.fresh()
  const { engine } = await fill(path, 3)
  await engine.close()
  for (const name of ['000099.ldb', '000099.log', 'MANIFEST-000099']) {
    const copy = folder.copy(path)
    const made = spawnSync('mkfifo', [join(copy, 'db', name)])
    if (made.status !== 0) mkdirSync(join(copy, 'db', name))
    const asked: [string, () => Promise<unknown>][] = [
      ['scrubbed', () => openToRead(copy, { onFound: scrub })],
      ['salvaged', () => salvage(copy, folder.fresh())],
    ]
    for (const [what, ask] of asked) {
      const error = await ask().then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      if (error === undefined) continue
      assert.instance(error, BlockboxError, `${what}: ${(error as Error).stack}`)
      assert.match((error as BlockboxError).message, 'is no plain file')
    }
  }
})

test('a folder of files that are none', async () => {
  const path = folder.fresh('db')
  mkdirSync(path)
  for (const name of [
    '000001.ldb',
    '000002.log',
    'MANIFEST-000003',
    '000004.sst',
    '__proto__',
    '999999999999999999999.ldb',
  ])
    writeFileSync(join(path, name), name.repeat(50))
  writeFileSync(join(path, 'CURRENT'), 'MANIFEST-000003\n')
  const store = await fileStore(path, () => true)
  assert.equal(await store.keys({}).nextv(10), [])
  assert.ok((await scrub(path)).length > 0)
})

test.run()
