/**
 * Deciding again: one recorded input is given to today's rules, and every event they produce is compared with the one
 * that was recorded at its place. Instants and digests of what was read are results, not decisions, and are taken
 * from the record; so are the blocks that a change of part of a block was merged into, and that what it was to be
 * merged with could not be read.
 */

import type { NewEvent, Row } from '../events/columns.ts'
import { type Detail, noDetail } from '../events/detail.ts'
import { refuse, volumeOf, type World } from '../layers/layer.ts'
import { reached } from '../layers/preserve-state.ts'
import { isMerged } from '../layers/sub-block.ts'
import { enterCommand, followIo, judgeNext, somethingFollows } from '../volume/entry.ts'
import { evolve } from '../volume.ts'

/** Today's rules and the record part at event `seq`. */
export class Divergence extends Error {
  readonly seq: number

  constructor(seq: number, message: string) {
    super(message)
    this.name = 'Divergence'
    this.seq = seq
  }
}

/** What is told of each event as it is folded. */
export interface Watcher {
  before(event: Row): void
  after(event: Row): void
}

/**
 * Decides the entry whose input `row` stands on, comparing and folding each of its events; leaves `row` behind the
 * entry. Throws a Divergence at the first difference.
 *
 * @param instantNs the instant of the frame: commands know when they were asked.
 */
export function decideAgain(world: World, row: Row, instantNs: bigint, watcher: Watcher): void {
  if (row.op === 'none') {
    const atUs = Number((instantNs + BigInt(row.at)) / 1000n)
    enterCommand(world, commandOf(row), atUs, new Entry(world, row, watcher, false).record)
    return leave(row, watcher)
  }
  const volume = reached(world, row.session, row.volume)
  if (volume !== row.volume) throw differ(row, 'volume', volume, row.volume)
  const decided = judgeNext(world, row)
  const verdict = isUnreadable(world, decided, row) ? refuse('E_IO') : decided
  if (verdict.fate !== row.fate) throw differ(row, 'fate', verdict.fate, row.fate)
  if (verdict.code !== row.code) throw differ(row, 'code', verdict.code, row.code)
  watcher.before(row)
  evolve(world, row)
  if (somethingFollows(world, row.volume, verdict)) {
    followIo(world, verdict, new Entry(world, row, watcher, true).record)
  }
  leave(row, watcher)
}

/** The recorded events of one entry, gone through as they are decided again. */
class Entry {
  readonly #world: World
  readonly #row: Row
  readonly #watcher: Watcher
  readonly #start: number
  #begun: boolean

  /** @param begun true when the input, on which `row` stands, was folded. */
  constructor(world: World, row: Row, watcher: Watcher, begun: boolean) {
    this.#world = world
    this.#row = row
    this.#watcher = watcher
    this.#start = row.index
    this.#begun = begun
  }

  /** Compares an event with the recorded one at its place, which it gives back. */
  readonly record = (event: NewEvent): Row => {
    const row = this.#row
    if (this.#begun) {
      this.#watcher.after(row)
      row.index++
    }
    this.#begun = true
    const isOver = row.index >= row.columns.count || (row.index > this.#start && row.isInput)
    if (isOver) {
      const input = row.first + this.#start
      const what = `${event.kind} is decided here, nothing more was recorded for event ${input}`
      throw new Divergence(row.seq, what)
    }
    compare(withResults(this.#world, event, row), row)
    this.#watcher.before(row)
    return row
  }
}

/** Nothing more is decided, so nothing more may be recorded: `row` goes from the last event behind the entry. */
function leave(row: Row, watcher: Watcher): void {
  watcher.after(row)
  row.index++
  if (row.index < row.columns.count && !row.isInput) {
    throw new Divergence(row.seq, `${row.kind} is recorded here, it is not what is decided`)
  }
}

/** A command or report as it was asked, to be kept while the cursor moves on. */
function commandOf(row: Row): NewEvent {
  return {
    kind: row.kind,
    code: row.code,
    session: row.session,
    request: row.request,
    volume: row.volume,
    offset: row.offset,
    length: row.length,
    payload: row.payload,
    about: row.about,
    tag: row.tag,
    flags: row.flags,
    digestHigh: row.digestHigh,
    digestLow: row.digestLow,
    at: row.at,
    detail: row.detail,
  }
}

/** True when a change that was to be merged was refused because what it would have been merged with is damaged. */
function isUnreadable(world: World, decided: Pick<NewEvent, 'fate' | 'code'>, recorded: Row): boolean {
  const refused = recorded.fate === 'refused' && recorded.code === 'E_IO'
  return refused && decided.fate === 'passed' && merges(world, { ...askedOf(recorded), fate: 'passed' })
}

/** A decided event with what only the record knows. */
function withResults(world: World, event: NewEvent, recorded: Row): NewEvent {
  if (event.about === undefined || event.fate !== 'passed' || event.kind !== recorded.kind) return event
  if (isUnreadable(world, event, recorded)) return { ...event, fate: 'refused', code: 'E_IO' }
  return merges(world, recorded) ? { ...event, payload: recorded.payload } : event
}

function merges(world: World, row: Pick<Row, 'fate' | 'op' | 'volume' | 'offset' | 'length'>): boolean {
  const block = volumeOf(world, row.volume)?.block
  return block !== undefined && isMerged(row, block)
}

function askedOf({ op, volume, offset, length }: Row) {
  return { op, volume, offset, length }
}

const numbers = [
  'session',
  'request',
  'volume',
  'offset',
  'length',
  'payload',
  'about',
  'tag',
  'flags',
] as const

function compare(event: NewEvent, recorded: Row): void {
  const { kind, fate = 'none', code = 'ok', op = 'none', detail = noDetail } = event
  if (kind !== recorded.kind) throw differ(recorded, 'kind', kind, recorded.kind)
  if (fate !== recorded.fate) throw differ(recorded, 'fate', fate, recorded.fate)
  if (code !== recorded.code) throw differ(recorded, 'code', code, recorded.code)
  if (op !== recorded.op) throw differ(recorded, 'op', op, recorded.op)
  for (const name of numbers) {
    const decided = event[name] ?? 0
    if (decided !== recorded[name]) throw differ(recorded, name, decided, recorded[name])
  }
  if (detail === recorded.detail) return
  const decided = JSON.stringify(sorted(detail))
  const found = JSON.stringify(sorted(recorded.detail))
  if (decided !== found) throw differ(recorded, 'detail', decided, found)
}

function sorted(detail: Detail): unknown[] {
  return Object.entries(detail).sort(([a], [b]) => (a < b ? -1 : 1))
}

function differ(recorded: Row, what: string, decided: unknown, found: unknown): Divergence {
  const text = `${what} is ${String(found)}, decided again ${String(decided)}`
  return new Divergence(recorded.seq, `${recorded.kind}: ${text}`)
}
