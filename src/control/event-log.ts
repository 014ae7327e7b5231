/**
 * The events of a journal as records, cut by what the reader wants of them, and followed as they come.
 *
 *     names from the nearest state ─▶ events up to `from`, for their names ─▶ records ─▶ what is appended, if followed
 *
 * The journal is the only buffer: a reader that is behind reads from it at its own pace, and holds up nobody.
 */

import type { Observable } from 'rxjs'
import { BlockboxError } from '../core/errors.ts'
import { Columns, type Event, type Row } from '../events/columns.ts'
import { type Kind, kinds } from '../events/kind.ts'
import { type EventRecord, eventRecord } from '../inspect/event-record.ts'
import { Names } from '../inspect/names.ts'
import { checkRows } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { nearestWorld } from '../journal/state.ts'
import { worldAt } from '../replay/at.ts'
import { type Point, seqOf } from '../replay/point.ts'
import { volumeNamed } from '../replay/volume-at.ts'

/** What a reader wants of a journal. */
export interface Wanted {
  readonly from?: Point | undefined
  readonly to?: Point | undefined
  /** Only events about this volume, its pairs and its backups. */
  readonly volume?: string | undefined
  /** With a volume: only events about this block, or this byte. */
  readonly block?: number | undefined
  readonly offset?: number | undefined
  readonly kinds?: readonly Kind[] | undefined
}

export interface Reading {
  readonly signal: AbortSignal
  /** Emits when the journal has grown, and ends with it; without it the reading ends with the journal as it is. */
  readonly grown$?: Observable<unknown>
  /** Following: an empty list is given after the backlog, and after so many milliseconds without an event. */
  readonly idleMs?: number
}

/** What is wanted, its points found. */
export interface Cut extends Wanted {
  readonly first: number
  readonly last: number
  /** Only events about this byte of the volume. */
  readonly byte: number | undefined
}

/**
 * Resolves when it is known where to begin, with the records in order, a list for every frame that has any. Throws
 * USAGE, NO_SUCH_POINT, NO_SUCH_VOLUME, JOURNAL_TRUNCATED; the records throw the reason of the signal, what damage
 * says, and NO_SUCH_VOLUME at their end.
 */
export async function eventRecords(
  journal: Journal,
  wanted: Wanted,
  reading: Reading,
): Promise<AsyncGenerator<EventRecord[]>> {
  const cut = await cutOf(journal, wanted, reading.signal)
  const { first } = journal.bounds()
  if (cut.first < first) {
    const message = `event ${cut.first} was given up: the journal begins with event ${first}`
    throw new BlockboxError('JOURNAL_TRUNCATED', message)
  }
  const world = await nearestWorld(journal, cut.first - 1)
  return read(journal, cut, new Names(world), Math.max(first, world.seq + 1), reading)
}

async function* read(
  journal: Journal,
  cut: Cut,
  names: Names,
  begin: number,
  { signal, grown$, idleMs }: Reading,
): AsyncGenerator<EventRecord[]> {
  const columns = new Columns()
  let next = begin
  let caughtUp = false
  const growth = grown$ === undefined ? undefined : new Growth(grown$, signal)
  try {
    for (;;) {
      const last = Math.min(journal.bounds().last, cut.last)
      if (next <= last) {
        for await (const frames of journal.batches(next, last)) {
          for (const frame of frames) {
            signal.throwIfAborted()
            const row = frame.open(columns)
            checkRows(frame, row)
            const records = recordsOf(row, frame.instantNs, cut, names)
            next = frame.last + 1
            if (records.length > 0) yield records
          }
        }
      }
      if (growth === undefined || next > cut.last) break
      if (!caughtUp) {
        caughtUp = true
        yield []
      }
      if (journal.bounds().last < next) {
        const how = await growth.wait(idleMs)
        if (how === 'ended' && journal.bounds().last < next) break
        if (how === 'idle') yield []
      }
    }
  } finally {
    growth?.leave()
  }
  if (grown$ === undefined) assertVolume(cut, names, next - 1)
}

/** The records of rows that are in the cut; `names` learn of all. */
export function recordsOf(row: Row, instantNs: bigint, cut: Cut, names: Names): EventRecord[] {
  const records: EventRecord[] = []
  for (row.index = 0; row.index < row.columns.count && row.seq <= cut.last; row.index++) {
    names.note(row)
    if (row.seq < cut.first || (cut.kinds !== undefined && !cut.kinds.includes(row.kind))) continue
    if (cut.volume !== undefined && !names.concerns(row, cut.volume)) continue
    if (cut.byte !== undefined && !isAbout(row, cut.byte)) continue
    records.push(eventRecord(row, instantNs, names))
  }
  return records
}

/** True for an event with a range that holds this byte. */
function isAbout({ kind, offset, length }: Event, byte: number): boolean {
  const ranged = (kinds[kind].columns as readonly string[]).includes('offset')
  return ranged && offset <= byte && byte < offset + length
}

/** The points found, and the byte of a volume that events have to be about. */
async function cutOf(journal: Journal, wanted: Wanted, signal: AbortSignal): Promise<Cut> {
  const { volume, from, to, block, offset } = wanted
  const { first, last } = journal.bounds()
  const isPoint = (point: Point | undefined) => point !== undefined && point.by !== 'seq'
  if (volume === undefined && (block ?? offset) !== undefined) {
    throw new BlockboxError('USAGE', 'a block or a byte of which volume? Name it with --volume')
  }
  const known =
    isPoint(from) || isPoint(to) || block !== undefined ? await worldAt(journal, last, signal) : undefined
  const named = volume === undefined || known === undefined ? undefined : volumeNamed(known, volume)
  const seq = (point: Point) => seqOf(journal, point, named?.id ?? 0, signal)
  const found = {
    first:
      from === undefined ? first : from.by === 'time' ? Math.max(first, await seq(from)) : await seq(from),
    last: to === undefined ? Number.MAX_SAFE_INTEGER : await seq(to),
  }
  if (found.last < found.first) {
    throw new BlockboxError('USAGE', `--to ${found.last} is before --from ${found.first}`)
  }
  return { ...wanted, ...found, byte: block === undefined ? offset : block * named!.block }
}

/** Throws NO_SUCH_VOLUME when the volume asked for never was. */
export function assertVolume({ volume }: Wanted, names: Names, last: number): void {
  if (volume === undefined || names.has(volume)) return
  const message = `there is no volume "${volume}" up to event ${last}: \`blockbox volume ls\` lists them`
  throw new BlockboxError('NO_SUCH_VOLUME', message)
}

/** Waiting for a journal to grow: what came since the last look is not missed. */
class Growth {
  readonly #signal: AbortSignal
  readonly #subscription: { unsubscribe(): void }
  #grown = false
  #ended = false
  #failure: unknown
  #wake: () => void = () => undefined

  constructor(grown$: Observable<unknown>, signal: AbortSignal) {
    this.#signal = signal
    const end = (failure?: unknown) => {
      this.#ended = true
      this.#failure = failure
      this.#wake()
    }
    this.#subscription = grown$.subscribe({
      next: () => {
        this.#grown = true
        this.#wake()
      },
      error: end,
      complete: end,
    })
    signal.addEventListener('abort', this.#abort)
  }

  readonly #abort = () => this.#wake()

  async wait(idleMs: number | undefined): Promise<'grown' | 'ended' | 'idle'> {
    let timer: NodeJS.Timeout | undefined
    if (!this.#grown && !this.#ended && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        if (idleMs !== undefined) timer = setTimeout(resolve, idleMs)
      })
    }
    clearTimeout(timer)
    this.#signal.throwIfAborted()
    if (this.#failure !== undefined) throw this.#failure
    if (this.#grown) {
      this.#grown = false
      return 'grown'
    }
    return this.#ended ? 'ended' : 'idle'
  }

  leave(): void {
    this.#subscription.unsubscribe()
    this.#signal.removeEventListener('abort', this.#abort)
  }
}
