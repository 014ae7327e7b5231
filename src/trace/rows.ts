/**
 * Traces that are tables: a row a line, a row an event, in the order of the file.
 *
 *     line -> blank or header? skipped : cells -> event
 *
 * Cells are never quoted in these formats, so a row is split at its separator and nothing else. A header may
 * stand before any row, as in files that were joined.
 */

import type { TraceEvent, TraceOptions, TraceParser } from './event.ts'
import { refusal } from './field.ts'
import { LineCutter } from './line-cutter.ts'

const maxLineBytes = 4096

/** What one format says of its rows. */
export interface RowShape {
  /** Names of the columns, as in the header where the format has one. */
  readonly columns: readonly string[]
  /** Whether more columns may follow. */
  readonly more?: boolean
  /** Whether cells are separated by blanks in place of commas. */
  readonly blanks?: boolean
  /** The event of a row with the right number of cells. Throws TRACE_FORMAT. */
  event(cells: readonly string[], line: number, index: number): TraceEvent
}

/** A parser of a table of that shape. */
export function rows(shape: RowShape, { places = false }: TraceOptions): TraceParser {
  return new Rows(shape, places)
}

/** Whether content begins with the header of these columns. */
export function beginsWithHeader(first: Uint8Array, columns: readonly string[]): boolean {
  return firstLine(first).toLowerCase() === columns.join(',').toLowerCase()
}

/** The first line of some first bytes, or what there is of it. */
export function firstLine(first: Uint8Array): string {
  const end = first.indexOf(10)
  return new TextDecoder().decode(end < 0 ? first : first.subarray(0, end)).replace(/\r$/, '')
}

class Rows implements TraceParser {
  readonly #shape: RowShape
  readonly #places: boolean
  readonly #header: string
  readonly #cutter = new LineCutter(maxLineBytes)
  #events: TraceEvent[] = []
  #count = 0

  constructor(shape: RowShape, places: boolean) {
    this.#shape = shape
    this.#places = places
    this.#header = shape.columns.join(',').toLowerCase()
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

  readonly #take = (text: string, line: number): void => {
    const { columns, more, blanks } = this.#shape
    const cells = blanks === true ? text.trim().split(/[ \t]+/) : text.split(',')
    const wanted = columns.length
    if (cells.length !== wanted && !(more === true && cells.length > wanted)) {
      if (text.trim() === '') return
      const shape = `${wanted}${more === true ? ' or more' : ''}: ${columns.join(blanks === true ? ' ' : ',')}`
      throw refusal(
        line,
        `${cells.length} column${cells.length === 1 ? '' : 's'} where the format has ${shape}; is this another format?`,
      )
    }
    if (text.length === this.#header.length && text.toLowerCase() === this.#header) return
    const event = this.#shape.event(cells, line, this.#count++)
    this.#events.push(this.#places ? { ...event, line } : event)
  }
}
