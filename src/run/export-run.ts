/**
 * A stretch of a journal as the events of a trace: what reached one volume, in the order in which it took effect, so
 * that whoever replays the trace gets the volume's content.
 *
 *     passed or released request of a host ─▶ read, write, zero, discard, flush
 *     write of a fence, a mover or a merge ─▶ write, zero
 *     copy of a pair that ended here       ─▶ write or discard of what it changed
 *     volume made smaller                  ─▶ zero of what was cut off
 *     mark on the volume, or on none       ─▶ mark
 *
 * Requests that were refused, dropped or lost changed nothing and are counted only. Times count from the first event.
 * A trace that begins behind the volume's creation replays onto the volume as it was then. It gives the medium: while a
 * restore runs, readers see more than that.
 * Hosts may change any bytes, most formats know whole sectors: see whole-sectors.ts.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Range } from '../core/range.ts'
import { Columns, type Event, type Row } from '../events/columns.ts'
import { textOr } from '../events/detail.ts'
import { flag } from '../events/kind.ts'
import { writtenBytes } from '../images/merged.ts'
import { checkRows, type Frame } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { nearestWorld, unfoldable } from '../journal/state.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { blocksOf } from '../layers/pair-state.ts'
import { overlayOf } from '../layers/preserve-state.ts'
import { isWhole } from '../layers/sub-block.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { type TraceEvent, type TraceFlag, type TraceOp, traceOpOf } from '../trace/event.ts'
import { evolve } from '../volume.ts'
import type { EventBatch } from './conversion.ts'
import { mediumContent, wholeSectors } from './whole-sectors.ts'

export interface ExportAsk {
  /** The volume's number. */
  readonly volume: number
  /** Events of the journal, both included; its first and its last when left out. */
  readonly from?: number
  readonly to?: number
  /** Bytes of a sector of the format, a power of two; 512 when left out, 1 where it knows any range. */
  readonly sector?: number
  readonly signal?: AbortSignal
}

/** What came besides the events; grows while they are taken. */
export interface ExportTally {
  /** Requests on the volume that changed nothing, by what became of them. */
  readonly without_effect: Record<string, number>
  /** Events that no host asked for: copies, fences, movers, merges. */
  internal: number
  /** Requests that covered some sector only in part and are told in whole ones. */
  partial: number
  /** The volume held something already before the first event. */
  onto: boolean
}

const batchBytes = 2 ** 20
const batchEvents = 4096

export function exportTally(): ExportTally {
  return { without_effect: {}, internal: 0, partial: 0, onto: false }
}

/** The events, in batches. Throws USAGE for a view, JOURNAL_TRUNCATED, or what damage says. */
export async function* exportEvents(
  { journal, payload }: { readonly journal: Journal; readonly payload: PayloadStore },
  ask: ExportAsk,
  tally: ExportTally = exportTally(),
): AsyncGenerator<EventBatch> {
  const { first, last } = journal.bounds()
  const { volume, from = first, to = last, sector = 512, signal } = ask
  if (from < first) {
    const why = `event ${from} was given up: the journal begins with event ${first}`
    throw new BlockboxError('JOURNAL_TRUNCATED', why)
  }
  const world = await nearestWorld(journal, from - 1)
  const reaching = new Reaching(world, payload, { volume, sector }, tally)
  const columns = new Columns()
  for await (const frame of journal.read(world.seq + 1, to)) {
    signal?.throwIfAborted()
    const row = frame.open(columns)
    checkRows(frame, row)
    for (row.index = 0; row.index < frame.count && row.seq <= to; row.index++) {
      if (row.seq <= world.seq) continue
      if (row.seq === from) reaching.begin()
      try {
        if (row.seq < from) evolve(world, row)
        else reaching.fold(row, frame)
      } catch (error) {
        throw unfoldable(world, error)
      }
      if (reaching.isFull) yield { events: reaching.take() }
    }
  }
  yield { events: reaching.take() }
}

/** What the events of one change have in common. */
type About = Pick<TraceEvent, 'tNs' | 'flags' | 'host'>

/** Folds the journal and gathers what reaches the volume. */
class Reaching {
  readonly #world: World
  readonly #payload: PayloadStore
  readonly #volume: number
  readonly #sector: number
  readonly #tally: ExportTally
  #events: TraceEvent[] = []
  #bytes = 0
  #count = 0
  #zeroNs: bigint | undefined

  constructor(
    world: World,
    payload: PayloadStore,
    { volume, sector }: { readonly volume: number; readonly sector: number },
    tally: ExportTally,
  ) {
    this.#world = world
    this.#payload = payload
    this.#volume = volume
    this.#sector = sector
    this.#tally = tally
  }

  get isFull(): boolean {
    return this.#bytes >= batchBytes || this.#events.length >= batchEvents
  }

  begin(): void {
    this.#refuseView()
    this.#tally.onto = (volumeOf(this.#world, this.#volume)?.map.mapped ?? 0) > 0
  }

  take(): TraceEvent[] {
    const events = this.#events
    this.#events = []
    this.#bytes = 0
    return events
  }

  fold(row: Row, frame: Frame): void {
    const host = row.session === 0 ? undefined : this.#world.sessions.get(row.session)
    const tNs = () => this.#since(frame.instantNs + BigInt(row.at))
    if (row.volume === this.#volume && row.fate === 'passed') {
      evolve(this.#world, row)
      return this.#requested(row, tNs(), host)
    }
    const before = volumeOf(this.#world, this.#volume)
    const isRanged = row.length > 0 && before !== undefined
    const cut = before?.size ?? 0
    const runs = isRanged && reaches(row, cut) ? this.#runs(row) : undefined
    evolve(this.#world, row)
    if (runs !== undefined && runs !== this.#runs(row)) this.#copied(row, tNs())
    if (row.volume !== this.#volume && row.kind !== 'mark') return
    switch (row.kind) {
      case 'mark':
        if (row.volume === this.#volume || row.volume === 0) this.#add(this.#mark(row, tNs(), host))
        return
      case 'preserve.created':
        return this.#refuseView()
      case 'branch.finished':
        return this.#refuseBranch(row.seq)
      case 'volume.resized':
        return this.#resized(cut, tNs)
      case 'hold.dropped':
      case 'hold.failed':
      case 'io.failed':
      case 'io.lost':
        return this.#without(row.kind)
      default:
        if (row.fate === 'refused') this.#without('refused')
    }
  }

  #refuseView(): void {
    if (overlayOf(this.#world, this.#volume) === undefined) return
    const name = volumeOf(this.#world, this.#volume)?.name ?? `#${this.#volume}`
    const why = 'is a view of another volume: what it shows did not all reach it; export that one'
    throw new BlockboxError('USAGE', `${name} ${why}, or write an image of the view`)
  }

  /** What a branch began with was written to another volume: a trace of its own requests alone would lack it. */
  #refuseBranch(seq: number): void {
    const { name, map } = volumeOf(this.#world, this.#volume)!
    if (map.mapped === 0) return
    const why = 'begins as another volume was, which no request of its own says'
    const from = seq + 1
    throw new BlockboxError(
      'USAGE',
      `${name} ${why}: export what came after event ${seq}, with --from seq:${from}`,
    )
  }

  #requested(row: Row, tNs: number, host: string | undefined): void {
    const { op, offset, length, payload } = row
    if (row.session === 0) this.#tally.internal++
    const about = { tNs, flags: flagsOf(row.flags), ...(host !== undefined && { host }) }
    if (op === 'flush') return this.#add({ ...this.#event('flush', about) })
    const { block } = volumeOf(this.#world, this.#volume)!
    const isPlain = op === 'write' && payload !== 0 && isWhole({ offset, length }, this.#sector)
    const data = isPlain ? writtenBytes(this.#payload, { offset, length, payload }, block) : undefined
    this.#change(traceOpOf[op] ?? 'other', { offset, length }, about, data)
  }

  /** A copy, or a write to the other side of a pair, changed the range here as well. */
  #copied(row: Event, tNs: number): void {
    const volume = volumeOf(this.#world, this.#volume)!
    const { offset } = row
    const range = { offset, length: Math.min(row.length, volume.size - offset) }
    this.#tally.internal++
    const { first, count } = blocksOf(range, volume)
    const isZero = volume.map.runs(first, count).every(({ place }) => place === 0)
    this.#change(isZero ? 'zero' : 'write', range, { tNs, flags: [] })
  }

  #resized(before: number, tNs: () => number): void {
    const after = volumeOf(this.#world, this.#volume)?.size ?? before
    if (after >= before) return
    this.#tally.internal++
    this.#change('zero', { offset: after, length: before - after }, { tNs: tNs(), flags: [] })
  }

  /** What became of a range, in whole sectors. @param data what was written, where it is whole sectors */
  #change(op: TraceOp, range: Range, about: About, data?: Uint8Array): void {
    if (!isWhole(range, this.#sector)) this.#tally.partial++
    for (const { op: does, ...sectors } of wholeSectors(op, range, this.#sector)) {
      const event = { ...this.#event(does, about), ...sectors }
      this.#add(does === 'write' ? { ...event, data: data ?? this.#content(sectors) } : event)
    }
  }

  #content(range: Range): Uint8Array {
    return mediumContent(volumeOf(this.#world, this.#volume)!, this.#payload, range)
  }

  #mark(row: Event, tNs: number, host: string | undefined): TraceEvent {
    const label = textOr(row.detail, 'label', '')
    return { ...this.#event('mark', { tNs, flags: [] }), label, ...(host !== undefined && { host }) }
  }

  #event(op: TraceOp, about: About): TraceEvent {
    const dev = volumeOf(this.#world, this.#volume)?.name ?? null
    return { index: this.#count++, op, offset: null, length: null, dev, ...about }
  }

  #add(event: TraceEvent): void {
    this.#events.push(event)
    this.#bytes += event.data?.length ?? 0
  }

  #without(what: string): void {
    const { without_effect } = this.#tally
    without_effect[what] = (without_effect[what] ?? 0) + 1
  }

  /** Where the content of a range lies, as a text that differs when it lies elsewhere. */
  #runs(row: Event): string {
    const volume = volumeOf(this.#world, this.#volume)
    if (volume === undefined) return ''
    const { first, count } = blocksOf(row, volume)
    return volume.map
      .runs(first, count)
      .map(({ block, count: blocks, place }) => `${block} ${blocks} ${place}`)
      .join()
  }

  #since(ns: bigint): number {
    this.#zeroNs ??= ns
    return Number(ns - this.#zeroNs)
  }
}

function reaches({ offset, length }: Event, size: number): boolean {
  return Number.isSafeInteger(offset) && offset >= 0 && offset + length <= size
}

function flagsOf(bits: number): TraceFlag[] {
  const flags: TraceFlag[] = []
  if ((bits & flag.fua) !== 0) flags.push('FUA')
  if ((bits & flag.meta) !== 0) flags.push('META')
  if ((bits & flag.sync) !== 0) flags.push('SYNC')
  return flags
}
