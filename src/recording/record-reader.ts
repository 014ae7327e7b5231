/**
 * Reads the compact form, piece by piece. Every fault is told with the byte where its record begins: a sum that does
 * not match, a kind that is not known, a frame that does not decode, records that are missing.
 */

import { Unpackr } from 'msgpackr'
import { fromHex, sameBytes, sha256 } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { Columns, type Row } from '../events/columns.ts'
import { checkRows, decodeFrame } from '../journal/frame.ts'
import type { Checkpoint } from '../journal/journal.ts'
import { rowsWithPayload } from './brought.ts'
import { parseHeader, type RecordingHeader } from './header.ts'
import { Counted, endFault, type RecordedPayload, type RecordingItem } from './item.ts'
import { Plain } from './plain.ts'
import { maxBodyBytes, type RecordKind, recordHeaderBytes, recordKinds, sumOf } from './record-form.ts'

interface WaitingPayload {
  readonly place: number
  readonly data: Uint8Array
}

export class RecordReader {
  header: RecordingHeader | undefined
  #held: Uint8Array = new Uint8Array(0)
  #parts: Uint8Array[] = []
  #partBytes = 0
  /** Place in the file of the record that comes next. */
  #at = 0
  #next = 1
  #counted: Counted | undefined
  #waiting: WaitingPayload[] = []
  #ended = false
  readonly #columns = new Columns()

  /** Demands that everything was there. */
  end(): void {
    this.#join()
    if (this.#ended && this.#held.length === 0) return
    const what = this.#held.length > 0 ? 'in the middle of a record' : 'before its end'
    const message = `byte ${this.#at}: the recording ends ${what}: it was cut; get a whole copy`
    throw new BlockboxError('TRACE_FORMAT', message, { seq: this.#next })
  }

  /** Takes bytes; gives what they complete. Throws TRACE_FORMAT, JOURNAL_CORRUPT or JOURNAL_GAP with the byte. */
  *push(piece: Uint8Array): Generator<RecordingItem> {
    this.#parts.push(piece)
    this.#partBytes += piece.length
    while (this.#held.length + this.#partBytes >= this.#wanted()) {
      this.#join()
      const wanted = this.#wanted()
      if (this.#held.length < wanted) continue
      const bytes = this.#held.subarray(0, wanted)
      this.#held = this.#held.subarray(wanted)
      yield* this.#guarded(() => this.#record(bytes))
      this.#at += wanted
    }
  }

  /** Bytes that the record under way needs, as far as is known. */
  #wanted(): number {
    if (this.#held.length < recordHeaderBytes) return recordHeaderBytes
    return this.#guarded(() => {
      const view = new DataView(this.#held.buffer, this.#held.byteOffset)
      const body = view.getUint32(8, true)
      const kind = String.fromCharCode(...this.#held.subarray(0, 4))
      if (!(recordKinds as readonly string[]).includes(kind) || view.getUint32(4, true) !== 0) {
        throw this.#fault(`there is no record ${JSON.stringify(kind)}: it is damaged, or of a newer blockbox`)
      }
      if (body > maxBodyBytes) throw this.#fault(`a record of ${body} bytes is longer than any may be`)
      return recordHeaderBytes + body
    })
  }

  #join(): void {
    if (this.#parts.length === 0) return
    const joined = this.#held.length === 0 && this.#parts.length === 1 ? this.#parts[0]! : this.#concat()
    this.#held = joined
    this.#parts = []
    this.#partBytes = 0
  }

  #concat(): Uint8Array {
    const all = new Uint8Array(this.#held.length + this.#partBytes)
    all.set(this.#held)
    let at = this.#held.length
    for (const part of this.#parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }

  #record(bytes: Uint8Array): RecordingItem[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    if (sumOf(bytes) !== view.getUint32(12, true))
      throw this.#fault('the record is damaged: its sum does not match')
    const kind = String.fromCharCode(...bytes.subarray(0, 4)) as RecordKind
    const body = bytes.subarray(recordHeaderBytes)
    if (this.#ended) throw this.#fault('a record stands behind the end')
    if ((kind === 'HEAD') !== (this.header === undefined))
      throw this.#fault('the header has its place at the beginning')
    switch (kind) {
      case 'HEAD':
        return this.#begin(body)
      case 'CKPT':
        return [{ is: 'checkpoint', checkpoint: this.#checkpoint(body) }]
      case 'PAYL':
        return this.#payload(body)
      case 'FRAM':
        return [this.#frame(body)]
      case 'ENDS':
        return [this.#end(body)]
    }
  }

  #begin(body: Uint8Array): [] {
    const header = parseHeader(new TextDecoder().decode(body), `byte ${this.#at}`)
    if (header.only !== undefined)
      throw this.#fault('a compact recording holds whole frames, not only some entries')
    this.header = header
    this.#next = header.first
    this.#counted = new Counted(header.previous)
    return []
  }

  #payload(body: Uint8Array): [] {
    if (body.length < 9) throw this.#fault('the payload is empty')
    const place = new DataView(body.buffer, body.byteOffset).getFloat64(0, true)
    this.#waiting.push({ place, data: body.slice(8) })
    return []
  }

  #frame(body: Uint8Array): RecordingItem {
    const frame = decodeFrame(body.slice(), this.#next)
    if (!sameBytes(frame.previous, this.#counted!.head)) {
      const message = `the frame of event ${frame.first} does not hang on the one before it: one of the two was replaced`
      throw new BlockboxError('JOURNAL_CORRUPT', message, { seq: frame.first })
    }
    const row = frame.open(this.#columns)
    checkRows(frame, row)
    const payloads = this.#payloadsOf(row, (k) => frame.digest(k), frame.payloads)
    for (const payload of payloads) this.#counted!.payload(payload)
    this.#counted!.frame(frame, frame.count)
    this.#next = frame.last + 1
    return { is: 'frame', frame, payloads }
  }

  #payloadsOf(row: Row, digestOf: (k: number) => Uint8Array, digests: number): RecordedPayload[] {
    const found: RecordedPayload[] = []
    const waiting = this.#waiting
    this.#waiting = []
    let taken = 0
    for (const [k, index] of rowsWithPayload(row, digests).entries()) {
      row.index = index
      const { seq, payload: place, length } = row
      const digest = digestOf(k)
      const data = waiting[taken]?.place === place ? waiting[taken++]!.data : undefined
      if (data !== undefined && !sameBytes(sha256(data), digest)) {
        const message = this.#fault(
          `the payload of event ${seq} is not the one whose digest its frame holds`,
        ).message
        throw new BlockboxError('PAYLOAD_CORRUPT', message, { seq })
      }
      found.push({ seq, place, length: data?.length ?? length, digest, data })
    }
    if (taken < waiting.length)
      throw this.#fault('there is a payload that no event in the frame behind it refers to')
    return found
  }

  #checkpoint(body: Uint8Array): Checkpoint {
    if (this.#counted!.frames > 0) throw this.#fault('a checkpoint stands behind a frame')
    try {
      const list = new Unpackr({ useRecords: false }).unpack(body) as [
        number,
        number,
        number,
        Uint8Array,
        Uint8Array[],
      ]
      const [seq, stateLow, stateHigh, frameHash, parts] = list
      if (seq !== this.header!.first - 1) throw new Error(`it is true after event ${seq}`)
      const copies = parts.map((part) => new Uint8Array(part))
      return { seq, stateLow, stateHigh, frameHash: new Uint8Array(frameHash), parts: copies }
    } catch (cause) {
      throw this.#fault(`the checkpoint makes no sense: ${(cause as Error).message}`)
    }
  }

  #end(body: Uint8Array): RecordingItem {
    const plain = Plain.parse(new TextDecoder().decode(body), `byte ${this.#at}`)
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
    const fault = endFault(end, this.#counted!.end())
    if (fault !== undefined) throw plain.fault(fault)
    const { last } = this.header!
    if (this.#next !== last + 1) throw plain.fault(`the header says that the last event is ${last}`)
    this.#ended = true
    return { is: 'end', end }
  }

  #fault(what: string): BlockboxError {
    return new BlockboxError('TRACE_FORMAT', `byte ${this.#at}: ${what}`)
  }

  /** Runs a step so that its complaint says the byte and the event. */
  #guarded<T>(step: () => T): T {
    try {
      return step()
    } catch (error) {
      if (!(error instanceof BlockboxError)) throw error
      const message = error.message.startsWith('byte ') ? error.message : `byte ${this.#at}: ${error.message}`
      const seq = this.header === undefined ? {} : { seq: error.seq ?? this.#next }
      throw new BlockboxError(error.code, message, { cause: error, ...seq })
    }
  }
}
