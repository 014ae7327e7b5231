/**
 * Either form of a recording as a reader that bytes are pushed into: the header first, then the items. What it gives
 * must be taken before more is pushed; the end has to be asked for, since a recording that was cut is known by it.
 *
 *     bytes ─▶ lines, or records ─▶ header, item, item ... ─▶ end
 */

import { LineCutter } from '../trace/line-cutter.ts'
import { beginsRecording, parseHeader, type RecordingHeader } from './header.ts'
import { maxPayloadBytes, type RecordingItem } from './item.ts'
import { LineReader } from './line-reader.ts'
import { recordMagic } from './record-form.ts'
import { RecordReader } from './record-reader.ts'

export type RecordingForm = 'lines' | 'records'

/** So many first bytes tell a recording. */
export const formBytes = 32

/** An entry is one line: the longest payload as text, and room for its outcomes. */
const maxLineBytes = Math.ceil((maxPayloadBytes * 4) / 3) + 2 ** 25

/** The form of content that begins with `head`; undefined when it is no recording. */
export function formOf(head: Uint8Array): RecordingForm | undefined {
  if (beginsRecording(new TextDecoder().decode(head.subarray(0, formBytes)))) return 'lines'
  const isRecord = recordMagic.every((byte, k) => head[k] === byte) && head[4] === 0 && head[7] === 0
  return isRecord ? 'records' : undefined
}

export type Headed = RecordingItem | { readonly is: 'header'; readonly header: RecordingHeader }

export interface FormReader {
  /** Takes bytes, to be kept by the caller; gives what they complete. Throws TRACE_FORMAT or JOURNAL_CORRUPT. */
  push(piece: Uint8Array): Iterable<Headed>
  /** No more bytes: what was waiting. Throws TRACE_FORMAT when the recording was cut. */
  end(): Iterable<Headed>
}

export function formReader(form: RecordingForm): FormReader {
  return form === 'lines' ? new LinesReader() : new RecordsReader()
}

class LinesReader implements FormReader {
  readonly #cutter = new LineCutter(maxLineBytes)
  #reader: LineReader | undefined
  #items: Headed[] = []
  #lines = 0

  push(piece: Uint8Array): Headed[] {
    this.#cutter.push(piece, this.#take)
    return this.#taken()
  }

  end(): Headed[] {
    this.#cutter.end(this.#take)
    this.#reader?.end(this.#lines)
    return this.#taken()
  }

  readonly #take = (text: string, number: number) => {
    this.#lines = number
    if (this.#reader !== undefined) {
      this.#items.push(...this.#reader.line(text, number))
      return
    }
    const header = parseHeader(text, `line ${number}`)
    this.#reader = new LineReader(header)
    this.#items.push({ is: 'header', header })
  }

  #taken(): Headed[] {
    const items = this.#items
    this.#items = []
    return items
  }
}

class RecordsReader implements FormReader {
  readonly #reader = new RecordReader()
  #headed = false

  end(): Headed[] {
    this.#reader.end()
    return []
  }

  *push(piece: Uint8Array): Generator<Headed> {
    for (const item of this.#reader.push(piece.slice())) {
      yield* this.#header()
      yield item
    }
    yield* this.#header()
  }

  *#header(): Generator<Headed> {
    const { header } = this.#reader
    if (this.#headed || header === undefined) return
    this.#headed = true
    yield { is: 'header', header }
  }
}
