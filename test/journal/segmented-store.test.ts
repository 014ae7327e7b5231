/** Payload in segments: who asks gets the piece, a frame that is there has its payload, and damage shows as such. */

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { BlockboxError } from '../../src/core/errors.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { recoverWorld } from '../../src/engine/open-engine.ts'
import { openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { readContent } from '../../src/images/content.ts'
import { key, tables } from '../../src/journal/keys.ts'
import { segmentFolder } from '../../src/journal/segment-folder.ts'
import { segmentedBytes, segmentedStore } from '../../src/journal/segmented-store.ts'
import { Segments } from '../../src/journal/segments.ts'
import { type KvStore, levelStore } from '../../src/journal/store.ts'
import { encodeChunk } from '../../src/payload/chunk.ts'
import { openLevelPayload } from '../../src/payload/level-payload.ts'
import { salvage } from '../../src/replay/salvage.ts'
import { verify } from '../../src/replay/verify.ts'
import { temporaryFolder } from '../support/folder.ts'
import { fails } from '../support/frames.ts'

const test = suite('segments')
const folder = temporaryFolder()
test.after(() => folder.remove())

const block = 4096
const blocks = 64

function contentOf(k: number, length = block): Uint8Array {
  return new Uint8Array(length).map((_, at) => (at * 7 + k * 31 + 1) & 255)
}

const place = (chunk: number) => chunk * 2 ** 20

/** A store in a folder of its own with the pieces of `batches`, and what lies beside it. */
async function stored(
  batches: readonly (readonly Uint8Array[])[],
): Promise<{ store: KvStore; path: string }> {
  const path = folder.fresh()
  await (await openToWrite(path, { create: true })).engine.close()
  rmSync(join(path, 'db'), { recursive: true })
  const store = segmentedStore(levelStore(join(path, 'db')), segmentFolder(join(path, 'payload')))
  await store.open()
  let chunk = 1
  for (const pieces of batches) {
    const batch = store.batch()
    for (const piece of pieces) {
      batch.put(key(tables.payload, chunk), encodeChunk(piece, chunk))
      chunk++
    }
    await batch.write({ sync: true })
  }
  return { store, path }
}

const large = [contentOf(1, segmentedBytes), contentOf(2, 1024)]

test('much payload goes to a segment, little stays in the database, and who asks sees no difference', async () => {
  const { store, path } = await stored([[contentOf(3, 512)], large])
  try {
    const segment = readFileSync(join(path, 'payload', '00000001'))
    assert.ok(segment.equals(Buffer.concat(large.map((piece, k) => encodeChunk(piece, k + 2)))))
    const payload = await openLevelPayload(store)
    for (const [k, piece] of [contentOf(3, 512), ...large].entries()) {
      assert.equal(new Uint8Array(payload.read(place(k + 1), piece.length)), piece)
      const got = (await store.get(key(tables.payload, k + 1)))!
      assert.equal(new Uint8Array(got), encodeChunk(piece, k + 1))
    }
  } finally {
    await store.close()
  }
})

test('each process begins a segment of its own behind whatever lies there, and reads all of them', async () => {
  const { store, path } = await stored([large])
  await store.close()
  appendFileSync(join(path, 'payload', '00000001'), 'what a crash left')
  const next = segmentedStore(levelStore(join(path, 'db')), segmentFolder(join(path, 'payload')))
  await next.open()
  try {
    const batch = next.batch()
    for (const [k, piece] of large.entries()) batch.put(key(tables.payload, 3 + k), encodeChunk(piece, 3 + k))
    await batch.write({ sync: true })
    assert.equal(readdirSync(join(path, 'payload')), ['00000001', '00000002'])
    const payload = await openLevelPayload(next)
    for (const [k, piece] of [...large, ...large].entries()) {
      assert.equal(new Uint8Array(payload.read(place(k + 1), piece.length)), piece)
    }
  } finally {
    await next.close()
  }
})

test('a segment that is cut, damaged or gone, and a damaged reference, are damaged payload', async () => {
  const harms: ((path: string) => void)[] = [
    (path) => truncateSync(path, segmentedBytes - 1),
    (path) => rmSync(path),
    (path) => {
      const bytes = readFileSync(path)
      bytes[segmentedBytes / 2]! ^= 16
      writeFileSync(path, bytes)
    },
  ]
  for (const harm of harms) {
    const { store, path } = await stored([large])
    try {
      harm(join(path, 'payload', '00000001'))
      const payload = await openLevelPayload(store)
      await fails('PAYLOAD_CORRUPT', () => payload.read(place(1), 512))
    } finally {
      await store.close()
    }
  }
  const { store, path } = await stored([large])
  await store.close()
  const plain = levelStore(join(path, 'db'))
  await plain.open()
  try {
    const reference = (await plain.get(key(tables.payload, 1)))!.slice()
    for (let at = 0; at < reference.length; at++) {
      reference[at]! ^= 1
      await plain.put(key(tables.payload, 1), reference, { sync: false })
      reference[at]! ^= 1
      const payload = await openLevelPayload(segmentedStore(plain, segmentFolder(join(path, 'payload'))))
      await fails('PAYLOAD_CORRUPT', () => payload.read(place(1), 512))
    }
  } finally {
    await plain.close()
  }
})

/** A journal with many writes a frame; the volume as it must read. */
async function written(): Promise<{ path: string; engine: Engine; content: Uint8Array }> {
  const path = folder.fresh()
  const { engine } = await openToWrite(path, { create: true })
  await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size: blocks * block, block } })
  await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  const content = new Uint8Array(blocks * block)
  for (let round = 0; round < 3; round++) {
    const answers = Array.from({ length: 40 }, (_, k) => {
      const at = (round * 13 + k) % blocks
      content.set(contentOf(round * 100 + k), at * block)
      const data = contentOf(round * 100 + k)
      return engine.submit({ kind: 'io.write', session: 1, volume: 1, offset: at * block, data })
    })
    for (const { code } of await Promise.all(answers)) assert.is(code, 'ok')
  }
  return { path, engine, content }
}

async function holds(path: string, content: Uint8Array): Promise<void> {
  const { journal, payload } = await openToRead(path)
  try {
    assert.equal((await verify(journal, payload)).findings, [])
    const world = await recoverWorld(journal)
    const read = readContent(world, world.volumes[0]!, payload, 0, content.length)
    assert.ok(Buffer.from(read).equals(content))
  } finally {
    await journal.close()
  }
}

test('a process that is gone left all that was acknowledged; salvage keeps it in a journal of its own', async () => {
  const { path, engine, content } = await written()
  const left = folder.copy(path)
  await engine.close()
  assert.ok(existsSync(join(left, 'payload', '00000001')))
  await holds(left, content)
  const saved = folder.fresh()
  const { fault } = await salvage(left, saved)
  assert.is(fault, undefined)
  rmSync(left, { recursive: true })
  await holds(saved, content)
})

test('damage in a segment is a finding of the event that wrote there, and nobody reads wrong bytes', async () => {
  const { path, engine, content } = await written()
  await engine.close()
  const segment = join(path, 'payload', '00000001')
  const bytes = readFileSync(segment)
  bytes[bytes.length - 100]! ^= 1
  writeFileSync(segment, bytes)
  const { journal, payload } = await openToRead(path)
  try {
    const { findings } = await verify(journal, payload)
    assert.is(findings[0]?.rule, 'PAYLOAD_CORRUPT')
    const world = await recoverWorld(journal)
    const [first, last] = [2 * 13, (2 * 13 + 39) % blocks]
    const read = (at: number) => readContent(world, world.volumes[0]!, payload, at * block, block)
    await fails('PAYLOAD_CORRUPT', () => read(last))
    assert.ok(Buffer.from(read(first)).equals(content.subarray(first * block, (first + 1) * block)))
  } finally {
    await journal.close()
  }
})

test('a place that lies beyond its segment, or in what is no file, has no more bytes than are there', () => {
  const path = folder.fresh()
  mkdirSync(join(path, '00000002'), { recursive: true })
  writeFileSync(join(path, '00000001'), 'payload')
  const segments = new Segments(segmentFolder(path))
  const bytes = (segment: number, offset: number, length: number) =>
    Buffer.from(segments.read({ segment, offset, length })).toString()
  assert.is(bytes(1, 0, 2 ** 32 - 1), 'payload')
  assert.is(bytes(1, 3, 2 ** 32 - 1), 'load')
  for (const offset of [7, 2 ** 40, 2 ** 63]) assert.is(bytes(1, offset, 2 ** 32 - 1), '')
  assert.is(bytes(2, 0, 100), '')
  assert.is(bytes(2 ** 32 - 1, 0, 100), '')
  segments.close()
})

test('a segment that cannot be made fails the write; what was acknowledged stays', async () => {
  const { path, engine, content } = await written()
  await engine.close()
  const { engine: again } = await openToWrite(path)
  await again.submit({ kind: 'session.open', detail: { name: 'host' } })
  renameSync(join(path, 'payload'), join(path, 'aside'))
  writeFileSync(join(path, 'payload'), 'no folder')
  const data = new Uint8Array(2 * segmentedBytes).fill(9)
  const write = again.submit({ kind: 'io.write', session: 2, volume: 1, offset: 0, data })
  assert.is(await write.then(String, ({ code }: BlockboxError) => code), 'JOURNAL_IN_DOUBT')
  await again.close().catch(() => undefined)
  rmSync(join(path, 'payload'))
  renameSync(join(path, 'aside'), join(path, 'payload'))
  await holds(path, content)
})

test.run()
