/**
 * Binary traces of VMware's vscsiStats, as CloudPhysics collected them. Integers are little-endian.
 *
 *     version 1, 32 bytes:  serial u32 | length u32 | segments u32 | command u16 | version u16 | lbn u64 | time u64
 *     version 2, 40 bytes:  command u16 | version u16 | serial u32 | length u32 | segments u32 | lbn u64 | time u64
 *                           | response u64
 *
 * Lengths are bytes, block numbers sectors of 512 bytes, times microseconds on the clock of the host; the
 * command is the SCSI opcode. The version is the high byte of its field; where it stands tells which it is, so
 * the first two records must agree, and every later one too.
 *
 *     unknown --two records, or the end--> version 1 or 2
 *
 * Rules: the reader of libCacheSim (customizedReader/vscsi.h).
 */

import { BlockboxError } from '../core/errors.ts'
import { ByteCutter } from './byte-cutter.ts'
import type { TraceEvent, TraceOptions, TraceParser } from './event.ts'
import { sectorBytes } from './field.ts'
import { Origin, tooFar } from './origin.ts'
import { scsiOp } from './scsi-op.ts'

interface Layout {
  readonly version: number
  readonly bytes: number
  readonly lengthAt: number
  readonly commandAt: number
  readonly versionAt: number
}

const layouts: readonly Layout[] = [
  { version: 1, bytes: 32, lengthAt: 4, commandAt: 12, versionAt: 14 },
  { version: 2, bytes: 40, lengthAt: 8, commandAt: 0, versionAt: 2 },
]
const lbnAt = 16
const timeAt = 24
/** Enough bytes for the versions of two records, whichever the layout. */
const headBytes = 48
const microsecond = 1000

/** A parser of one file. */
export function vscsi({ places = false }: TraceOptions = {}): TraceParser {
  return new Vscsi(places)
}

/** Whether content begins with two records that agree on a version and read or write. */
export function vscsiBegins(first: Uint8Array): boolean {
  if (first.length < headBytes) return false
  const layout = layoutOf(first)
  return (
    layout !== undefined &&
    [0, layout.bytes].every((at) => {
      const command = at + layout.commandAt
      return first[command + 1] === 0 && scsiOp(first[command]!) !== 'other'
    })
  )
}

function layoutOf(head: Uint8Array): Layout | undefined {
  return layouts.find(({ version, bytes, versionAt }) => {
    const second = head[bytes + versionAt + 1] ?? version
    return head.length >= bytes && head[versionAt + 1] === version && second === version
  })
}

class Vscsi implements TraceParser {
  readonly #cutter = new ByteCutter()
  readonly #origin = new Origin()
  readonly #places: boolean
  #head = new Uint8Array(0)
  #layout: Layout | undefined
  /** A record has begun in an earlier piece. */
  #torn = false
  #count = 0

  constructor(places: boolean) {
    this.#places = places
  }

  push(bytes: Uint8Array): TraceEvent[] {
    const events: TraceEvent[] = []
    if (this.#layout !== undefined) {
      this.#take(this.#layout, bytes, events)
      return events
    }
    const part = bytes.subarray(0, headBytes - this.#head.length)
    this.#head = new Uint8Array([...this.#head, ...part])
    if (this.#head.length < headBytes) return events
    const layout = this.#begin(events)
    this.#take(layout, bytes.subarray(part.length), events)
    return events
  }

  end(): TraceEvent[] {
    const events: TraceEvent[] = []
    if (this.#layout === undefined) {
      if (this.#head.length === 0) return events
      this.#begin(events)
    }
    if (this.#torn) {
      throw damage(this.#cutter.offset, `the file ends inside record ${this.#count}; get the whole file`)
    }
    return events
  }

  #begin(events: TraceEvent[]): Layout {
    const layout = layoutOf(this.#head)
    if (layout === undefined) {
      throw damage(0, 'no records of a vscsi trace of version 1 or 2; name the right format')
    }
    this.#layout = layout
    this.#take(layout, this.#head, events)
    return layout
  }

  #take(layout: Layout, bytes: Uint8Array, events: TraceEvent[]): void {
    const size = layout.bytes
    this.#cutter.push(bytes)
    while (this.#cutter.waiting > 0) {
      const whole = this.#torn ? 1 : Math.max(1, Math.floor(this.#cutter.waiting / size))
      const records = this.#cutter.take(whole * size)
      this.#torn = records === undefined
      if (records === undefined) return
      const view = new DataView(records.buffer, records.byteOffset, records.length)
      for (let at = 0; at < records.length; at += size) {
        events.push(this.#event(layout, view, at, this.#cutter.offset - records.length + at))
      }
    }
  }

  #event(layout: Layout, view: DataView, at: number, place: number): TraceEvent {
    const version = view.getUint16(at + layout.versionAt, true) >> 8
    if (version !== layout.version) {
      const reason = `record ${this.#count} has version ${version} after records of version ${layout.version}`
      throw damage(place + layout.versionAt, reason)
    }
    const length = view.getUint32(at + layout.lengthAt, true)
    const sector = view.getUint32(at + lbnAt + 4, true) * 2 ** 32 + view.getUint32(at + lbnAt, true)
    const offset = sector * sectorBytes
    if (offset + length > Number.MAX_SAFE_INTEGER) {
      throw damage(place + lbnAt, `record ${this.#count} ends beyond 2^53 bytes`)
    }
    const tNs = this.#origin.sinceHalves(
      view.getUint32(at + timeAt + 4, true),
      view.getUint32(at + timeAt, true),
      microsecond,
    )
    if (tNs === undefined) throw damage(place + timeAt, `record ${this.#count}: ${tooFar}`)
    const op = scsiOp(view.getUint16(at + layout.commandAt, true))
    const event = { index: this.#count++, op, offset, length, tNs, dev: null, flags: [] }
    return this.#places ? { ...event, byte: place } : event
  }
}

function damage(byte: number, reason: string): BlockboxError {
  return new BlockboxError('TRACE_FORMAT', `byte ${byte}: ${reason}`)
}
