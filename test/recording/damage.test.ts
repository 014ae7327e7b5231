/**
 * Recordings that are not what was written: every bit of the lines and of the records, cuts at every place, lines that
 * are missing, doubled or exchanged, fields of another version. Each is told with its line or byte, none is believed.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { Prng } from '../../src/core/prng.ts'
import type { RecordingItem } from '../../src/recording/item.ts'
import { readRecording } from '../../src/recording/recording-file.ts'
import { fails } from '../support/frames.ts'
import { busyRun, exported, forms, journalFrom, linesOf, opened, textBytes } from '../support/recordings.ts'
import { startRun } from '../support/run.ts'

const test = suite('recording damage')

/** A few entries of every sort, a write with payload among them. */
async function small() {
  const run = await startRun()
  await run.must('volume.create', { name: 'disk', size: 8192, block: 512 })
  await run.must('session.open', { name: 'host' })
  await run.ask({
    kind: 'io.write',
    session: 1,
    volume: 1,
    request: 1,
    offset: 512,
    data: new Uint8Array(512).fill(7),
  })
  await run.must('backup.start', { name: 'b', volumes: [1], deadlineMs: 0, maxEntries: 0, maxBytes: 0 })
  await run.must('backup.stop', { name: 'b' })
  return run.opened
}

/** Reads everything; the error that comes, or the items. */
async function read(bytes: Uint8Array, size?: number): Promise<BlockboxError | RecordingItem[]> {
  const items: RecordingItem[] = []
  try {
    const { items: coming } = await opened(bytes, size)
    for await (const item of coming) items.push(item)
    return items
  } catch (error) {
    if (!(error instanceof BlockboxError)) throw error
    return error
  }
}

const codes = [
  'TRACE_FORMAT',
  'JOURNAL_CORRUPT',
  'JOURNAL_GAP',
  'JOURNAL_VERSION',
  'PAYLOAD_CORRUPT',
  'USAGE',
]

test('a flipped bit anywhere behind the header is told, with its line or byte', async () => {
  const source = await small()
  for (const form of forms) {
    const bytes = await exported(source, form)
    const behind =
      form === 'lines'
        ? bytes.indexOf(10) + 1
        : 16 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true)
    for (let at = behind; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at]! ^= 1 << (at % 8)
      const said = await read(changed)
      const where = `${form}: bit ${at % 8} of byte ${at} of ${bytes.length}`
      if (!(said instanceof BlockboxError)) assert.unreachable(`${where} goes unnoticed`)
      else {
        assert.ok(codes.includes(said.code), `${where}: ${said.code}`)
        assert.match(said.message, form === 'lines' ? /\bline \d+/ : /\bbyte \d+/, where)
        assert.ok((said.seq ?? 0) >= 1, `${where} names no event: ${said.message}`)
      }
    }
  }
})

test('a recording that was cut anywhere is told', async () => {
  const source = await small()
  for (const form of forms) {
    const bytes = await exported(source, form)
    const last = form === 'lines' ? bytes.length - 1 : bytes.length
    for (let length = 1; length < last; length += form === 'lines' ? 1 : 3) {
      const said = await read(bytes.subarray(0, length))
      if (!(said instanceof BlockboxError))
        assert.unreachable(`${form}: the first ${length} bytes are taken for all`)
      else assert.ok(codes.includes(said.code), said.message)
    }
  }
})

test('whatever the pieces, the same is read', async () => {
  const run = await busyRun([5, 99, 1234], false)
  for (const form of forms) {
    const bytes = await exported(run.opened, form)
    const seen = new Set<string>()
    for (const size of [1 + (bytes.length % 7), 13, 4096, bytes.length]) {
      const items = await read(bytes, size)
      if (items instanceof BlockboxError) throw items
      seen.add(items.map((item) => (item.is === 'frame' ? item.frame.last : item.is)).join())
    }
    assert.is(seen.size, 1)
  }
})

test('lines that are missing, doubled or exchanged are told', async () => {
  const lines = linesOf(await exported(await small(), 'lines'))
  for (let k = 1; k < lines.length; k++) {
    const without = [...lines.slice(0, k), ...lines.slice(k + 1)]
    const doubled = [...lines.slice(0, k), lines[k]!, ...lines.slice(k)]
    const exchanged = [...lines.slice(0, k), lines[k + 1] ?? '', lines[k]!, ...lines.slice(k + 2)]
    for (const [name, changed] of Object.entries({ without, doubled, exchanged })) {
      const said = await read(textBytes(changed))
      assert.ok(said instanceof BlockboxError, `${name}: line ${k + 1}`)
    }
  }
})

test('a newer version is refused, and told what to do; so is an older one that never was', async () => {
  for (const form of forms) {
    const bytes = await exported(await small(), form)
    if (form === 'lines') {
      const text = new TextDecoder().decode(bytes)
      const newer = new TextEncoder().encode(text.replace('"version":1', '"version":2'))
      const error = await fails('TRACE_FORMAT', () => opened(newer))
      assert.match(error.message, /format version 2.*up to 1.*use a newer blockbox/)
      await fails('TRACE_FORMAT', () =>
        opened(new TextEncoder().encode(text.replace('"version":1', '"version":0'))),
      )
    }
  }
})

test('fields and values that this version does not know are refused by name', async () => {
  const lines = linesOf(await exported(await small(), 'lines'))
  const k = lines.findIndex((line) => line.includes('"volume.create"'))
  const cases: readonly [RegExp | string, string, RegExp][] = [
    ['"seq":', '"speed":1,"seq":', /no field "speed"/],
    ['"name":"disk"', '"name":"disk","shape":"round"', /no field "shape"/],
    ['"kind":"volume.create"', '"kind":"volume.paint"', /no kind of event "volume\.paint"/],
    ['"seq":', '"volume":70000,"seq":', /volume is no whole number from 0 to 65535/],
    ['"seq":', '"fate":"lucky","seq":', /fate is "lucky"/],
    ['"seq":', '"code":"E_NEW","seq":', /code is "E_NEW"/],
    ['"seq":', '"flags":["fast"],"seq":', /no flag "fast"/],
    ['"seq":', '"digest":"xyz","seq":', /digest has not 16/],
    ['"size":8192', '"size":-1', /size that is no count/],
    ['"size":8192', '"size":9007199254740993.5', /size that is no count/],
    ['"seq":', '"__proto__":{"polluted":true},"seq":', /no field "__proto__"/],
    ['"detail":{', '"detail":{"__proto__":{"polluted":true},', /no field "__proto__"/],
    ['"detail":{', '"detail":{"constructor":"x",', /no field "constructor"/],
    ['"outcomes":[', '"outcomes":[7,', /no JSON object/],
    ['"outcomes":[', '"outcomes":[{},', /kind is missing|seq is missing/],
  ]
  for (const [find, replace, message] of cases) {
    const changed = lines[k]!.replace(find, replace)
    assert.is.not(changed, lines[k], `${replace} stands nowhere`)
    const said = await read(textBytes(lines.with(k, changed)))
    assert.ok(said instanceof BlockboxError, replace)
    assert.match((said as BlockboxError).message, message)
    assert.match((said as BlockboxError).message, new RegExp(`line ${k + 1}\\b`))
  }
  assert.is((Object.prototype as { polluted?: boolean }).polluted, undefined)
  for (const field of ['"speed":1,', '"__proto__":{},']) {
    await fails('TRACE_FORMAT', () =>
      opened(textBytes(lines.with(0, lines[0]!.replace('"version"', `${field}"version"`)))),
    )
  }
})

test('numbers beyond 2^53 are exact: instants are texts', async () => {
  const lines = linesOf(await exported(await small(), 'lines'))
  const k = lines.findIndex((line) => line.startsWith('{"frame"'))
  assert.match(lines[k]!, /"instant":"1769860800\d{9}"/)
  for (const wrong of [
    '"instant":5',
    '"instant":"5 "',
    '"instant":"0x5"',
    '"instant":"99999999999999999999"',
    '"instant":""',
  ]) {
    const said = await read(textBytes(lines.with(k, lines[k]!.replace(/"instant":"\d+"/, wrong))))
    assert.match((said as BlockboxError).message, /instant is no (?:instant|text)/)
  }
})

test('a line without end is refused before it fills the memory', async () => {
  const [header] = linesOf(await exported(await small(), 'lines'))
  const before = process.memoryUsage().rss
  async function* endless(): AsyncGenerator<Uint8Array, void> {
    yield new TextEncoder().encode(`${header}\n{"seq":1,"data":"`)
    const piece = new Uint8Array(2 ** 20).fill(65)
    for (let k = 0; k < 100_000; k++) yield piece
  }
  const error = await fails('TRACE_FORMAT', async () => {
    const { items } = await readRecording(endless(), 'it')
    for await (const _ of items);
  })
  assert.match(error.message, /line 2 has more than \d+ bytes/)
  assert.ok(process.memoryUsage().rss - before < 400 * 2 ** 20)
})

test('bytes by chance behind a good beginning end in an error, never in a crash or a hang', async () => {
  const source = await small()
  const random = new Prng(11)
  for (const form of forms) {
    const bytes = await exported(source, form)
    for (let k = 0; k < 300; k++) {
      const changed = bytes.slice()
      const from = random.below(bytes.length)
      for (let n = 0; n < 1 + random.below(40); n++) changed[(from + n) % bytes.length] = random.below(256)
      const said = await read(changed)
      if (said instanceof BlockboxError) assert.ok(codes.includes(said.code), said.message)
    }
  }
})

test('to whoever wants a journal, a damaged recording is damage of a journal, from an event on', async () => {
  const bytes = await exported(await small(), 'lines')
  const changed = new TextDecoder().decode(bytes).replace('"offset":512', '"offset":513')
  const error = await fails('JOURNAL_CORRUPT', () => journalFrom(new TextEncoder().encode(changed)))
  assert.ok((error.seq ?? 0) > 1)
  const cut = await fails('JOURNAL_CORRUPT', () => journalFrom(bytes.subarray(0, 900)))
  assert.match(cut.message, /get a whole copy|damaged or cut/)
})

test.run()
