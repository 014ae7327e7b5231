/**
 * The log of nbdkit's filter "log": every call and its answer, as the server saw them.
 *
 *     2026-11-21 06:26:05.946066 connection=3 Write id=1 offset=0x0 count=0x1000 fua=0 ...
 *     2026-11-21 06:26:05.946087 connection=3 ...Write id=1 return=0
 *
 * Offsets and counts are hexadecimal bytes; times are the server's wall clock, in microseconds. Numbers of
 * calls are unique within a connection and answers come in any order. The events are the calls, in the order
 * in which they were made; each waits for its answer, and those after it wait with it, so what is held is
 * what was under way. Calls that a connection leaves behind at its end were never answered.
 *
 *     called -> answered -> given out          called -> connection over -> given out without an answer
 *
 * Other lines (Ready, Preconnect, Connect, Disconnect ...) are no events.
 * Rules: filters/log of nbdkit.
 */

import { Numbering } from './doubt.ts'
import type { TraceDoubt, TraceEvent, TraceOp, TraceOptions, TraceParser } from './event.ts'
import { brief, refusal, safeRange } from './field.ts'
import { LineCutter } from './line-cutter.ts'
import { tooFar } from './origin.ts'
import { firstLine } from './rows.ts'

/** The answer to a question about extents lists them all. */
const maxLineBytes = 16 * 2 ** 20

const stamped = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{6}) (.*)$/s
const called = /^connection=(\d{1,9}) (Read|Write|Zero|Trim|Flush|Cache|Extents) id=(\d{1,15}) (.*\.\.\.)$/s
const answered =
  /^connection=(\d{1,9}) \.\.\.(?:Read|Write|Zero|Trim|Flush|Cache|Extents) id=(\d{1,15}) (.*)$/s
const turned = /^connection=(\d{1,9}) (?:Connect|Disconnect) /
const range = /^offset=0x([0-9a-f]{1,16}) count=0x([0-9a-f]{1,16}) /
const result = /(?:^| )return=(-?\d{1,9})(?= |$)/g

const ops: ReadonlyMap<string, TraceOp> = new Map([
  ['Read', 'read'],
  ['Write', 'write'],
  ['Zero', 'zero'],
  ['Trim', 'discard'],
  ['Flush', 'flush'],
  ['Cache', 'other'],
  ['Extents', 'other'],
])

interface Call {
  readonly event: TraceEvent
  settled: boolean
  answer: { tCompleteNs: number; ret: number } | undefined
}

/** A parser of one log. */
export function nbdkitLog({ places = false }: TraceOptions = {}): TraceParser {
  return new NbdkitLog(places)
}

/** Whether content begins with a stamped line of nbdkit. */
export function nbdkitLogBegins(first: Uint8Array): boolean {
  const body = stamped.exec(firstLine(first))?.[8]
  return body !== undefined && /^(?:connection=\d+ |Ready |Preconnect |Fork|Load|Unload)/.test(body)
}

class NbdkitLog implements TraceParser {
  readonly #cutter = new LineCutter(maxLineBytes)
  readonly #numbering: Numbering | undefined
  readonly #open = new Map<string, Map<string, Call>>()
  /** Calls in order, from the oldest that is not settled. */
  #waiting: Call[] = []
  #zeroUs: number | undefined
  #count = 0

  constructor(places: boolean) {
    this.#numbering = places ? new Numbering() : undefined
  }

  doubts(): readonly TraceDoubt[] {
    return this.#numbering?.take() ?? []
  }

  push(bytes: Uint8Array): TraceEvent[] {
    this.#cutter.push(bytes, this.#take)
    return this.#release()
  }

  end(): TraceEvent[] {
    this.#cutter.end(this.#take)
    for (const calls of this.#open.values()) settleAll(calls)
    return this.#release()
  }

  #release(): TraceEvent[] {
    const open = this.#waiting.findIndex((call) => !call.settled)
    const ready = this.#waiting.splice(0, open < 0 ? this.#waiting.length : open)
    return ready.map(({ event, answer }) => ({ ...event, ...(answer ?? { tCompleteNs: null, ret: null }) }))
  }

  readonly #take = (text: string, line: number): void => {
    if (text === '') return
    const parts = stamped.exec(text)
    if (parts === null) throw refusal(line, `no time stamp of nbdkit begins the line "${brief(text)}"`)
    const [year, month, day, hour, minute, second, micro] = parts.slice(1, 8).map(Number)
    const us = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) * 1000 + micro!
    const body = parts[8]!
    const call = called.exec(body)
    if (call !== null) {
      this.#call(call, us, line)
      return
    }
    const answer = answered.exec(body)
    if (answer !== null) {
      this.#answer(answer, us, line)
      return
    }
    const connection = turned.exec(body)?.[1]
    if (connection !== undefined) this.#forget(connection)
    else if (/^connection=\d+ (?:\.\.\.)?(?:Read|Write|Zero|Trim|Flush|Cache|Extents)\b/.test(body)) {
      throw refusal(line, `a call that makes no sense: "${brief(body)}"`)
    }
  }

  #call([, connection, name, id, rest]: readonly string[], us: number, line: number): void {
    const op = ops.get(name!)!
    const calls = this.#open.get(connection!) ?? new Map<string, Call>()
    if (calls.has(id!)) throw refusal(line, `call ${id} of connection ${connection} is made a second time`)
    this.#zeroUs ??= us
    this.#numbering?.see(`connection ${connection}`, Number(id), { line }, 'call')
    const event: TraceEvent = {
      index: this.#count++,
      op,
      ...(op === 'flush' ? { offset: null, length: null } : rangeOf(rest!, line)),
      tNs: this.#since(us, line),
      dev: `conn${connection}`,
      flags: rest!.includes('fua=1') ? ['FUA'] : [],
      ...(this.#numbering !== undefined && { line }),
    }
    const call = { event, settled: false, answer: undefined }
    calls.set(id!, call)
    this.#open.set(connection!, calls)
    this.#waiting.push(call)
  }

  #answer([, connection, id, rest]: readonly string[], us: number, line: number): void {
    const calls = this.#open.get(connection!)
    const call = calls?.get(id!)
    if (calls === undefined || call === undefined) {
      throw refusal(
        line,
        `an answer to call ${id} of connection ${connection}, which the log does not have; is its start missing?`,
      )
    }
    const said = [...rest!.matchAll(result)].at(-1)?.[1]
    if (said === undefined) throw refusal(line, `the answer to call ${id} has no "return="`)
    call.answer = { tCompleteNs: this.#since(us, line), ret: Number(said) }
    call.settled = true
    calls.delete(id!)
  }

  #forget(connection: string): void {
    this.#numbering?.forget(`connection ${connection}`)
    settleAll(this.#open.get(connection))
    this.#open.delete(connection)
  }

  #since(us: number, line: number): number {
    const ns = (us - this.#zeroUs!) * 1000
    if (Number.isSafeInteger(ns)) return ns
    throw refusal(line, tooFar)
  }
}

function settleAll(calls: ReadonlyMap<string, Call> | undefined): void {
  for (const call of calls?.values() ?? []) call.settled = true
}

function rangeOf(rest: string, line: number): { offset: number; length: number } {
  const found = range.exec(rest)
  if (found === null) throw refusal(line, `the call has no "offset=0x.. count=0x..": "${brief(rest)}"`)
  const offset = Number.parseInt(found[1]!, 16)
  const length = Number.parseInt(found[2]!, 16)
  if (!Number.isSafeInteger(offset)) throw refusal(line, `the offset 0x${found[1]} is beyond 2^53`)
  safeRange(offset, length, line)
  return { offset, length }
}
