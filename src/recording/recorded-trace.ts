/**
 * A recording as a trace: what hosts asked for, in the order in which they asked, like the trace of any other program.
 *
 *     io.read, io.write, io.zeroes, io.discard, io.flush ─▶ the request, with its bytes where the recording holds them
 *     mark                                               ─▶ mark
 *     anything else: commands, copies, releases, refused ─▶ no event
 *
 * A request that was held or queued stands where it was asked for, not where it took effect: whoever wants the content
 * of a volume exports it from the journal (run/export-run.ts). Times count from the first event that is told. Where a far
 * server answered, it is told when, and what (answers.ts).
 */

import { BlockboxError } from '../core/errors.ts'
import { Columns, type Row } from '../events/columns.ts'
import { textOr } from '../events/detail.ts'
import { flag } from '../events/kind.ts'
import { type TraceEvent, type TraceFlag, type TraceOp, traceOpOf } from '../trace/event.ts'
import { formatNames, type RemarkingParser, type TraceFormat } from '../trace/format.ts'
import { detectFormat, readTrace, type TraceBatch, type TraceRequest } from '../trace/source.ts'
import { Answers, errnoNumber } from './answers.ts'
import { type FormReader, formBytes, formOf, formReader, type Headed } from './form-reader.ts'
import type { RecordingHeader } from './header.ts'
import type { RecordedPayload } from './item.ts'

/** The project's own format, of either form, beside those of other programs. */
export const recordedTrace: TraceFormat = {
  name: 'blockbox-trace',
  title: 'recording of this program (.trace, .trace.jsonl): what hosts asked for, with data',
  parser: () => new RecordedTrace(),
  begins: (first) => formOf(first) !== undefined,
}

const further = [recordedTrace]

/** The events of a trace of another program or of a recording, in batches: `readTrace` that knows both. */
export function readAnyTrace(
  path: string | readonly string[],
  request: Omit<TraceRequest, 'further'> = {},
): AsyncGenerator<TraceBatch> {
  return readTrace(path, { ...request, further })
}

/** The name of the format of a trace or recording, as its content tells. Throws USAGE when it does not. */
export function detectAnyFormat(path: string, signal?: AbortSignal): Promise<string> {
  return detectFormat(path, { further, ...(signal !== undefined && { signal }) })
}

/** The names of all formats that are read, for a message. */
export function anyFormatNames(): string {
  return formatNames(further)
}

class RecordedTrace implements RemarkingParser {
  #head: Uint8Array = new Uint8Array(0)
  #reader: FormReader | undefined
  #header: RecordingHeader | undefined
  readonly #hosts = new Map<number, string>()
  readonly #columns = new Columns()
  #events = 0
  #refused = 0
  #zeroNs: bigint | undefined
  readonly #answers = new Answers()
  /** By what error the report that was read last says that a request failed. */
  #failed = 0;

  *push(bytes: Uint8Array): Generator<TraceEvent> {
    if (this.#reader !== undefined) return yield* this.#told(this.#reader, (reader) => reader.push(bytes))
    const head = new Uint8Array(this.#head.length + bytes.length)
    head.set(this.#head)
    head.set(bytes, this.#head.length)
    this.#head = head
    if (head.length >= formBytes) yield* this.#begin()
  }

  *end(): Generator<TraceEvent> {
    if (this.#reader === undefined) yield* this.#begin()
    yield* this.#told(this.#reader!, (reader) => reader.end())
    yield* this.#answers.rest()
  }

  remark(): string | undefined {
    if (this.#refused === 0) return undefined
    return `${this.#refused} requests were refused when they were recorded: they are no events here`
  }

  *#begin(): Generator<TraceEvent> {
    const form = formOf(this.#head)
    if (form === undefined) {
      throw new BlockboxError('TRACE_FORMAT', 'byte 0: this is no recording: it has no header of one')
    }
    const head = this.#head
    this.#head = new Uint8Array(0)
    this.#reader = formReader(form)
    yield* this.#told(this.#reader, (reader) => reader.push(head))
  }

  /** The events of what a step of the reader gives; to a reader of traces all damage is one thing. */
  *#told(reader: FormReader, step: (reader: FormReader) => Iterable<Headed>): Generator<TraceEvent> {
    try {
      for (const item of step(reader)) yield* this.#item(item)
    } catch (error) {
      if (!(error instanceof BlockboxError) || error.code === 'TRACE_FORMAT') throw error
      throw new BlockboxError('TRACE_FORMAT', error.message, { cause: error })
    }
  }

  *#item(item: Headed): Generator<TraceEvent> {
    if (item.is === 'header') this.#header = item.header
    else if (item.is === 'entry') {
      const event = this.#event(item.row, item.instantNs, undefined)
      if (event !== undefined) yield event
    } else if (item.is === 'frame') {
      const { frame } = item
      const payloads = new Map(item.payloads.map((payload) => [payload.seq, payload]))
      const row = frame.open(this.#columns)
      for (let index = 0; index < frame.count; index++) {
        row.index = index
        this.#answer(row, frame.instantNs)
        const event = this.#event(row, frame.instantNs, payloads.get(row.seq))
        if (event !== undefined) this.#answers.add(event, row.fate === 'forwarded' ? row.seq : 0)
      }
      yield* this.#answers.ready()
    }
  }

  /** Notes what a row says of a request that a far server has. */
  #answer({ kind, about, detail, at }: Row, instantNs: bigint): void {
    if (about === 0) return
    const tNs = Number(instantNs + BigInt(Math.trunc(at)) - (this.#zeroNs ?? instantNs))
    if (kind === 'tap.report') this.#failed = errnoNumber(textOr(detail, 'errno', 'EIO'))
    else if (kind === 'tap.released') this.#answers.answered(about, tNs, 0)
    else if (kind === 'io.failed') this.#answers.answered(about, tNs, this.#failed)
    else if (kind === 'io.lost') this.#answers.answered(about, null, null)
  }

  #event(row: Row, instantNs: bigint, payload: RecordedPayload | undefined): TraceEvent | undefined {
    const { kind, session, fate, code, detail } = row
    if (kind === 'session.opened') this.#hosts.set(session, textOr(detail, 'name', ''))
    if (!row.isInput || (kind !== 'mark' && !kind.startsWith('io.'))) return undefined
    if (fate === 'refused' || code !== 'ok') {
      this.#refused++
      return undefined
    }
    const host = this.#hosts.get(session)
    const data = payload === undefined ? undefined : this.#written(row, payload)
    const about = { ...(host !== undefined && { host }), ...(data !== undefined && { data }) }
    if (kind !== 'mark') return { ...this.#bare(row, traceOpOf[row.op] ?? 'other', instantNs), ...about }
    return { ...this.#bare(row, 'mark', instantNs), label: textOr(detail, 'label', ''), ...about }
  }

  #bare(row: Row, op: TraceOp, instantNs: bigint): TraceEvent {
    const ns = instantNs + BigInt(Math.trunc(row.at))
    this.#zeroNs ??= ns
    const dev = this.#volume(row)?.name ?? (row.volume === 0 ? null : `#${row.volume}`)
    const isRanged = op !== 'flush' && op !== 'mark'
    const range = isRanged ? { offset: row.offset, length: row.length } : { offset: null, length: null }
    return {
      index: this.#events++,
      op,
      ...range,
      tNs: Number(ns - this.#zeroNs),
      dev,
      flags: flagsOf(row.flags),
    }
  }

  /** What the host wrote: a write of part of a block is stored as the blocks that it touches. */
  #written(row: Row, { data, length }: RecordedPayload): Uint8Array | undefined {
    if (row.op !== 'write' || data === undefined) return undefined
    const { block = 4096 } = this.#volume(row) ?? {}
    const from = length === row.length ? 0 : row.offset % block
    return from + row.length > data.length ? undefined : data.subarray(from, from + row.length)
  }

  #volume({ volume }: Row): RecordingHeader['volumes'][number] | undefined {
    return this.#header?.volumes.find(({ number }) => number === volume)
  }
}

function flagsOf(bits: number): TraceFlag[] {
  const flags: TraceFlag[] = []
  if ((bits & flag.fua) !== 0) flags.push('FUA')
  if ((bits & flag.meta) !== 0) flags.push('META')
  if ((bits & flag.sync) !== 0) flags.push('SYNC')
  return flags
}
