/**
 * Writing the I/O log of fio, version 3: what `fio --read_iolog` plays.
 *
 *     fio version 3 iolog
 *     0 disk0 add
 *     0 disk0 open
 *     476 disk0 write 4096 16384
 *
 * Stamps are whole microseconds; an event without one gets that of the event before it, one before the zero gets 0.
 * A name has no blanks and at most 256 characters: what does not fit is replaced. A length is below 2^32: a longer
 * range is written as several lines. Rules: iolog.c and HOWTO.rst, "Trace file format" (fio).
 */

import type { TraceEvent, TraceOp } from './event.ts'
import { deviceWord, type TraceHolding } from './holding.ts'
import type { Put, TraceOutput, TraceWriter } from './writer.ts'

const holding: TraceHolding = {
  ops: ['read', 'write', 'discard', 'flush'],
  instead: { zero: 'write' },
  flags: [],
  payload: 'no',
  timeUnitNs: 1000,
  timeMust: true,
  devices: 'word',
  unit: 1,
  empty: true,
  label: 0,
  hosts: false,
  completions: false,
  results: false,
}

export const fioIologOut: TraceOutput = {
  name: 'fio-iolog',
  title: 'fio I/O log, version 3',
  holding: () => holding,
  writer: (put) => new FioIologWriter(put),
}

const words: Readonly<Partial<Record<TraceOp, string>>> = {
  read: 'read',
  write: 'write',
  zero: 'write',
  discard: 'trim',
}
/** Of the 256 characters that a name may have some are left for a number behind it. */
const maxName = 244
/** No line moves more: a power of two, so that a long range stays aligned. */
const maxLength = 2 ** 31
const unnamed = 'disk'

class FioIologWriter implements TraceWriter {
  readonly #put: Put
  /** Names as they are written, by device; two devices never share one. */
  readonly #names = new Map<string | null, string>()
  readonly #taken = new Set<string>()
  #stamp = 0

  constructor(put: Put) {
    this.#put = put
  }

  begin(): void {
    this.#put('fio version 3 iolog\n')
  }

  write(event: TraceEvent): void {
    if (event.tNs !== null) this.#stamp = Math.max(0, Math.floor(event.tNs / 1000))
    const name = this.#names.get(event.dev) ?? this.#open(event.dev)
    const head = `${this.#stamp} ${name}`
    if (event.op === 'flush') return this.#put(`${head} sync 0 0\n`)
    const word = words[event.op]!
    const length = event.length ?? 0
    for (let done = 0; done === 0 || done < length; done += maxLength) {
      this.#put(`${head} ${word} ${(event.offset ?? 0) + done} ${Math.min(maxLength, length - done)}\n`)
    }
  }

  end(): void {
    for (const name of this.#names.values()) this.#put(`${this.#stamp} ${name} close\n`)
  }

  #open(dev: string | null): string {
    const own = dev ?? unnamed
    const plain = deviceWord.test(own) ? own : own.replace(/[^\x21-\x7e]/g, '_').slice(0, maxName) || unnamed
    let name = plain
    for (let k = this.#taken.size; this.#taken.has(name); k++) name = `${plain}.${k}`
    this.#taken.add(name)
    this.#names.set(dev, name)
    this.#put(`${this.#stamp} ${name} add\n${this.#stamp} ${name} open\n`)
    return name
  }
}
