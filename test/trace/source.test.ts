/** Traces from files and pipes: compression, recognition, broken files, early leaving, and file digests. */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { fileDigest, readTrace, type TraceRequest } from '../../src/trace/source.ts'
import { encodeLog, type RawEntry } from './dm-log-encode.ts'

const test = suite('source')

const folder = mkdtempSync(join(tmpdir(), 'blockbox-source-'))
test.after(() => rmSync(folder, { recursive: true }))

const noise = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, k) => (Math.imul(k ^ seed, 2654435761) >>> 13) & 255)
const entries: RawEntry[] = Array.from({ length: 40 }, (_, k) => ({
  sector: k * 100,
  sectors: 100,
  flags: 0,
  data: noise(51200, k),
}))
const log = encodeLog(entries)

function file(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

/** Reads it all; each event as its place, its data as a digest. */
async function read(path: string, request: TraceRequest = {}) {
  const events: string[] = []
  let format = ''
  let remark: string | undefined
  for await (const batch of readTrace(path, request)) {
    format = batch.format
    remark = batch.remark
    for (const event of batch.events) {
      const sum = event.data === undefined ? '' : createHash('sha256').update(event.data).digest('hex')
      events.push(`${event.op} ${event.offset} ${event.length} ${sum}`)
    }
  }
  return { events, format, remark }
}

async function refusal(path: string, request: TraceRequest = {}): Promise<BlockboxError> {
  try {
    await read(path, request)
  } catch (error) {
    assert.instance(error, BlockboxError)
    return error as BlockboxError
  }
  return assert.unreachable('the trace was taken') as never
}

/** Open descriptors of this process that lead to `path`. */
function descriptors(path: string): number {
  if (!existsSync('/proc/self/fd')) return 0
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  }).length
}

test('plain and compressed files give the same events, whatever the name', async () => {
  const plain = await read(file('plain.gz', log))
  assert.is(plain.events.length, 40)
  assert.is(plain.format, 'dm-log-writes')
  const data = createHash('sha256').update(entries[7]!.data!).digest('hex')
  assert.is(plain.events[7], `write ${700 * 512} 51200 ${data}`)
  assert.equal(await read(file('packed', gzipSync(log))), plain)
})

test('several gzip members in a row are one trace', async () => {
  const cut = 70_000
  const path = file('members', Buffer.concat([gzipSync(log.subarray(0, cut)), gzipSync(log.subarray(cut))]))
  assert.is((await read(path)).events.length, 40)
})

test('the format is known by content, or must be named', async () => {
  assert.is((await read(file('a.log', 'fio version 2 iolog\nv read 0 1\n'))).format, 'fio-iolog')
  const dumb = file('dumb.csv', '1,2,3\n')
  const unnamed = await refusal(dumb)
  assert.is(unnamed.code, 'USAGE')
  assert.match(unnamed.message, 'dm-log-writes, nbd-pcap')
  assert.match((await refusal(file('empty', ''))).message, 'is empty')
  assert.is((await refusal(dumb, { format: 'nonsense' })).code, 'USAGE')
  const wrong = await refusal(dumb, { format: 'dm-log-writes' })
  assert.is(wrong.code, 'TRACE_FORMAT')
  assert.match(wrong.message, 'dumb.csv: byte 6')
  assert.match((await refusal(dumb, { format: 'fio-iolog' })).message, 'dumb.csv: line 1')
})

test('a file that is not there, or is a folder, is named', async () => {
  const missing = await refusal(join(folder, 'missing'))
  assert.is(missing.code, 'USAGE')
  assert.match(missing.message, 'missing: there is no such file')
  assert.match((await refusal(folder)).message, 'it is a directory')
})

test('compressed data that is cut short or damaged is refused with a byte', async () => {
  const packed = gzipSync(log)
  for (const length of [2, 9, 11, 1000, packed.length >> 1, packed.length - 1]) {
    const error = await refusal(file('cut', packed.subarray(0, length)))
    assert.is(error.code, 'TRACE_FORMAT')
    assert.match(error.message, `ends too early at or before byte ${length}`)
  }
  for (const at of [2, 5000, packed.length >> 1, packed.length - 6]) {
    const broken = Buffer.from(packed)
    broken[at]! ^= 0xff
    const error = await refusal(file('broken', broken))
    assert.is(error.code, 'TRACE_FORMAT')
    assert.match(error.message, /byte \d+/)
  }
})

test('options reach the parser and its remark comes back', async () => {
  const path = file('crashed', encodeLog(entries, 512, 10))
  const counted = await read(path)
  assert.is(counted.events.length, 10)
  assert.match(counted.remark ?? '', '--salvage')
  assert.is((await read(path, { options: { salvage: true } })).events.length, 40)
})

test('a trace without events is one empty batch', async () => {
  const found = []
  for await (const batch of readTrace(file('none', encodeLog([])))) found.push(batch)
  assert.equal(found, [{ format: 'dm-log-writes', events: [] }])
})

test('leaving early, failing and aborting close the file', async () => {
  for (const path of [file('early', log), file('early.gz', gzipSync(log))]) {
    for await (const batch of readTrace(path)) {
      assert.ok(batch.events.length > 0)
      break
    }
    assert.is(descriptors(path), 0)
    await refusal(path, { format: 'fio-iolog' })
    assert.is(descriptors(path), 0)
    const stop = new AbortController()
    const reason = new Error('enough')
    let caught: unknown
    try {
      for await (const _ of readTrace(path, { signal: stop.signal })) stop.abort(reason)
    } catch (error) {
      caught = error
    }
    assert.is(caught, reason)
    assert.is(descriptors(path), 0)
  }
})

test('the digest is that of the file as it is stored', async () => {
  const packed = gzipSync(log)
  const sha256 = createHash('sha256').update(packed).digest('hex')
  assert.equal(await fileDigest(file('stored', packed)), { bytes: packed.length, sha256 })
  let caught: unknown
  await fileDigest(join(folder, 'missing')).catch((error: unknown) => {
    caught = error
  })
  assert.instance(caught, BlockboxError)
})

test('standard input is read as a file is, in crumbs too', async () => {
  const source = new URL('../../src/trace/source.js', import.meta.url).href
  const program = `import { readTrace } from ${JSON.stringify(source)}
    let n = 0
    for await (const { events } of readTrace('-')) n += events.length
    console.log(n)`
  for (const bytes of [readFileSync(file('in', log)), gzipSync(log)]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (text) => {
      said += text
    })
    child.stdin.write(bytes.subarray(0, 1))
    await new Promise((resolve) => setTimeout(resolve, 50))
    child.stdin.end(bytes.subarray(1))
    const code = await new Promise((resolve) => child.on('close', resolve))
    assert.equal([code, said.trim()], [0, '40'])
  }
})

test.run()
