/**
 * Recorded logs through a journal and out again: the log that comes out replays to the images that were recorded, at
 * every mark; and what layers did to a volume is in its trace as well.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type OpenFolder, openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { imageDigest } from '../../src/images/export.ts'
import { worldAt } from '../../src/replay/at.ts'
import { volumeAt } from '../../src/replay/volume-at.ts'
import { convert } from '../../src/run/conversion.ts'
import { type ExportAsk, exportEvents, exportTally } from '../../src/run/export-run.ts'
import { recordTrace } from '../../src/run/import-run.ts'
import { traceOutput } from '../../src/trace/output-format.ts'
import { branchesMade } from '../support/branching.ts'
import { replayedLog } from './replayed-log.ts'

const test = suite('export-run')

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'blockbox-export-'))
test.after(() => rmSync(folder, { recursive: true }))

/** Digests of the images after so many entries, as the recordings' own description has them. */
const recorded: Readonly<Record<string, { size: number; images: Readonly<Record<number, string>> }>> = {
  ext4life: {
    size: 24 * 2 ** 20,
    images: {
      15: 'b92332f75183856306233c6a7770a191bbac6c7ca19663acb3f9051ce3d99b6e',
      249: 'f79d666fb40b215fabf9c5afb5178c95741b63ed46de27870b75427c5eea3881',
      284: 'b24cfa1cd34c134e9378c30dd35b6b95fb885574cdae5fe93893574f5e9ac7c1',
      314: '60fa2b550430d2e228f399b718608954bfe5d9fd83ee7a2318a4c4f0c544935a',
    },
  },
  sqlite_delete: {
    size: 16 * 2 ** 20,
    images: {
      12: '8424c13b365ce2257c45589f51042b48e7d62998dc068a9d14386c0c3f175d16',
      51: 'fb0cd5be4a0d276ba2d82ed75c66817f079132ae73c5577d4edfc3b75dfc22c1',
      93: '8f21265e1481e69e13ac61d302d4cad7cac27eddd088a80ab85aed3a78fd1277',
      135: '66a52e303085dc72a4fea16b126975558aae91b73bb7364e4a9ac9adfd5d919b',
      1301: 'f9c4af632fa664a0b1ee224c0f3292aec85ee7349c6bbe900c687617a7bc636f',
    },
  },
  'bkrest1.vol': {
    size: 16 * 2 ** 20,
    images: {
      859: '91204b1c46b1cdcf164ca425878644e31467e200ee22bf810e802fb8f2bbe9d5',
      2824: '91204b1c46b1cdcf164ca425878644e31467e200ee22bf810e802fb8f2bbe9d5',
      3150: 'd2d00a7e6092a277efdedaea951d6e1fa9167401ad83acafd283f1977a49e7de',
    },
  },
}

const logOf = (name: string) => gunzipSync(readFileSync(join(root, 'traces', `${name}.dmlog.gz`)))

async function recordedInto(path: string, name: string): Promise<void> {
  const { engine } = await openToWrite(path, { create: true, ack: 'buffered' })
  const { size } = recorded[name]!
  await recordTrace(engine, { path: join(root, 'traces', `${name}.dmlog.gz`), volume: 'v', size })
  await engine.close()
}

async function exported(open: OpenFolder, ask: ExportAsk, format = 'dm-log-writes') {
  const pieces: Uint8Array[] = []
  const tally = exportTally()
  const result = await convert(
    exportEvents(open, ask, tally),
    { output: traceOutput(format) },
    async (bytes) => {
      pieces.push(Uint8Array.from(bytes))
    },
  )
  const all = Buffer.concat(pieces)
  if (result.head !== undefined) all.set(result.head)
  return { all, tally, account: result.account }
}

for (const name of Object.keys(recorded)) {
  test(`${name}: what comes out of the journal is the log that went in, byte for byte`, async () => {
    const path = join(folder, name)
    await recordedInto(path, name)
    const open = await openToRead(path)
    try {
      const { all, account, tally } = await exported(open, { volume: 1 })
      assert.ok(all.equals(logOf(name)))
      assert.equal(account.left_out, {})
      assert.equal(account.made, {})
      assert.equal(tally, { without_effect: {}, internal: 0, partial: 0, onto: false })
      const { size, images } = recorded[name]!
      const replayed = replayedLog(all, size)
      for (const [count, digest] of Object.entries(images))
        assert.is(replayed.imageAfter(Number(count)), digest)
      const { volume } = await volumeAt(open.journal, 'v', { by: 'last' })
      assert.is(replayed.imageAfter(replayed.entries), imageDigest(volume, open.payload))
    } finally {
      await open.journal.close()
    }
  })
}

test('a part of a journal continues the image before it', async () => {
  const open = await openToRead(join(folder, 'ext4life'))
  try {
    const { last } = open.journal.bounds()
    const first = await exported(open, { volume: 1, to: 100 })
    const second = await exported(open, { volume: 1, from: 101 })
    const whole = await exported(open, { volume: 1 })
    assert.is(first.tally.onto, false)
    assert.is(second.tally.onto, true)
    assert.is(first.account.events + second.account.events, whole.account.events)
    assert.ok(
      whole.all.subarray(512).equals(Buffer.concat([first.all.subarray(512), second.all.subarray(512)])),
    )
    assert.is(first.account.events < last, true)
  } finally {
    await open.journal.close()
  }
})

const bytes = (fill: number, length = 4096) => new Uint8Array(length).fill(fill)

test('copies of a pair and writes that waited are in the trace, in the order in which they took effect', async () => {
  const path = join(folder, 'pair')
  const { engine } = await openToWrite(path, { create: true })
  const ask = async (what: Parameters<typeof engine.submit>[0]) => {
    const answer = await engine.submit(what)
    assert.is(answer.code, 'ok', JSON.stringify(what))
    return answer
  }
  const make = (name: string) => ask({ kind: 'volume.create', detail: { name, size: 65536, block: 4096 } })
  const { made: source } = await make('source')
  const { made: clone } = await make('clone')
  const { made: session } = await ask({ kind: 'session.open', detail: { name: 'host' } })
  let request = 0
  const write = (volume: number, block: number, fill: number) =>
    engine.submit({
      kind: 'io.write',
      session,
      volume,
      request: ++request,
      offset: block * 4096,
      data: bytes(fill),
    })
  await write(source, 1, 0x11)
  await ask({ kind: 'pair.create', detail: { name: 'p', source, clone, extent: 16384 } })
  await ask({ kind: 'pair.sync', detail: { name: 'p' } })
  for (let k = 0; k < 200; k++) await engine.settled()
  await write(source, 2, 0x22)
  await ask({ kind: 'pair.fracture', detail: { name: 'p' } })
  await write(source, 5, 0x33)
  await ask({ kind: 'restore.start', detail: { pair: 'p', protected: true } })
  await write(source, 9, 0x44)
  for (let k = 0; k < 200; k++) await engine.settled()
  await engine.submit({
    kind: 'io.write',
    session,
    volume: source,
    request: 98,
    offset: 5001,
    data: bytes(7),
  })
  await engine.submit({
    kind: 'io.write',
    session,
    volume: source,
    request: 99,
    offset: 65_535,
    data: bytes(1),
  })
  await engine.settled()
  await engine.close()
  const open = await openToRead(path)
  try {
    for (const [volume, name] of [
      [source, 'source'],
      [clone, 'clone'],
    ] as const) {
      const { all, tally } = await exported(open, { volume })
      const replayed = replayedLog(all, 65536)
      const { volume: end } = await volumeAt(open.journal, name, { by: 'last' })
      const image = Buffer.alloc(65536)
      assert.ok(tally.internal > 0, name)
      assert.is(
        replayed.imageAfter(replayed.entries),
        imageDigest({ ...end, size: image.length }, open.payload),
        name,
      )
      if (name === 'source') assert.equal(tally.without_effect, { refused: 1 })
    }
  } finally {
    await open.journal.close()
  }
})

test('formats without payload keep every request and its time', async () => {
  const path = join(folder, 'fio')
  const { engine } = await openToWrite(path, { create: true, ack: 'buffered' })
  const trace = join(root, 'traces', 'fio_randrw.v3.iolog')
  await recordTrace(engine, { path: trace, volume: 'v' })
  await engine.close()
  const actions = (text: string) =>
    text
      .split('\n')
      .filter((line) => / (?:read|write|trim|sync|datasync) /.test(line))
      .map((line) => line.replace(/^\d+ \S+ /, '').replace(/^(?:data)?sync .*/, 'sync'))
  const open = await openToRead(path)
  try {
    const { all, account } = await exported(open, { volume: 1 }, 'fio-iolog')
    assert.equal(actions(all.toString()), actions(readFileSync(trace, 'utf8')))
    assert.equal(account.left_out, {})
    assert.is(account.lost.payload, 1423)
  } finally {
    await open.journal.close()
  }
})

test('what was cut off a volume does not come back when it grows again', async () => {
  const path = join(folder, 'resized')
  const { engine } = await openToWrite(path, { create: true })
  const ask = async (what: Parameters<typeof engine.submit>[0]) =>
    assert.is((await engine.submit(what)).code, 'ok')
  await ask({ kind: 'volume.create', detail: { name: 'v', size: 65536, block: 4096 } })
  await ask({ kind: 'session.open', detail: { name: 'host' } })
  for (const block of [1, 12]) {
    const place = { session: 1, volume: 1, request: block, offset: block * 4096 }
    await ask({ kind: 'io.write', ...place, data: bytes(block) })
  }
  for (const size of [32768, 65536]) await ask({ kind: 'volume.resize', volume: 1, detail: { size } })
  await engine.close()
  const open = await openToRead(path)
  try {
    const { all, tally } = await exported(open, { volume: 1 })
    const { volume } = await volumeAt(open.journal, 'v', { by: 'last' })
    const replayed = replayedLog(all, 65536)
    assert.is(replayed.imageAfter(replayed.entries), imageDigest(volume, open.payload))
    assert.is(tally.internal, 1)
  } finally {
    await open.journal.close()
  }
})

test('a view is refused: what it shows did not all reach it', async () => {
  const path = join(folder, 'view')
  const { engine } = await openToWrite(path, { create: true })
  await engine.submit({ kind: 'volume.create', detail: { name: 'v', size: 65536, block: 4096 } })
  const { made, code } = await engine.submit({ kind: 'preserve.create', detail: { name: 'w', base: 1 } })
  assert.is(code, 'ok')
  await engine.close()
  const open = await openToRead(path)
  try {
    await exported(open, { volume: made })
    assert.unreachable('a view was exported')
  } catch (error) {
    assert.match((error as Error).message, 'w is a view of another volume')
  } finally {
    await open.journal.close()
  }
})

test('a branch is refused for what it began with, and exported from there on', async () => {
  const path = join(folder, 'branch')
  const { engine } = await openToWrite(path, { create: true, worldAt })
  await engine.submit({ kind: 'volume.create', detail: { name: 'v', size: 65536, block: 4096 } })
  await engine.submit({ kind: 'session.open', detail: { name: 'h' } })
  const write = (volume: number, offset: number) =>
    engine.submit({ kind: 'io.write', session: 1, volume, offset, data: new Uint8Array(4096).fill(7) })
  const { seq } = await write(1, 0)
  const detail = { name: 'b', from: 1, seq, size: 65536 }
  const { made } = await engine.submit({ kind: 'volume.branch', detail })
  await branchesMade(engine)
  const from = engine.world.seq + 1
  await write(made, 8192)
  await engine.close()
  const open = await openToRead(path)
  try {
    assert.is((await exported(open, { volume: made, from })).tally.onto, true)
    await exported(open, { volume: made })
    assert.unreachable('a branch was exported without what it began with')
  } catch (error) {
    assert.match((error as Error).message, `--from seq:${from}`)
  } finally {
    await open.journal.close()
  }
})

test.run()
