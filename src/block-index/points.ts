/**
 * Points in the index: the marks of a journal, and how late its clock was when, so that `mark:` and `time:` are found
 * without reading the journal from its beginning. A clock may go back between two starts: an entry tells the latest
 * instant so far, which never does.
 *
 *     time T: the first entry later than T ─▶ the events between it and the one before ─▶ the first input later than T
 */

import { Columns, type Row } from '../events/columns.ts'
import { text } from '../events/detail.ts'
import { isInput } from '../events/kind.ts'
import { checkRows } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { wasMade } from '../replay/marks.ts'
import { type Point, seqOf } from '../replay/point.ts'

/** What a segment keeps of points, in the order of events. */
export type PointEntry =
  | { readonly is: 'mark'; readonly seq: number; readonly volume: number; readonly label: string }
  /** Up to event `seq`, the last one of a frame, no input of the segment is later: nanoseconds, as text. */
  | { readonly is: 'instant'; readonly seq: number; readonly atNs: string }

/** True for what JSON gave, when it is such an entry. */
export function isPoint(value: unknown): value is PointEntry {
  const { is, seq, volume, label, atNs } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (!Number.isSafeInteger(seq)) return false
  if (is === 'mark') return Number.isSafeInteger(volume) && typeof label === 'string'
  return is === 'instant' && typeof atNs === 'string' && /^-?\d{1,24}$/.test(atNs)
}

/** After so many events at the latest comes an entry: what is read to find an instant. */
const spacing = 4096

/** Makes the entries of a segment. */
export class PointMaker {
  readonly entries: PointEntry[]
  #latestNs = -1n
  #told: number

  /** @param entries those of the segment that is gone on with; @param before the event in front of what comes */
  constructor(entries: readonly PointEntry[], before: number) {
    this.entries = [...entries]
    this.#told = before
    for (const entry of entries) if (entry.is === 'instant') this.#latestNs = BigInt(entry.atNs)
  }

  /** Takes an event of a frame of so many, with that instant. */
  note(row: Row, instantNs: bigint, count: number): void {
    const { kind, seq, volume } = row
    if (kind === 'mark' && wasMade(row, count))
      this.entries.push({ is: 'mark', seq, volume, label: text(row.detail, 'label') })
    if (!isInput(kind)) return
    const atNs = instantNs + BigInt(row.at)
    if (atNs > this.#latestNs) this.#latestNs = atNs
  }

  /** A frame ends with event `last`; `end`: so does the segment. */
  frame(last: number, end = false): void {
    if (last - this.#told < spacing && !end) return
    this.#told = last
    this.entries.push({ is: 'instant', seq: last, atNs: String(this.#latestNs) })
  }
}

/** The event that a point names, as `seqOf` finds it. @param entries those of all segments, in order */
export async function indexedSeq(
  entries: readonly PointEntry[],
  journal: Journal,
  point: Point,
  volume: number,
  signal?: AbortSignal,
): Promise<number> {
  if (point.by === 'time') return timeSeq(entries, journal, point.atNs, signal)
  if (point.by === 'mark') {
    const newest = (isOn: (on: number) => boolean) =>
      entries.findLast((entry) => entry.is === 'mark' && entry.label === point.name && isOn(entry.volume))
    const found = newest((on) => volume === 0 || on === volume) ?? newest((on) => on === 0)
    if (found !== undefined) return found.seq
  }
  return seqOf(journal, point, volume, signal)
}

async function timeSeq(
  entries: readonly PointEntry[],
  journal: Journal,
  atNs: bigint,
  signal?: AbortSignal,
): Promise<number> {
  const { first, last } = journal.bounds()
  let from = first
  for (const entry of entries) {
    if (entry.is !== 'instant') continue
    if (BigInt(entry.atNs) > atNs) return (await firstPast(journal, from, entry.seq, atNs, signal)) ?? last
    from = entry.seq + 1
  }
  return last
}

/** The event in front of the first input of a stretch that is later. */
async function firstPast(
  journal: Journal,
  from: number,
  to: number,
  atNs: bigint,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const columns = new Columns()
  for await (const frame of journal.read(from, to)) {
    signal?.throwIfAborted()
    const row = frame.open(columns)
    checkRows(frame, row)
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (row.seq >= from && isInput(row.kind) && frame.instantNs + BigInt(row.at) > atNs) return row.seq - 1
    }
  }
  return undefined
}
