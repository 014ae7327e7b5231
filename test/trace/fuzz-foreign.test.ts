/** Every parser against damaged copies of the traces of other people's collections. */
// needs: env BLOCKBOX_TRACES
// limit: 240 s

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { suite } from 'uvu'
import { fuzz } from './fuzz.ts'
import { samples } from './samples.ts'

const test = suite('fuzz-foreign')

const folder = process.env.BLOCKBOX_TRACES ?? ''
const most = 32 * 1024

const foreign: Readonly<Record<string, string>> = {
  'public/cloudphysics_a.csv.gz': 'cloudphysics-csv',
  'public/cloudphysics_a.vscsi.gz': 'vscsi',
  'public/financial1_a.ascii.gz': 'disksim',
  'public/fio_t0038.iolog': 'fio-iolog',
  'public/msr_hm_a.csv': 'msr',
  'public/takeoverjp_sample.blktrace.gz': 'blktrace',
  'public/tencent_6rows.csv': 'tencent',
  'public/tpcc-small.trace.gz': 'disksim',
  'converted/financial1_a.alibaba.csv.gz': 'alibaba',
  'converted/financial1_a.msr.csv.gz': 'msr',
  'converted/financial1_a.spc.csv.gz': 'spc',
  'converted/financial1_a.systor.csv.gz': 'systor',
  'converted/financial1_a.tencent.csv.gz': 'tencent',
}

for (const [file, format] of Object.entries(foreign)) {
  test(`${file}, damaged`, () => {
    const stored = readFileSync(join(folder, file))
    const content = file.endsWith('.gz') ? gunzipSync(stored) : stored
    const bytes = Uint8Array.from(content.subarray(0, most))
    fuzz({ format, bytes, other: samples.get('blktrace')!, times: 150, seed: 2 })
  })
}

test.run()
