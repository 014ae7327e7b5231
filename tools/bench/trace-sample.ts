/**
 * Traces to be imported by the benchmark, made from a seed: the same events in every format, a host that writes and
 * reads in a zipf-like way over 64 GiB, so that maps and digests are neither trivial nor hopeless.
 */

import { Prng } from '../../src/core/prng.ts'

export interface SampleFormat {
  readonly name: string
  /** Whether a record is bytes in place of text. */
  readonly binary: boolean
  /** The content of a trace of so many events, piece by piece. */
  pieces(events: number): Generator<Uint8Array>
}

interface Sample {
  readonly k: number
  readonly us: number
  readonly write: boolean
  readonly sector: number
  readonly sectors: number
}

const blocks = 2 ** 24
const atOnce = 4096

function* samples(events: number): Generator<Sample[]> {
  const random = new Prng(7)
  let us = 1_577_808_000_000_000
  for (let k = 0; k < events; k += atOnce) {
    yield Array.from({ length: Math.min(atOnce, events - k) }, (_, j) => {
      us += random.below(40)
      const hot = random.below(10) < 8
      const block = hot ? random.below(blocks / 64) : random.below(blocks)
      return { k: k + j, us, write: random.below(3) > 0, sector: block * 8, sectors: 8 << random.below(4) }
    })
  }
}

function table(name: string, row: (sample: Sample) => string, header = ''): SampleFormat {
  return {
    name,
    binary: false,
    *pieces(events) {
      if (header !== '') yield Buffer.from(`${header}\n`)
      for (const some of samples(events)) yield Buffer.from(some.map((one) => `${row(one)}\n`).join(''))
    },
  }
}

function records(
  name: string,
  bytes: number,
  fill: (view: DataView, at: number, sample: Sample) => void,
): SampleFormat {
  return {
    name,
    binary: true,
    *pieces(events) {
      for (const some of samples(events)) {
        const view = new DataView(new ArrayBuffer(some.length * bytes))
        for (const [j, one] of some.entries()) fill(view, j * bytes, one)
        yield new Uint8Array(view.buffer)
      }
    },
  }
}

const seconds = (us: number) => `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`

export const sampleFormats: readonly SampleFormat[] = [
  records('vscsi', 32, (view, at, { k, us, write, sector, sectors }) => {
    view.setUint32(at, k, true)
    view.setUint32(at + 4, sectors * 512, true)
    view.setUint16(at + 12, write ? 0x2a : 0x28, true)
    view.setUint16(at + 14, 0x100, true)
    view.setBigUint64(at + 16, BigInt(sector), true)
    view.setBigUint64(at + 24, BigInt(us), true)
  }),
  records('blktrace', 48, (view, at, { k, us, write, sector, sectors }) => {
    view.setUint32(at, 0x65617407, true)
    view.setUint32(at + 4, k + 1, true)
    view.setBigUint64(at + 8, BigInt(us) * 1000n, true)
    view.setBigUint64(at + 16, BigInt(sector), true)
    view.setUint32(at + 24, sectors * 512, true)
    view.setUint32(at + 28, ((write ? 0x12 : 0x11) << 16) | 1, true)
    view.setUint32(at + 36, (8 << 20) | 16, true)
  }),
  table('alibaba', (s) => `3,${s.write ? 'W' : 'R'},${s.sector * 512},${s.sectors * 512},${s.us}`),
  table(
    'msr',
    (s) => `12${s.us}7,hm,0,${s.write ? 'Write' : 'Read'},${s.sector * 512},${s.sectors * 512},2833`,
    'Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime',
  ),
  table(
    'systor',
    (s) => `${seconds(s.us)}000,0.001000000,${s.write ? 'W' : 'R'},0,${s.sector * 512},${s.sectors * 512}`,
    'Timestamp,Response,IOType,LUN,Offset,Size',
  ),
  table('tencent', (s) => `${Math.floor(s.us / 1e6)},${s.sector},${s.sectors},${s.write ? 1 : 0},1576`),
  table('spc', (s) => `0,${s.sector},${s.sectors * 512},${s.write ? 'W' : 'R'},${seconds(s.us % 1e12)}`),
  table(
    'cloudphysics-csv',
    (s) => `1,${Math.floor((s.us % 1e12) / 1e6)},${s.write ? '2a' : '28'},${s.sectors * 512},${s.sector}`,
    'version,time,op,size,lbn',
  ),
  table('disksim', (s) => `${(s.us % 1e12) * 1000} 0 ${s.sector} ${s.sectors} ${s.write ? 0 : 1}`),
]
