/**
 * Writing the default text of blkparse: a line an event, all of them queued (Q) on one processor.
 *
 *     259,0    0        1     0.000211654     0  Q  RS 0 + 32 [disk0]
 *     259,0    0        2     0.000301200     0  Q  FW [disk0]
 *
 * Places and counts are sectors of 512 bytes, times nanoseconds from the first event. A device that has a name in
 * place of two numbers becomes 259,K in the order of appearance, and its name stands where that of a process is. A
 * write of zeros has no letter and is written as a write. Rules: blkparse_fmt.c and blkparse.1 (blktrace).
 */

import type { TraceEvent, TraceFlag, TraceOp } from './event.ts'
import { sectorBytes } from './field.ts'
import { deviceNumber, type TraceHolding } from './holding.ts'
import type { Put, TraceOutput, TraceWriter } from './writer.ts'

const holding: TraceHolding = {
  ops: ['read', 'write', 'discard', 'flush'],
  instead: { zero: 'write' },
  flags: ['FLUSH', 'FUA', 'SYNC', 'META'],
  payload: 'no',
  timeUnitNs: 1,
  timeMust: true,
  devices: 'number',
  unit: sectorBytes,
  empty: false,
  label: 0,
  hosts: false,
  completions: false,
  results: false,
}

export const blkparseOut: TraceOutput = {
  name: 'blkparse',
  title: 'default text of blkparse',
  holding: () => holding,
  writer: (put) => new BlkparseWriter(put),
}

const letters: Readonly<Partial<Record<TraceOp, string>>> = {
  read: 'R',
  write: 'W',
  zero: 'W',
  discard: 'D',
  flush: 'FW',
}
const major = 259
const second = 1e9

class BlkparseWriter implements TraceWriter {
  readonly #put: Put
  readonly #devices = new Map<string | null, { numbers: string; command: string }>()
  #given = 0
  #sequence = 0
  #tNs = 0

  constructor(put: Put) {
    this.#put = put
  }

  begin(): void {}

  write(event: TraceEvent): void {
    const { op, flags, dev } = event
    if (event.tNs !== null) this.#tNs = Math.max(0, event.tNs)
    const { numbers, command } = this.#devices.get(dev) ?? this.#name(dev)
    const has = (flag: TraceFlag, letter: string) => (flags.includes(flag) ? letter : '')
    const rwbs = `${has('FLUSH', 'F')}${letters[op]}${has('FUA', 'F')}${has('SYNC', 'S')}${has('META', 'M')}`
    const seconds = String(Math.floor(this.#tNs / second)).padStart(5)
    const nanos = String(this.#tNs % second).padStart(9, '0')
    const sequence = String(++this.#sequence).padStart(8)
    const length = event.length ?? 0
    const place = length === 0 ? '' : `${(event.offset ?? 0) / sectorBytes} + ${length / sectorBytes} `
    this.#put(
      `${numbers}  0 ${sequence} ${seconds}.${nanos}     0  Q ${rwbs.padStart(3)} ${place}[${command}]\n`,
    )
  }

  end(): void {}

  #name(dev: string | null): { numbers: string; command: string } {
    const own = dev !== null && deviceNumber.test(dev)
    const [high, low] = own ? dev.split(',') : [String(major), String(this.#given++)]
    const command = own ? '0' : (dev ?? 'disk').replace(/[^\x21-\x5a\x5e-\x7e]/g, '_').slice(0, 64)
    const named = { numbers: `${high!.padStart(3)},${low!.padEnd(3)}`, command }
    this.#devices.set(dev, named)
    return named
  }
}
