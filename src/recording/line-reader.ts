/**
 * Reads the line form, line by line, and makes the frames again. What is not as it was written is told with its line:
 * text that is no JSON, fields and values that are not of this version, a payload that is not the one of its digest, a
 * frame whose hash is not that of its entries, lines that are missing.
 */

import { fromHex, hex, sameBytes, sha256 } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { Columns, type NewEvent, Row } from '../events/columns.ts'
import { type Detail, noDetail } from '../events/detail.ts'
import { isInput } from '../events/kind.ts'
import { checkRows, encodeFrame, type FrameParts } from '../journal/frame.ts'
import { eventOf } from './event-json.ts'
import { isWhole, type RecordingHeader } from './header.ts'
import {
  Counted,
  endFault,
  maxPayloadBytes,
  type RecordedPayload,
  type RecordingItem,
  type Synthetic,
} from './item.ts'
import { Plain } from './plain.ts'
import { contentOf } from './synthetic.ts'

/** A frame whose entries are being read. */
interface OpenFrame {
  readonly head: Omit<FrameParts, 'columns' | 'details' | 'digests'> & { readonly epoch: number }
  readonly hash: Uint8Array | undefined
  readonly line: number
  /** Events it has. */
  readonly events: number
  /** The sequence number that comes next. */
  next: number
  columns: Columns
  details: Map<number, Detail>
  digests: Uint8Array[]
  payloads: RecordedPayload[]
}

interface OpenCheckpoint {
  readonly seq: number
  readonly low: number
  readonly high: number
  readonly frameHash: Uint8Array
  readonly parts: Uint8Array[]
  left: number
}

export class LineReader {
  readonly #header: RecordingHeader
  readonly #whole: boolean
  readonly #counted: Counted
  #previous: Uint8Array
  #open: OpenFrame | undefined
  #checkpoint: OpenCheckpoint | undefined
  #ended = false
  /** The first event that was not seen whole so far. */
  #next: number

  constructor(header: RecordingHeader) {
    this.#header = header
    this.#whole = isWhole(header)
    this.#previous = header.previous
    this.#counted = new Counted(header.previous)
    this.#next = header.first
  }

  /** Takes a line behind the header; gives what it completes. Throws TRACE_FORMAT or JOURNAL_CORRUPT with the line. */
  line(text: string, number: number): RecordingItem[] {
    try {
      return this.#line(text, number)
    } catch (error) {
      if (!(error instanceof BlockboxError) || error.seq !== undefined) throw error
      throw new BlockboxError(error.code, error.message, {
        cause: error,
        seq: this.#open?.next ?? this.#next,
      })
    }
  }

  /** Demands that everything was there. */
  end(lines: number): void {
    if (this.#ended) return
    const message = `the recording ends after line ${lines}, before its end: it was cut; get a whole copy`
    throw new BlockboxError('TRACE_FORMAT', message, { seq: this.#open?.next ?? this.#next })
  }

  #line(text: string, number: number): RecordingItem[] {
    const where = `line ${number}`
    if (text === '') throw new BlockboxError('TRACE_FORMAT', `${where} is empty`)
    if (this.#ended) throw new BlockboxError('TRACE_FORMAT', `${where} stands behind the end`)
    const plain = Plain.parse(text, where)
    if (this.#checkpoint !== undefined) return this.#part(plain, this.#checkpoint)
    const open = this.#open
    if (open !== undefined && open.next < open.head.first + open.events && plain.has('seq')) {
      return this.#entry(plain, open)
    }
    const done = this.#whole ? this.#openFrameFault(plain) : []
    if (plain.has('frame')) return [...done, ...this.#frame(plain, number)]
    if (plain.has('end')) return [...done, this.#end(plain)]
    if (plain.has('checkpoint') && this.#counted.frames === 0) return this.#begin(plain)
    throw plain.fault('this is no frame, no entry of the frame before and no end')
  }

  #openFrameFault(plain: Plain): [] {
    const open = this.#open
    if (open === undefined) return []
    const { line, next, head, events } = open
    throw plain.fault(
      `event ${next} is missing: the frame of line ${line} ends with ${head.first + events - 1}`,
    )
  }

  #frame(line: Plain, number: number): RecordingItem[] {
    const plain = line.object('frame')
    line.done()
    const first = plain.count('first')
    const state = plain.has('state') ? fromHex(plain.text('state'), 8) : new Uint8Array(8)
    const hash = this.#whole ? fromHex(plain.text('hash')) : undefined
    if (state === undefined) throw plain.fault('state has not 16 hexadecimal digits')
    if (this.#whole && hash === undefined) throw plain.fault('hash is no SHA-256')
    const lanes = new DataView(state.buffer, state.byteOffset)
    const head = {
      first,
      epoch: plain.count('epoch', 2 ** 32 - 1),
      instantNs: plain.instant('instant'),
      durableNs: plain.has('durable') ? plain.instant('durable') : 0n,
      replied: plain.optionalCount('replied'),
      flags: plain.optionalCount('flags', 2 ** 32 - 1),
      stateHigh: lanes.getInt32(0),
      stateLow: lanes.getInt32(4),
    }
    const events = plain.count('events', 2 ** 24)
    plain.done()
    const expected = this.#whole ? first === this.#next : first >= this.#next
    if (!expected) throw plain.fault(`the frame begins with event ${first}, not with ${this.#next}`)
    if (events === 0) throw plain.fault('a frame has at least one event')
    this.#open = { head, hash, line: number, events, next: first, ...fresh() }
    if (!this.#whole) this.#next = first + events
    return []
  }

  /** One entry: the input and its outcomes. */
  #entry(plain: Plain, open: OpenFrame): RecordingItem[] {
    const outcomes = plain.has('outcomes') ? plain.list('outcomes') : []
    const seq = plain.count('seq')
    if (this.#whole ? seq !== open.next : seq < open.next) {
      throw plain.fault(`this is event ${seq}, not ${open.next}: a line is missing or out of place`)
    }
    const start = open.columns.count
    for (const [k, one] of [plain, ...outcomes].entries()) {
      const said = eventOf(one)
      if (said.seq !== seq + k) throw one.fault(`this is event ${said.seq}, not ${seq + k}`)
      if (isInput(said.event.kind) !== (k === 0)) throw one.fault(`${said.event.kind} has no place here`)
      if (said.sha256 !== undefined) this.#payload(one, open, said.seq, said.event, said.sha256)
      one.done()
      this.#push(open, said.event, seq + k)
    }
    open.next = seq + 1 + outcomes.length
    if (open.next > open.head.first + open.events) throw plain.fault('the frame has fewer events than that')
    if (this.#whole) return open.next === open.head.first + open.events ? [this.#close(open)] : []
    this.#counted.events += 1 + outcomes.length
    const row = new Row(open.columns, seq, open.details)
    Object.assign(open, fresh())
    row.index = start
    return [{ is: 'entry', instantNs: open.head.instantNs, row }]
  }

  #push(open: OpenFrame, event: NewEvent, seq: number): void {
    const { detail } = event
    if (detail !== undefined && detail !== noDetail) open.details.set(open.columns.count, detail)
    open.columns.push(event, seq)
  }

  #payload(plain: Plain, open: OpenFrame, seq: number, event: NewEvent, digest: Uint8Array): void {
    const { payload: place = 0, length = 0, offset = 0 } = event
    if (place === 0) throw plain.fault('there is a payload and no place')
    const made = plain.has('synthetic') ? madeBy(plain.object('synthetic')) : undefined
    if (made !== undefined && !(length > 0 && length <= maxPayloadBytes && Number.isSafeInteger(length))) {
      throw plain.fault(`a payload has 1 to ${maxPayloadBytes} bytes`)
    }
    const data = made === undefined ? inlineOf(plain) : contentOf(made, offset, length)
    if (data !== undefined && (data.length === 0 || !sameBytes(sha256(data), digest))) {
      const message = `the payload of event ${seq} is not the one whose digest stands beside it`
      throw new BlockboxError('PAYLOAD_CORRUPT', plain.fault(message).message, { seq })
    }
    const stored = data?.length ?? length
    const payload = {
      seq,
      place,
      length: stored,
      digest,
      data,
      ...(made !== undefined && { synthetic: made }),
    }
    this.#counted.payload(payload)
    open.digests.push(digest)
    open.payloads.push(payload)
  }

  #close(open: OpenFrame): RecordingItem {
    const { head, columns, details, digests, payloads, line, hash } = open
    const frame = encodeFrame({ ...head, columns, details, digests }, head.epoch, this.#previous)
    if (!sameBytes(frame.hash, hash!)) {
      const last = head.first + open.events - 1
      const what = `the entries of events ${head.first} to ${last} give the hash ${hex(frame.hash).slice(0, 16)}...`
      const message = `line ${line}: ${what}, not the one that stands here: an entry or the order was changed`
      throw new BlockboxError('JOURNAL_CORRUPT', message, { seq: head.first })
    }
    checkRows(frame, frame.open())
    this.#previous = frame.hash
    this.#next = frame.last + 1
    this.#counted.frame(frame, frame.count)
    this.#open = undefined
    return { is: 'frame', frame, payloads }
  }

  #begin(line: Plain): RecordingItem[] {
    const plain = line.object('checkpoint')
    line.done()
    const state = fromHex(plain.text('state'), 8)
    const frameHash = fromHex(plain.text('frame_hash'))
    if (state === undefined || frameHash === undefined) throw plain.fault('state or frame_hash is none')
    const lanes = new DataView(state.buffer, state.byteOffset)
    const left = plain.count('parts', 2 ** 20)
    const seq = plain.count('seq')
    plain.done()
    if (left === 0 || seq !== this.#header.first - 1)
      throw plain.fault('it is not true where the range begins')
    this.#checkpoint = { seq, high: lanes.getInt32(0), low: lanes.getInt32(4), frameHash, parts: [], left }
    return []
  }

  #part(plain: Plain, open: OpenCheckpoint): RecordingItem[] {
    open.parts.push(bytesOf(plain, 'part'))
    plain.done()
    open.left--
    if (open.left > 0) return []
    this.#checkpoint = undefined
    const { seq, low: stateLow, high: stateHigh, frameHash, parts } = open
    return [{ is: 'checkpoint', checkpoint: { seq, stateLow, stateHigh, frameHash, parts } }]
  }

  #end(line: Plain): RecordingItem {
    const plain = line.object('end')
    line.done()
    const head = fromHex(plain.text('head'))
    if (head === undefined) throw plain.fault('head is no SHA-256')
    const end = {
      frames: plain.count('frames'),
      events: plain.count('events'),
      payloads: plain.count('payloads'),
      payloadBytes: plain.count('payload_bytes'),
      head,
    }
    plain.done()
    const found = this.#counted.end()
    const fault = endFault(this.#whole ? end : { ...end, frames: found.frames }, found)
    if (fault !== undefined) throw plain.fault(fault)
    if (this.#whole && this.#next !== this.#header.last + 1) {
      throw plain.fault(
        `the header says that the last event is ${this.#header.last}, it is ${this.#next - 1}`,
      )
    }
    this.#ended = true
    return { is: 'end', end }
  }
}

function fresh(): Pick<OpenFrame, 'columns' | 'details' | 'digests' | 'payloads'> {
  return { columns: new Columns(16), details: new Map(), digests: [], payloads: [] }
}

function madeBy(plain: Plain): Synthetic {
  const made = { seed: plain.count('seed'), volume: plain.count('volume'), version: plain.count('version') }
  plain.done()
  return made
}

function inlineOf(plain: Plain): Uint8Array | undefined {
  return plain.has('data') ? bytesOf(plain, 'data') : undefined
}

function bytesOf(plain: Plain, name: string): Uint8Array {
  const text = plain.text(name)
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw plain.fault(`${name} is no base64 text`)
  return new Uint8Array(bytes)
}
