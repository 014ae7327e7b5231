/**
 * The history of a client as it saw it: JSON lines, a header and then a line a request, in order of answers.
 *
 *     {"host":"hostA","epoch_ns":1795242304654892100, ...}
 *     {"id":1,"op":"write","offset":4096,"length":512,"t_submit_ns":215700,"flags":["FUA"],"t_complete_ns":743867}
 *
 * Offsets and lengths are bytes, times nanoseconds since the epoch of the header, which is the zero. The events
 * come in the order in which they were submitted; that is known at the end only, so all wait for it. Requests
 * submitted at the same time keep the order of the file.
 */

import type { TraceDoubt, TraceEvent, TraceFlag, TraceOp, TraceOptions, TraceParser } from './event.ts'
import { brief, refusal, safeRange } from './field.ts'
import { LineCutter } from './line-cutter.ts'

/** A read may list a tag for every sector it saw. */
const maxLineBytes = 4 * 2 ** 20

const ops: ReadonlyMap<string, TraceOp> = new Map([
  ['read', 'read'],
  ['write', 'write'],
  ['zero', 'zero'],
  ['trim', 'discard'],
  ['discard', 'discard'],
  ['flush', 'flush'],
])
const flagNames: ReadonlySet<string> = new Set(['FUA', 'META', 'SYNC', 'FLUSH'] satisfies TraceFlag[])

type Fields = Readonly<Record<string, unknown>>

/** A parser of one history. */
export function history({ places = false }: TraceOptions = {}): TraceParser {
  return new History(places)
}

/** Whether content begins with a header. */
export function historyBegins(first: Uint8Array): boolean {
  return /^\{ ?"host": ?"[^"]*", ?"epoch_ns": ?\d/.test(new TextDecoder().decode(first))
}

class History implements TraceParser {
  readonly #cutter = new LineCutter(maxLineBytes)
  readonly #events: TraceEvent[] = []
  readonly #places: boolean
  #header = false
  /** The numbers of requests: how many, the least and the greatest. */
  #ids = { count: 0, least: Infinity, most: -Infinity }

  constructor(places: boolean) {
    this.#places = places
  }

  push(bytes: Uint8Array): TraceEvent[] {
    this.#cutter.push(bytes, this.#take)
    return []
  }

  *end(): Generator<TraceEvent> {
    this.#cutter.end(this.#take)
    if (!this.#header) throw refusal(1, 'no header with "epoch_ns"; the file is empty')
    this.#events.sort((a, b) => a.tNs! - b.tNs!)
    for (const [index, event] of this.#events.entries()) yield { ...event, index }
  }

  doubts(): readonly TraceDoubt[] {
    const { count, least, most } = this.#ids
    this.#ids = { count: 0, least: Infinity, most: -Infinity }
    const missing = most - least + 1 - count
    if (count === 0 || missing <= 0) return []
    return [{ detail: `${missing} of the requests ${least} to ${most} are missing` }]
  }

  readonly #take = (text: string, line: number): void => {
    if (text.trim() === '') return
    const fields = objectOf(text, line)
    if (!this.#header) {
      if (typeof fields.epoch_ns !== 'number') {
        throw refusal(line, 'a history begins with a header that has "epoch_ns"; name the right format')
      }
      this.#header = true
      return
    }
    const op = ops.get(String(fields.op))
    if (op === undefined) throw refusal(line, `the operation "${brief(String(fields.op))}" is unknown`)
    const complete = fields.t_complete_ns ?? null
    if (this.#places && Number.isSafeInteger(fields.id)) this.#number(fields.id as number)
    this.#events.push({
      index: 0,
      op,
      ...(op === 'flush' ? { offset: null, length: null } : rangeOf(fields, line)),
      tNs: number(fields, 't_submit_ns', line),
      dev: null,
      flags: flagsOf(fields, line),
      tCompleteNs: complete === null ? null : number(fields, 't_complete_ns', line),
      ...(this.#places && { line }),
    })
  }

  #number(id: number): void {
    const { count, least, most } = this.#ids
    this.#ids = { count: count + 1, least: Math.min(least, id), most: Math.max(most, id) }
  }
}

function objectOf(text: string, line: number): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refusal(line, `no JSON object: "${brief(text)}"`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw refusal(line, `no JSON object: "${brief(text)}"`)
}

function rangeOf(fields: Fields, line: number): { offset: number; length: number } {
  const offset = number(fields, 'offset', line)
  const length = number(fields, 'length', line)
  safeRange(offset, length, line)
  return { offset, length }
}

function number(fields: Fields, name: string, line: number): number {
  const value = fields[name]
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw refusal(line, `"${name}" is no whole number from 0 to 2^53`)
}

function flagsOf({ flags = [] }: Fields, line: number): TraceFlag[] {
  const known = (name: unknown): name is TraceFlag => typeof name === 'string' && flagNames.has(name)
  if (Array.isArray(flags) && flags.every(known)) return flags
  throw refusal(line, '"flags" is no list of FUA, META, SYNC and FLUSH')
}
