/**
 * Deciding again: one recorded input is given to today's rules, and every event they produce is compared with the one
 * that was recorded at its place. Instants and digests of what was read are results, not decisions, and are taken
 * from the record.
 */

import type { NewEvent, Row } from '../events/columns.ts'
import { noDetail } from '../events/detail.ts'
import { isInput } from '../events/kind.ts'
import type { World } from '../layers/layer.ts'
import { enterCommand, enterIo, judgeNext } from '../volume/entry.ts'

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
  const { count } = row.columns
  const start = row.index
  const input = inputOf(row)
  let next = start
  const record = (event: NewEvent): Row => {
    if (next > start) watcher.after(moved(row, next - 1))
    const seq = row.first + next
    if (next >= count || (next > start && isInput(moved(row, next).kind))) {
      throw new Divergence(
        seq,
        `${event.kind} is decided here, nothing more was recorded for event ${row.first + start}`,
      )
    }
    moved(row, next++)
    compare(event, row)
    watcher.before(row)
    return row
  }
  if (input.op === undefined || input.op === 'none') {
    enterCommand(world, input, Number((instantNs + BigInt(input.at!)) / 1000n), record)
  } else enterIo(world, input, judgeNext(world, input), record)
  watcher.after(moved(row, next - 1))
  if (next < count && !isInput(moved(row, next).kind)) {
    throw new Divergence(row.first + next, `${row.kind} is recorded here, it is not what is decided`)
  }
  row.index = next
}

function moved(row: Row, index: number): Row {
  row.index = index
  return row
}

/** The input without what was decided about it. */
function inputOf(row: Row): NewEvent {
  const { kind } = row
  return {
    kind,
    op: row.op,
    flags: row.flags,
    code: kind === 'copy.report' ? row.code : 'ok',
    session: row.session,
    request: row.request,
    volume: row.volume,
    offset: row.offset,
    length: row.length,
    payload: row.payload,
    about: row.about,
    tag: row.tag,
    digestHigh: row.digestHigh,
    digestLow: row.digestLow,
    at: row.at,
    detail: row.detail,
  }
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
  if (event.kind !== recorded.kind) differ(recorded, 'kind', event.kind, recorded.kind)
  if ((event.fate ?? 'none') !== recorded.fate) differ(recorded, 'fate', event.fate, recorded.fate)
  if ((event.code ?? 'ok') !== recorded.code) differ(recorded, 'code', event.code, recorded.code)
  if ((event.op ?? 'none') !== recorded.op) differ(recorded, 'op', event.op, recorded.op)
  for (const name of numbers) {
    if ((event[name] ?? 0) !== recorded[name]) differ(recorded, name, event[name], recorded[name])
  }
  const detail = event.detail ?? noDetail
  if (detail === recorded.detail) return
  const decided = JSON.stringify(sorted(detail))
  const found = JSON.stringify(sorted(recorded.detail))
  if (decided !== found) differ(recorded, 'detail', decided, found)
}

function sorted(detail: object): unknown[] {
  return Object.entries(detail).sort(([a], [b]) => (a < b ? -1 : 1))
}

function differ(recorded: Row, what: string, decided: unknown, found: unknown): never {
  const text = `${what} is ${String(found)}, decided again ${String(decided)}`
  throw new Divergence(recorded.seq, `${recorded.kind}: ${text}`)
}
