/**
 * The I/O log of fio, text of versions 2 and 3 (`--write_iolog`, `--read_iolog`).
 *
 *     fio version 2 iolog            fio version 3 iolog
 *     vol.img open                   470 vol.img open
 *     vol.img write 4096 16384       476 vol.img write 4096 16384
 *
 * Stamps are microseconds since the start of the job; offsets and lengths are bytes, a length below 2^32.
 * The events are the I/O actions: read, write, trim, and sync and datasync as flushes, whose stale offset is
 * dropped. `add`, `open`, `close` and the `wait` of version 2 pace and frame the job and are no events.
 * Rules: iolog.c and HOWTO.rst, "Trace file format" (fio).
 */

import type { TraceEvent, TraceOp, TraceOptions, TraceParser } from './event.ts'
import { brief, refusal, safeRange, whole } from './field.ts'
import { LineCutter } from './line-cutter.ts'

/** How the first line of a log begins. */
export const fioHeader = 'fio version '

const maxLineBytes = 4095
const maxName = 256
const maxLength = 2 ** 32 - 1

const io: ReadonlyMap<string, TraceOp> = new Map([
  ['read', 'read'],
  ['write', 'write'],
  ['sync', 'flush'],
  ['datasync', 'flush'],
  ['trim', 'discard'],
])
const framing: ReadonlySet<string> = new Set(['add', 'open', 'close'])

/** A parser of one log; the version stands in its first line. */
export function fioIolog({ places = false }: TraceOptions = {}): TraceParser {
  return new FioIolog(places)
}

class FioIolog implements TraceParser {
  readonly #cutter = new LineCutter(maxLineBytes)
  readonly #places: boolean
  #version = 0
  #events: TraceEvent[] = []
  #count = 0

  constructor(places: boolean) {
    this.#places = places
  }

  push(bytes: Uint8Array): TraceEvent[] {
    this.#events = []
    this.#cutter.push(bytes, this.#take)
    return this.#events
  }

  end(): TraceEvent[] {
    this.#events = []
    this.#cutter.end(this.#take)
    if (this.#version === 0) throw refusal(1, `no line "${fioHeader}2 iolog" or "3"; the file is empty`)
    return this.#events
  }

  readonly #take = (text: string, line: number): void => {
    if (line === 1) {
      this.#version = versionOf(text)
      return
    }
    const words = text.split(/[ \t\v\f\r]+/).filter((word) => word !== '')
    if (words.length === 0) return
    if (text.startsWith(fioHeader)) {
      throw refusal(
        line,
        'a second log begins here, for fio appends to its file; split the file before this line',
      )
    }
    const stamp = this.#version === 3 ? whole(words.shift()!, line, 'time stamp') : null
    this.#action(words, stamp, line)
  }

  #action(words: readonly string[], stamp: number | null, line: number): void {
    const [name, action] = words
    if (name === undefined || action === undefined) throw refusal(line, 'the line ends before its action')
    if (name.length > maxName) throw refusal(line, `the file name has more than ${maxName} characters`)
    const op = io.get(action)
    const waits = action === 'wait' && this.#version === 2
    if (op === undefined && !waits && !framing.has(action)) {
      throw refusal(line, `the action "${brief(action)}" is unknown to version ${this.#version} of the log`)
    }
    const wanted = framing.has(action) ? 2 : 4
    if (words.length !== wanted) {
      const shape = wanted === 2 ? 'nothing after it' : 'an offset and a length after it, no more'
      throw refusal(line, `"${action}" has ${shape}; is there a space in the file name, or a torn line?`)
    }
    if (wanted === 2) return
    const offset = whole(words[2]!, line, 'offset')
    const length = whole(words[3]!, line, 'length')
    if (length > maxLength) throw refusal(line, `the length ${length} is not below 2^32`)
    safeRange(offset, length, line)
    if (op === undefined) return
    const tNs = stamp === null ? null : stamp * 1000
    if (tNs !== null && tNs > Number.MAX_SAFE_INTEGER) {
      throw refusal(line, `the time stamp ${stamp} is beyond 2^53 nanoseconds`)
    }
    const range = op === 'flush' ? { offset: null, length: null } : { offset, length }
    const event = { index: this.#count++, op, ...range, tNs, dev: name, flags: [] }
    this.#events.push(this.#places ? { ...event, line } : event)
  }
}

function versionOf(text: string): number {
  const header = /^fio version (\d+) iolog\s*$/.exec(text)
  if (header?.[1] === '2' || header?.[1] === '3') return Number(header[1])
  if (header !== null)
    throw refusal(1, `version ${brief(header[1]!)} of the log is unknown; 2 and 3 can be read`)
  if (/^\s*[01]\s*,\s*\d+\s*,\s*\d+\s*$/.test(text)) {
    throw refusal(
      1,
      'this is version 1 of the log, which fio gave up in 1.20; write it anew as version 2 or 3',
    )
  }
  throw refusal(1, `a log begins with "${fioHeader}2 iolog" or "3"; name the right format`)
}
