/**
 * The default text of blkparse, which shows a block trace a record a line.
 *
 *     259,0    1       12     0.000211654 25346  Q  RA 0 + 32 [mkfs]        device, CPU, sequence, seconds,
 *       7,0    0        0     0.000000000 25346  Q FWS [(null)]             process, step, letters, the rest
 *
 * Places and counts are sectors of 512 bytes; times count from the first record. The events are the lines of
 * one step, in the order of the file; those without data have no place. The summary is passed by.
 *
 *     events <-> summary          a line of totals leads in, a line of an event leads out
 *
 * Rules: blkparse_fmt.c and blkparse.1 (blktrace).
 */

import { blockFlags, blockOp, categoryOf } from './block-action.ts'
import { Numbering } from './doubt.ts'
import type { BlockAction, TraceDoubt, TraceEvent, TraceOptions, TraceParser } from './event.ts'
import { brief, exactNs, refusal, safeRange, second, sectors } from './field.ts'
import { LineCutter } from './line-cutter.ts'
import { firstLine } from './rows.ts'

const maxLineBytes = 8192
const eventLine = /^ *(\d+, ?\d+) +\d+ +\d+ +(\d{1,9})\.(\d{9}) +\d+ +([A-Z]{1,2}|m) +(\S+)(?: +(.*))?$/
/** The processor and the number of a record, behind its device. */
const numbers = /^ *\d+, ?\d+ +(\d+) +(\d{1,15}) /
const totals = /^(?:CPU\d+|Total) \(.*\):$/
const skips = /^Skips: ([1-9]\d*) forward/
const preface = /^Input file .* added$/
const place = /^(\d+) \+ (\d+)(?: |$)/
/** A command passed through: its length or sector, then its bytes in parentheses. */
const packet = /^\d+ \(/

/** A parser of one text; `action` names the step, Q when left out. */
export function blkparse({ action = 'Q', places = false }: TraceOptions = {}): TraceParser {
  return new Blkparse(action, places)
}

/** Whether content begins with the line of an event. */
export function blkparseBegins(first: Uint8Array): boolean {
  return eventLine.test(firstLine(first))
}

class Blkparse implements TraceParser {
  readonly #action: BlockAction
  readonly #numbering: Numbering | undefined
  readonly #cutter = new LineCutter(maxLineBytes)
  #summary = false
  #events: TraceEvent[] = []
  #count = 0

  constructor(action: BlockAction, places: boolean) {
    this.#action = action
    this.#numbering = places ? new Numbering() : undefined
  }

  push(bytes: Uint8Array): TraceEvent[] {
    this.#events = []
    this.#cutter.push(bytes, this.#take)
    return this.#events
  }

  end(): TraceEvent[] {
    this.#events = []
    this.#cutter.end(this.#take)
    return this.#events
  }

  doubts(): readonly TraceDoubt[] {
    return this.#numbering?.take() ?? []
  }

  readonly #take = (text: string, line: number): void => {
    const found = eventLine.exec(text)
    if (found === null) {
      if (totals.test(text)) this.#summary = true
      const lost = skips.exec(text)?.[1]
      if (lost !== undefined) this.#numbering?.add({ line, detail: `blkparse skipped ${lost} records` })
      if (this.#summary || text.trim() === '' || preface.test(text)) return
      throw refusal(line, `no line of an event or a summary of blkparse: "${brief(text)}"`)
    }
    this.#summary = false
    this.#number(text, line)
    const [, dev, seconds, nanos, action, letters, rest] = found
    if (action !== this.#action || packet.test(rest ?? '')) return
    const bits = categoryOf(letters!)
    if (bits === undefined) throw refusal(line, `the letters "${brief(letters!)}" name no request`)
    const [, sector, count] = place.exec(rest ?? '') ?? []
    const length = count === undefined ? 0 : sectors(count, line, 'number of sectors')
    const offset = sector === undefined || length === 0 ? null : sectors(sector, line, 'sector')
    if (offset !== null) safeRange(offset, length, line)
    const op = blockOp(bits, length)
    const tNs = exactNs(Number(seconds) * second + Number(nanos), line)
    const flags = blockFlags(bits, op)
    const event = { index: this.#count++, op, offset, length, tNs, dev: dev!.replace(' ', ''), flags }
    this.#events.push(this.#numbering === undefined ? event : { ...event, line })
  }

  #number(text: string, line: number): void {
    if (this.#numbering === undefined) return
    const found = numbers.exec(text)
    if (found !== null) this.#numbering.see(`CPU ${found[1]}`, Number(found[2]), { line }, 'record')
  }
}
