/** Every parser against damaged traces: small ones of every format, and those recorded from real programs. */
// limit: 240 s

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { traceFormats } from '../../src/trace/format.ts'
import { busyRun, exported, forms, journalFrom } from '../support/recordings.ts'
import { fuzz } from './fuzz.ts'
import { samples } from './samples.ts'

const test = suite('fuzz')

const all = [...samples.values()]
const folder = fileURLToPath(new URL('../../../traces', import.meta.url))

for (const { name: format } of traceFormats) {
  test(`${format}: small traces, damaged`, () => {
    const bytes = samples.get(format)!
    let refused = 0
    for (const [seed, other] of all.entries())
      refused += fuzz({ format, bytes, other, times: 60, seed }).refused
    assert.ok(refused > 200, `only ${refused} of ${60 * all.length} were refused`)
  })

  test(`${format}: content of every other kind, and none`, () => {
    for (const [seed, bytes] of [...all, new Uint8Array(0), new Uint8Array(5000)].entries()) {
      fuzz({ format, bytes, other: samples.get(format)!, times: 10, seed })
    }
  })
}

const recorded: Readonly<Record<string, string>> = {
  'ext4life.dmlog.gz': 'dm-log-writes',
  'nbdopen.pcap.gz': 'nbd-pcap',
  'nbdopen.nbdkit.log.gz': 'nbdkit-log',
  'fio_randrw.v2.iolog': 'fio-iolog',
  'fio_randrw.v3.iolog': 'fio-iolog',
  'blkext4.blktrace.gz': 'blktrace',
  'blkext4.blkparse.txt.gz': 'blkparse',
  'bkrest1.h1.jsonl.gz': 'history',
}
const most = 48 * 1024

for (const [file, format] of Object.entries(recorded)) {
  test(`${file}: what was recorded, damaged`, () => {
    const stored = readFileSync(join(folder, file))
    const content = file.endsWith('.gz') ? gunzipSync(stored) : stored
    const bytes = Uint8Array.from(content.subarray(0, most))
    fuzz({ format, bytes, other: samples.get('msr')!, times: 150, seed: 1, options: { port: 10821 } })
  })
}

for (const form of forms) {
  test(`blockbox-trace, ${form}: recordings of busy runs, damaged`, async () => {
    let refused = 0
    for (const [seed, other] of all.entries()) {
      const run = await busyRun([5, 17, 4242, 77_001].slice(0, 1 + (seed % 4)), seed % 2 === 0)
      const bytes = Uint8Array.from(await exported(run.opened, form))
      refused += fuzz({ format: 'blockbox-trace', bytes, other, times: 40, seed }).refused
    }
    assert.ok(refused > 30 * all.length, `only ${refused} of ${40 * all.length} were refused`)
  })

  test(`blockbox-trace: ${form} of the repository, damaged, and content of every other kind`, async () => {
    const golden = readFileSync(join(folder, 'golden', 's2-preserve.trace.jsonl'))
    const { journal, payload } = await journalFrom(golden)
    const bytes = Uint8Array.from((await exported({ journal, payload }, form)).subarray(0, most))
    const { taken } = fuzz({
      format: 'blockbox-trace',
      bytes,
      other: samples.get('msr')!,
      times: 150,
      seed: 1,
    })
    assert.is(taken, 0)
    for (const [seed, foreign] of [...all, new Uint8Array(0), new Uint8Array(5000)].entries())
      fuzz({ format: 'blockbox-trace', bytes: foreign, other: bytes, times: 10, seed })
  })
}

test.run()
