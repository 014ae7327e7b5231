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
import { traceFormats } from '../../src/trace/format.ts'
import { detectFormat, fileDigest, readTrace, type TraceRequest } from '../../src/trace/source.ts'
import { encodeRecords, kinds, steps } from './block-encode.ts'
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
async function read(path: string | string[], request: TraceRequest = {}) {
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

async function refusal(path: string | string[], request: TraceRequest = {}): Promise<BlockboxError> {
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

test('other compressions are refused by name, with what to do', async () => {
  const magics: [string, number[]][] = [
    ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
    ['bzip2', [0x42, 0x5a, 0x68, 0x39]],
  ]
  for (const [name, magic] of magics) {
    const error = await refusal(file(`packed.${name}`, Uint8Array.from([...magic, 1, 2, 3])), {
      format: 'msr',
    })
    assert.is(error.code, 'USAGE')
    assert.match(error.message, `packed.${name} is compressed with ${name}; uncompress it first`)
  }
})

const record = (time: number, sector: number) => ({
  time: BigInt(time),
  sector: BigInt(sector),
  bytes: 512,
  action: steps.queue | kinds.read,
})

test('a trace of several files is read as one, each packed or not and in its own byte order', async () => {
  const one = file('sda.blktrace.0', encodeRecords([record(10, 1), record(30, 3)]))
  const two = file('sda.blktrace.1', gzipSync(encodeRecords([record(5, 0), record(20, 2)], true)))
  const empty = file('sda.blktrace.2', '')
  const { events, format } = await read([one, two, empty])
  assert.is(format, 'blktrace')
  assert.equal(events, ['read 0 512 ', 'read 512 512 ', 'read 1024 512 ', 'read 1536 512 '])
})

test('a fault in one of several files names it; formats of one file take no more', async () => {
  const good = file('good.0', encodeRecords([record(10, 1)]))
  const torn = file('torn.1', encodeRecords([record(10, 1)]).subarray(0, 40))
  assert.match((await refusal([torn, good])).message, 'torn.1: byte 40: the file ends inside a record')
  assert.match((await refusal([good, torn])).message, 'torn.1: byte 40: the file ends inside a record')
  assert.match((await refusal([good, file('other', 'x'.repeat(99))])).message, 'other: byte 0')
  const two = await refusal([file('a.log', log), file('b.log', log)])
  assert.is(two.code, 'USAGE')
  assert.match(two.message, 'a trace of the format dm-log-writes is one file, not 2')
  assert.is((await refusal([])).code, 'USAGE')
})

test('events that wait for the end come in batches', async () => {
  const path = file(
    'many.blktrace',
    encodeRecords(Array.from({ length: 10_000 }, (_, k) => record(10_000 - k, k))),
  )
  const sizes: number[] = []
  let last = 10_000
  for await (const { events } of readTrace(path)) {
    sizes.push(events.length)
    for (const { offset } of events) assert.is(offset! / 512, --last)
  }
  assert.is(last, 0)
  assert.ok(sizes.every((size) => size <= 4096))
  const stop = new AbortController()
  const reading = readTrace(path, { signal: stop.signal })
  await reading.next()
  stop.abort(new Error('stopped'))
  const outcome = await reading.next().then(
    () => 'read on',
    (error: unknown) => (error as Error).message,
  )
  assert.is(outcome, 'stopped')
})

test('the format of a file is told without reading it as one', async () => {
  assert.is(await detectFormat(file('packed.log', gzipSync(log))), 'dm-log-writes')
  assert.is(await detectFormat(file('table.csv', '1538323199,105352008,584,1,1576\n')), 'tencent')
  for (const [name, content, words] of [
    ['decimal.ascii', '0.5 0 303567 7 0\n', /could be those of disksim: name the right one with --format/],
    ['nothing', '', /no event; the file is empty/],
  ] as const) {
    try {
      await detectFormat(file(name, content))
    } catch (error) {
      assert.match((error as Error).message, words)
      continue
    }
    assert.unreachable(name)
  }
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

test('a file of no bytes is refused whatever the format, but not beside others', async () => {
  for (const { name: format } of traceFormats) {
    for (const bytes of ['', gzipSync('')]) {
      const { message } = await refusal(file(`nothing-${format}`, bytes), { format })
      assert.match(message, /no event; the file is empty/)
    }
  }
  const idle = file('idle.blktrace.0', '')
  const busy = file('idle.blktrace.1', encodeRecords([record(10, 1)]))
  assert.is((await read([idle, busy])).events.length, 1)
  assert.match((await refusal([idle, idle])).message, 'all files are empty')
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
