/**
 * The binary trace of blktrace and of the kernel's tracer "blk": what happened to requests in the block layer.
 *
 *     magic u32 | sequence u32 | time u64 | sector u64 | bytes u32 | action u32 | pid u32 | device u32 | cpu u32
 *     | error u16 | extra bytes u16 | extra bytes                                         48 bytes and the extra
 *
 * The byte order is that of the machine, told by the magic. Sectors have 512 bytes, times are nanoseconds on
 * the machine's clock. The lower byte of the action is the step (Q, D, C and others), its upper half what the
 * request is. There is a file for every CPU, so a trace may have several files, and a record counts for what it
 * says, whatever the file's name: the events are those of one step, by time, then by place in the files. That
 * order is known at the end only, so all events wait for it, as columns of numbers.
 *
 *     header <-> extra
 *
 * Notes (process names, wall clock, messages) and passed-through commands are no events.
 * Rules: blktrace_api.h and blkparse.c (blktrace).
 */

import { BlockboxError } from '../core/errors.ts'
import { actionCode, blockFlags, blockOp, category } from './block-action.ts'
import { ByteCutter } from './byte-cutter.ts'
import { type ByteOrder, bigEndian, littleEndian } from './byte-order.ts'
import { Numbering } from './doubt.ts'
import type { TraceDoubt, TraceEvent, TraceOptions, TraceParser } from './event.ts'
import { sectorBytes } from './field.ts'
import { TimeOrder } from './time-order.ts'

const headerBytes = 48
const magic = 0x65617400
const version = 7
const stepMask = 0xff
const minorBits = 20

/** A parser of one trace, of one file or several; `action` names the step, Q when left out. */
export function blktrace({ action = 'Q', places = false }: TraceOptions = {}): TraceParser {
  return new Blktrace(actionCode[action], places)
}

/** Whether content begins with the magic number of a record. */
export function blktraceBegins(first: Uint8Array): boolean {
  return first.length >= 4 && orderOf(first) !== undefined
}

function orderOf(bytes: Uint8Array): ByteOrder | undefined {
  return [littleEndian, bigEndian].find((order) => (order.u32(bytes, 0) & ~0xff) === magic)
}

class Blktrace implements TraceParser {
  readonly #step: number
  readonly #numbering: Numbering | undefined
  readonly #order = new TimeOrder((device) => `${device >>> minorBits},${device & (2 ** minorBits - 1)}`)
  #cutter = new ByteCutter()
  #bytes: ByteOrder | undefined
  /** Extra bytes to pass by; undefined when a header comes next. */
  #extra: number | undefined

  constructor(step: number, places: boolean) {
    this.#step = step
    this.#numbering = places ? new Numbering() : undefined
  }

  push(bytes: Uint8Array): TraceEvent[] {
    this.#cutter.push(bytes)
    for (;;) {
      const piece = this.#cutter.take(this.#extra ?? headerBytes)
      if (piece === undefined) return []
      if (this.#extra === undefined) this.#extra = this.#header(piece)
      else this.#extra = undefined
      if (this.#extra === 0) this.#extra = undefined
    }
  }

  nextFile(): void {
    const at = this.#cutter.offset + this.#cutter.waiting
    if (this.#extra !== undefined || this.#cutter.waiting > 0) {
      throw damage(at, 'the file ends inside a record; get the whole file')
    }
    this.#cutter = new ByteCutter()
    this.#bytes = undefined
  }

  end(): Iterable<TraceEvent> {
    this.nextFile()
    return this.#order.events()
  }

  doubts(): readonly TraceDoubt[] {
    return this.#numbering?.take() ?? []
  }

  /** Takes a header and returns how many extra bytes follow it. */
  #header(b: Uint8Array): number {
    const at = this.#cutter.offset - headerBytes
    this.#bytes ??= orderOf(b)
    const order = this.#bytes
    const mark = order?.u32(b, 0)
    if (order === undefined || mark !== (magic | version)) {
      const known = order !== undefined && mark !== undefined && (mark & ~0xff) === magic
      throw damage(
        at,
        known
          ? `a record has version ${mark & 0xff} of the trace; only ${version} can be read`
          : 'no magic number of a blktrace record here; is it another format, or damaged?',
      )
    }
    const action = order.u32(b, 28)
    const bits = action >>> 16
    const extra = order.u16(b, 46)
    if (this.#numbering !== undefined && (bits & category.notify) === 0) {
      this.#numbering.see(`CPU ${order.u32(b, 40)}`, order.u32(b, 4), { byte: at }, 'record')
    }
    if ((action & stepMask) !== this.#step || (bits & (category.notify | category.packet)) !== 0) return extra
    const length = order.u32(b, 24)
    const sector = order.high(b, 16) * 2 ** 32 + order.low(b, 16)
    const offset = length === 0 ? null : sector * sectorBytes
    if (offset !== null && offset + length > Number.MAX_SAFE_INTEGER) {
      throw damage(at + 16, `sector ${sector} lies beyond 2^53 bytes`)
    }
    const op = blockOp(bits, length)
    const event = { op, flags: blockFlags(bits, op), offset, length, dev: order.u32(b, 36) }
    const wrong = this.#order.add(order.high(b, 8), order.low(b, 8), event)
    if (wrong !== undefined) throw damage(at + 8, wrong)
    return extra
  }
}

function damage(byte: number, reason: string): BlockboxError {
  return new BlockboxError('TRACE_FORMAT', `byte ${byte}: ${reason}`)
}
