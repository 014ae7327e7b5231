/**
 * Writing the log of dm-log-writes: what replay-log of xfstests and QEMU's blklogwrites read.
 *
 *     super | header | payload | header | header | payload ...        S is the sector size
 *       S       S       n * S      S        S       n * S
 *
 * The super block counts the entries, so it is right only after the end (`head`). A write of zeros is a write with
 * its zeros, as QEMU logs it; one above 16 MiB is a discard, which replays as zeros too. A write whose trace has no
 * bytes gets some made from (seed, offset, version), at most 16 MiB of them, zeros behind. The METADATA bit is
 * written on request only: QEMU refuses a log that has it. Reads, times and names have no place in this format.
 * Rules: drivers/md/dm-log-writes.c (Linux), block/blklogwrites.c (QEMU), src/log-writes (xfstests).
 */

import { BlockboxError } from '../core/errors.ts'
import { syntheticContent } from '../core/prng.ts'
import { dmLogBits, dmLogMagic, dmLogMaxPayload, dmLogSuperBytes } from './dm-log-header.ts'
import type { TraceEvent, TraceFlag } from './event.ts'
import type { TraceHolding } from './holding.ts'
import type { Put, TraceOutput, TraceWriter, WriterOptions } from './writer.ts'

const headerBytes = 32
/** Bits that tell a byte of UTF-8 that goes on with a character. */
const continuation = 0xc0
const maxSector = 2 ** 23
const pieceBytes = 2 ** 20
/** So many bytes are made for one event at most. */
const maxMade = 16 * 2 ** 20
const zeros = new Uint8Array(pieceBytes)
const encoder = new TextEncoder()

export const dmLogWritesOut: TraceOutput = {
  name: 'dm-log-writes',
  title: 'log of Linux dm-log-writes or QEMU blklogwrites, with data',
  holding,
  writer: (put, options) => new DmLogWriter(put, options),
}

function holding(options: WriterOptions): TraceHolding {
  const sector = sectorOf(options)
  return {
    ops: ['write', 'flush', 'discard', 'mark'],
    instead: { zero: 'write' },
    flags: options.metadata === true ? ['FUA', 'FLUSH', 'META'] : ['FUA', 'FLUSH'],
    payload: 'must',
    timeUnitNs: 0,
    timeMust: false,
    devices: 'one',
    unit: sector,
    empty: false,
    label: sector - headerBytes - 1,
    hosts: false,
    completions: false,
    results: false,
  }
}

function sectorOf({ sector = 512 }: WriterOptions): number {
  if (sector >= 512 && sector <= maxSector && Number.isInteger(Math.log2(sector))) return sector
  throw new BlockboxError(
    'USAGE',
    `a log cannot have sectors of ${sector} bytes: choose a power of two from 512 to ${maxSector}`,
  )
}

class DmLogWriter implements TraceWriter {
  readonly #put: Put
  readonly #sector: number
  readonly #known: ReadonlySet<TraceFlag>
  readonly #seed: number
  #entries = 0

  constructor(put: Put, options: WriterOptions) {
    this.#put = put
    this.#sector = sectorOf(options)
    this.#known = new Set(holding(options).flags)
    this.#seed = options.seed ?? 1
  }

  begin(): void {
    this.#put(this.head())
  }

  write(event: TraceEvent): void {
    const { op, data } = event
    const offset = event.offset ?? 0
    const length = event.length ?? 0
    const bits = this.#bits(event)
    if (op === 'mark') return this.#mark(event.label ?? '')
    if (op === 'flush') return this.#entry(offset, 0, bits | dmLogBits.flush)
    if (op === 'discard' || (op === 'zero' && length > maxMade)) {
      return this.#entry(offset, length, bits | dmLogBits.discard)
    }
    for (let done = 0; done < length; done += dmLogMaxPayload) {
      const part = Math.min(dmLogMaxPayload, length - done)
      this.#entry(offset + done, part, bits)
      if (data !== undefined) this.#put(data.subarray(done, done + part))
      else if (op === 'zero') this.#zeros(part)
      else this.#made(event, offset + done, part)
    }
  }

  end(): void {}

  head(): Uint8Array {
    const bytes = new Uint8Array(this.#sector)
    const view = new DataView(bytes.buffer)
    bytes.set(dmLogMagic)
    view.setBigUint64(8, 1n, true)
    view.setBigUint64(16, BigInt(this.#entries), true)
    view.setUint32(dmLogSuperBytes - 4, this.#sector, true)
    return bytes
  }

  #bits({ flags }: TraceEvent): number {
    const has = (flag: TraceFlag, bit: number) => (this.#known.has(flag) && flags.includes(flag) ? bit : 0)
    return has('FLUSH', dmLogBits.flush) | has('FUA', dmLogBits.fua) | has('META', dmLogBits.meta)
  }

  #entry(offset: number, length: number, bits: number, label?: Uint8Array): void {
    const bytes = new Uint8Array(this.#sector)
    const view = new DataView(bytes.buffer)
    view.setBigUint64(0, BigInt(offset / this.#sector), true)
    view.setBigUint64(8, BigInt(length / this.#sector), true)
    view.setUint32(16, bits, true)
    if (label !== undefined) {
      view.setUint32(24, label.length, true)
      bytes.set(label, headerBytes)
    }
    this.#put(bytes)
    this.#entries++
  }

  #mark(label: string): void {
    const text = encoder.encode(label)
    let end = Math.min(text.length, this.#sector - headerBytes - 1)
    while (((text[end] ?? 0) & continuation) === 0x80) end--
    this.#entry(0, 0, dmLogBits.mark, text.subarray(0, end))
  }

  #zeros(length: number): void {
    for (let done = 0; done < length; done += pieceBytes) {
      this.#put(zeros.subarray(0, Math.min(pieceBytes, length - done)))
    }
  }

  #made(event: TraceEvent, offset: number, length: number): void {
    const made = Math.min(length, maxMade)
    const key = { seed: this.#seed, volume: 0, offset, version: event.index + 1 }
    this.#put(syntheticContent(key, made))
    this.#zeros(length - made)
  }
}
