/**
 * What a trace does, in one object: counts, bytes, blocks, time, and the digest of its sequence of I/O.
 *
 * Blocks are 4 KiB, counted once per device where a read, write, discard or zero touches any byte of them.
 * A range above 1 GiB is left out of the block counts: a discard of that size clears the ground and says
 * nothing of what is in use, and it would outweigh everything else. The digest is the SHA-256 of a line
 * `op offset length` for every event in canonical order, `-` for null. Sums are exact up to 2^53.
 */

import { SparseBits } from '../core/sparse-bits.ts'
import type { TraceEvent, TraceOp } from './event.ts'
import { SequenceDigest } from './sequence-digest.ts'

/** Bytes of a block of the counts. */
export const summaryBlock = 4096

/** Ranges above this many bytes are left out of the block counts. */
export const summaryMaxRange = 2 ** 30

/** The keys as they are printed. */
export interface TraceSummary {
  readonly events: number
  readonly ops: Partial<Record<TraceOp, number>>
  readonly read_bytes: number
  readonly write_bytes: number
  readonly discard_zero_bytes: number
  readonly unique_4k_blocks_touched: number
  readonly unique_4k_blocks_written: number
  /** Devices that a read, write, discard or zero went to; the one without a name counts. */
  readonly devices: number
  /** From the earliest to the latest event; null where the format has no time. */
  readonly duration_ns: number | null
  readonly max_end_offset: number
  readonly io_sequence_sha256: string
}

export interface Summing {
  add(event: TraceEvent): void
  /** The summary of all events added; nothing can be added after. */
  result(): TraceSummary
}

/** Starts a summary. */
export function summarise(): Summing {
  return new TraceSum()
}

interface Device {
  readonly touched: SparseBits
  readonly written: SparseBits
}

class TraceSum implements Summing {
  readonly #ops: Partial<Record<TraceOp, number>> = {}
  readonly #devices = new Map<string | null, Device>()
  readonly #digest = new SequenceDigest()
  /** The device of the last event, which is most often that of the next. */
  #name: string | null = null
  #device: Device | undefined
  #events = 0
  #readBytes = 0
  #writeBytes = 0
  #clearedBytes = 0
  #maxEnd = 0
  #first = Infinity
  #last = -Infinity

  add(event: TraceEvent): void {
    const { op, offset, length, tNs } = event
    this.#events++
    this.#ops[op] = (this.#ops[op] ?? 0) + 1
    this.#digest.add(op, offset, length)
    if (tNs !== null) {
      if (tNs < this.#first) this.#first = tNs
      if (tNs > this.#last) this.#last = tNs
    }
    if (op !== 'read' && op !== 'write' && op !== 'discard' && op !== 'zero') return
    if (op === 'read') this.#readBytes += length ?? 0
    else if (op === 'write') this.#writeBytes += length ?? 0
    else this.#clearedBytes += length ?? 0
    const device = this.#deviceOf(event.dev)
    if (offset === null || length === null) return
    if (offset + length > this.#maxEnd) this.#maxEnd = offset + length
    if (length === 0 || length > summaryMaxRange) return
    const from = Math.floor(offset / summaryBlock)
    const to = Math.ceil((offset + length) / summaryBlock)
    device.touched.addRange(from, to)
    if (op === 'write') device.written.addRange(from, to)
  }

  result(): TraceSummary {
    let touched = 0
    let written = 0
    for (const device of this.#devices.values()) {
      touched += device.touched.size
      written += device.written.size
    }
    return {
      events: this.#events,
      ops: this.#ops,
      read_bytes: this.#readBytes,
      write_bytes: this.#writeBytes,
      discard_zero_bytes: this.#clearedBytes,
      unique_4k_blocks_touched: touched,
      unique_4k_blocks_written: written,
      devices: this.#devices.size,
      duration_ns: this.#last < this.#first ? null : this.#last - this.#first,
      max_end_offset: this.#maxEnd,
      io_sequence_sha256: this.#digest.hex(),
    }
  }

  #deviceOf(name: string | null): Device {
    if (this.#device !== undefined && name === this.#name) return this.#device
    let device = this.#devices.get(name)
    if (device === undefined) {
      device = { touched: new SparseBits(), written: new SparseBits() }
      this.#devices.set(name, device)
    }
    this.#name = name
    this.#device = device
    return device
  }
}
