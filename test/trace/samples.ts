/** A small trace of every format, for what holds for all of them. */

import { encodeRecords, kinds, steps } from './block-encode.ts'
import { encodeLog } from './dm-log-encode.ts'
import { encodeCapture, negotiation, request, type Segment } from './pcap-encode.ts'

const text = (...lines: string[]) => new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''))
const many = (count: number, line: (k: number) => string) => Array.from({ length: count }, (_, k) => line(k))

function capture(): Uint8Array {
  const segments: Segment[] = []
  for (const from of [40001, 40002]) {
    const data = new Uint8Array(700).fill(from)
    const requests = many(6, String).map((_, k) =>
      request(k, BigInt(k) * 4096n, 700, k === 1 ? { data } : {}),
    )
    const stream = Buffer.concat([negotiation([7, 'export']), ...requests])
    segments.push({ time: 5_000n, from, sequence: 99, flags: 'syn' })
    for (let at = 0; at < stream.length; at += 150) {
      const time = BigInt(segments.length) * 1_000_000n
      segments.push({ time, from, sequence: 100 + at, payload: stream.subarray(at, at + 150) })
    }
  }
  return encodeCapture(segments)
}

function vscsi(): Uint8Array {
  const view = new DataView(new ArrayBuffer(32 * 20))
  for (let at = 0; at < view.byteLength; at += 32) {
    view.setUint32(at + 4, 4096, true)
    view.setUint16(at + 12, at % 64 === 0 ? 0x28 : 0x2a, true)
    view.setUint16(at + 14, 0x100, true)
    view.setBigUint64(at + 16, BigInt(at), true)
    view.setBigUint64(at + 24, BigInt(at), true)
  }
  return new Uint8Array(view.buffer)
}

const call = (k: number) => `connection=${k % 3} Write id=${k} offset=0x${k}000 count=0x200 fua=0 ...`

/** Content by the name of its format. */
export const samples: ReadonlyMap<string, Uint8Array> = new Map([
  [
    'dm-log-writes',
    encodeLog(
      many(6, String).map((_, k) => ({ sector: k, sectors: 1, flags: 0, data: new Uint8Array(512) })),
    ),
  ],
  ['nbd-pcap', capture()],
  [
    'nbdkit-log',
    text(
      '2026-11-21 06:26:05.540226 Ready thread_model=3',
      ...many(8, (k) => `2026-11-21 06:26:05.54022${k} ${call(k)}`),
      ...many(8, (k) => `2026-11-21 06:26:05.54023${k} connection=${k % 3} ...Write id=${k} return=0`),
    ),
  ],
  [
    'fio-iolog',
    text('fio version 3 iolog', '1 v.img add', ...many(9, (k) => `${k}00 v.img write ${k}0 4096`)),
  ],
  [
    'blktrace',
    encodeRecords(
      many(12, String).map((_, k) => ({
        time: BigInt(100 - (k % 5)),
        sector: BigInt(k),
        bytes: 4096,
        action: steps.queue | kinds.write,
        extra: new Uint8Array(k),
      })),
    ),
  ],
  [
    'blkparse',
    text(
      ...many(9, (k) => `  8,0    0        ${k}     0.00000000${k}   697  Q  WS ${k} + 8 [sh]`),
      'CPU0 (8,0):',
      ' Reads Queued:         135,     4583KiB',
    ),
  ],
  ['vscsi', vscsi()],
  ['cloudphysics-csv', text('version,time,op,size,lbn', ...many(9, (k) => `1,563389${k},2a,512,${k}`))],
  ['disksim', text(...many(9, (k) => `${k}000 ${k % 2} ${k}8 8 ${k % 2}`))],
  ['msr', text(...many(9, (k) => `12816637200306162${k},hm,0,Read,${k}0,2048,2833`))],
  [
    'systor',
    text('Timestamp,Response,IOType,LUN,Offset,Size', ...many(9, (k) => `145.${k},0.1,R,${k},0,512`)),
  ],
  ['alibaba', text(...many(9, (k) => `${k},W,${k}0,3584,157780800000000${k}`))],
  ['tencent', text(...many(9, (k) => `153832320${k},${k}0,8,1,7`))],
  ['spc', text(...many(9, (k) => `${k},303567,3584,w,0.00000${k}`))],
  [
    'history',
    text(
      '{"host": "hostA", "epoch_ns": 1795242304654892100, "block": 4096}',
      ...many(9, (k) => `{"op":"write","offset":1${k}0,"length":512,"t_submit_ns":${99 - k},"flags":[]}`),
    ),
  ],
])
