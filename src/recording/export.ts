/**
 * Export: a journal, or a part of it, as the items of a recording.
 *
 *     whole journal ─▶ every frame                       a range ─▶ the state before it, then its frames
 *     a volume, a session ─▶ only their entries: order can be seen, nothing can be decided again
 *
 * A range begins and ends where frames do: a frame is never split, because its hash is that of all of it.
 */

import { sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { Columns, type Row } from '../events/columns.ts'
import { count, text } from '../events/detail.ts'
import { Names } from '../inspect/names.ts'
import { program } from '../journal/epoch.ts'
import { checkRows, type Frame } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { checkpointOf, nearestWorld } from '../journal/state.ts'
import type { World } from '../layers/layer.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { worldAt } from '../replay/at.ts'
import { newWorld } from '../volume.ts'
import { payloadOf, rowsWithPayload } from './brought.ts'
import type { RecordedVolume, RecordingHeader } from './header.ts'
import type { RecordedPayload, RecordingItem, Synthetic } from './item.ts'
import { contentOf } from './synthetic.ts'

export interface ExportAsk {
  /** First and last event wanted; the frames that hold them are whole. Everything when left out. */
  readonly from?: number
  readonly to?: number
  /** Only entries about this volume, its pairs and its backups. */
  readonly volume?: string
  /** Only entries of this session. */
  readonly session?: number
  /** Whether payload goes with it (the default), and up to how many bytes each. */
  readonly payload?: 'whole' | 'digests' | 'some'
  readonly inlineMax?: number
  readonly signal?: AbortSignal
  readonly onFrame?: (last: number) => void
}

/** Some entries of a frame, by the rows of their inputs. */
export interface SomeEntries {
  readonly is: 'some'
  readonly frame: Frame
  readonly row: Row
  readonly payloads: readonly RecordedPayload[]
  readonly wanted: ReadonlySet<number>
  readonly events: number
}

export type ExportItem = Exclude<RecordingItem, { is: 'end' | 'entry' }> | SomeEntries

export interface Exported {
  readonly header: RecordingHeader
  readonly items: AsyncGenerator<ExportItem, void>
}

/** Plans the export. Throws NO_SUCH_POINT, NO_SUCH_VOLUME, JOURNAL_TRUNCATED, or what damage says. */
export async function exportJournal(
  journal: Journal,
  payload: PayloadStore,
  ask: ExportAsk = {},
): Promise<Exported> {
  const { first: start, last: end } = journal.bounds()
  const { from = start, to = end, volume, session, payload: kept = 'whole', inlineMax } = ask
  if (from > to || to > end) {
    const why = to > end ? `the journal ends with event ${end}` : 'the range is empty'
    throw new BlockboxError('NO_SUCH_POINT', `there are no events ${from} to ${to}: ${why}`)
  }
  const survey = await surveyed(journal, from, to, ask.signal)
  if (volume !== undefined && !survey.volumes.some(({ name }) => name === volume)) {
    throw new BlockboxError('NO_SUCH_VOLUME', `there is no volume "${volume}" up to event ${survey.last}`)
  }
  const only = { ...(volume !== undefined && { volume }), ...(session !== undefined && { session }) }
  const header: RecordingHeader = {
    program,
    first: survey.first,
    last: survey.last,
    previous: survey.previous,
    epoch: survey.epoch,
    payload: kept,
    ...(kept === 'some' && { inlineMax: inlineMax ?? 0 }),
    volumes: survey.volumes,
    ...((volume !== undefined || session !== undefined) && { only }),
    ...(kept === 'digests' && { redacted: 'payload' as const }),
  }
  return { header, items: itemsOf(journal, payload, header, survey.seed, ask) }
}

interface Survey {
  readonly first: number
  readonly last: number
  readonly previous: Uint8Array
  readonly epoch: number
  readonly volumes: readonly RecordedVolume[]
  /** The seed of the run that is on when the range begins. */
  readonly seed: number | undefined
}

/** Goes through the journal once: where the frames of the range lie, which volumes there are. Folds nothing. */
async function surveyed(journal: Journal, from: number, to: number, signal?: AbortSignal): Promise<Survey> {
  const start = journal.bounds().first
  const volumes = start > 1 ? volumesOf(await nearestWorld(journal, start - 1)) : []
  let range: Pick<Survey, 'first' | 'previous' | 'epoch'> | undefined
  let seed: number | undefined
  let last = 0
  const columns = new Columns()
  for await (const frame of journal.read(start, to)) {
    signal?.throwIfAborted()
    const row = frame.open(columns)
    checkRows(frame, row)
    const isBefore = frame.last < from
    if (!isBefore) range ??= { first: frame.first, previous: frame.previous.slice(), epoch: frame.epoch }
    last = frame.last
    for (row.index = 0; row.index < frame.count; row.index++) {
      const { kind, detail, volume: number } = row
      if (kind === 'run.begin' && isBefore) seed = count(detail, 'seed')
      if (kind === 'volume.created' || kind === 'branch.started') {
        volumes.push({
          number,
          name: text(detail, 'name'),
          size: count(detail, 'size'),
          block: count(detail, 'block'),
        })
      } else if (kind === 'preserve.created') {
        const base = volumes.find((one) => one.number === count(detail, 'base'))
        volumes.push({ number, name: text(detail, 'name'), size: base?.size ?? 0, block: base?.block ?? 0 })
      }
    }
  }
  return { ...range!, last, volumes, seed }
}

/** Those that were made before the journal begins, as they are there. */
function volumesOf(world: World): RecordedVolume[] {
  return world.volumes.map(({ id: number, name, size, block }) => ({ number, name, size, block }))
}

async function* itemsOf(
  journal: Journal,
  payload: PayloadStore,
  header: RecordingHeader,
  seed: number | undefined,
  ask: ExportAsk,
): AsyncGenerator<ExportItem, void> {
  const { only, first, last } = header
  if (first > 1 && only === undefined) {
    const before = checkpointOf(await worldAt(journal, first - 1, ask.signal))
    yield { is: 'checkpoint', checkpoint: { ...before, frameHash: header.previous } }
  }
  const names = new Names(first > 1 ? await worldAt(journal, first - 1, ask.signal) : newWorld())
  const columns = new Columns()
  const bytes = new PayloadTaker(payload, header, seed)
  for await (const frame of journal.read(first, last)) {
    ask.signal?.throwIfAborted()
    ask.onFrame?.(frame.last)
    const row = frame.open(columns)
    checkRows(frame, row)
    const wanted = only === undefined ? undefined : wantedOf(row, names, only)
    const payloads = bytes.of(frame, row, wanted?.entries)
    if (wanted === undefined) yield { is: 'frame', frame, payloads }
    else if (wanted.events > 0) {
      yield { is: 'some', frame, row, payloads, wanted: wanted.entries, events: wanted.events }
    }
  }
}

/** The entries about a volume, or of a session, by the rows of their inputs. */
function wantedOf(
  row: Row,
  names: Names,
  { volume, session }: NonNullable<RecordingHeader['only']>,
): { readonly entries: ReadonlySet<number>; readonly events: number } {
  const entries = new Set<number>()
  let events = 0
  const { count: rows } = row.columns
  for (row.index = 0; row.index < rows; ) {
    const input = row.index
    let concerned = false
    do {
      names.note(row)
      const is =
        (volume === undefined || names.concerns(row, volume)) &&
        (session === undefined || row.session === session)
      concerned ||= is
      row.index++
    } while (row.index < rows && !row.isInput)
    if (!concerned) continue
    entries.add(input)
    events += row.index - input
  }
  return { entries, events }
}

/** Takes the payloads of frames from the store, as far as the recording is to hold them. */
class PayloadTaker {
  readonly #store: PayloadStore
  readonly #longest: number
  readonly #volumes: number
  #seed: number | undefined

  constructor(store: PayloadStore, header: RecordingHeader, seed: number | undefined) {
    this.#store = store
    this.#seed = seed
    this.#volumes = Math.min(header.volumes.length, 16)
    const { payload, inlineMax = 0 } = header
    this.#longest = payload === 'whole' ? Number.POSITIVE_INFINITY : payload === 'some' ? inlineMax : 0
  }

  /** Moves the cursor. @param entries rows of the inputs that are wanted; all when left out */
  of(frame: Frame, row: Row, entries?: ReadonlySet<number>): RecordedPayload[] {
    const found: RecordedPayload[] = []
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (row.kind === 'run.begin') this.#seed = count(row.detail, 'seed')
    }
    for (const [k, index] of rowsWithPayload(row, frame.payloads).entries()) {
      row.index = index
      if (entries !== undefined && !entries.has(inputOf(row))) continue
      row.index = index
      const digest = frame.digest(k)
      const { seq, payload: place, length } = row
      const data = length <= this.#longest ? payloadOf(row, digest, this.#store) : undefined
      const synthetic = data === undefined ? undefined : this.#madeBy(row, data)
      const stored = data?.length ?? length
      found.push({ seq, place, length: stored, digest, data, ...(synthetic !== undefined && { synthetic }) })
    }
    return found
  }

  /** How the content of a write can be made again, when the seed of its run tells. */
  #madeBy({ kind, offset, length, request }: Row, data: Uint8Array): Synthetic | undefined {
    if (
      this.#seed === undefined ||
      kind !== 'io.write' ||
      length < 8 ||
      offset % 512 !== 0 ||
      data.length !== length
    )
      return undefined
    const words = new DataView(data.buffer, data.byteOffset)
    if (words.getUint32(0, true) !== request || words.getUint32(4, true) !== (offset / 512) >>> 0)
      return undefined
    for (let volume = 1; volume <= this.#volumes; volume++) {
      const made = { seed: this.#seed, volume, version: request }
      if (sameBytes(contentOf(made, offset, length), data)) return made
    }
    return undefined
  }
}

/** The row of the input whose entry a row is in; moves the cursor there. */
function inputOf(row: Row): number {
  while (!row.isInput) row.index--
  return row.index
}
