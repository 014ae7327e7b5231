/**
 * The block index of a journal: which events touched a block, found without reading the journal. It is derived from
 * the frames, kept in files (FORMAT.md), made when it is missing and carried on when the journal has grown.
 *
 *     open ─▶ segments in a row whose hashes are the journal's ─▶ the rest folded from there ─▶ new segments
 *     find ─▶ page table of each segment ─▶ one read a group ─▶ touches by event
 *
 * A segment counts only when it begins where the journal or the one before it ends, by the hash of that frame, and the
 * last one ends with a frame that is there: what was made for another history is thrown away, never believed.
 */

import { sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { Columns } from '../events/columns.ts'
import type { BlockTouch } from '../inspect/block-history.ts'
import { entryOf, Roster, rosterOf } from '../inspect/roster.ts'
import { Touches } from '../inspect/touch.ts'
import { checkRows } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { nearestWorld, unfoldable } from '../journal/state.ts'
import type { World } from '../layers/layer.ts'
import { worldAt } from '../replay/at.ts'
import type { Point } from '../replay/point.ts'
import { evolve } from '../volume.ts'
import { tellWorld } from './beginning.ts'
import { indexedSeq } from './points.ts'
import { type Segment, SegmentDamaged } from './segment.ts'
import { SegmentFiles, type Segments, UnwrittenSegments } from './segment-files.ts'
import { SegmentMaker } from './segment-maker.ts'

export interface IndexOptions {
  /** The folder of its files, which need not exist. */
  readonly folder: string
  /** False where nothing can be written: what is added is kept in memory, and gone with it. */
  readonly keep?: boolean
  /** A segment ends with the frame in which it gets this many events, or touches. */
  readonly segmentEvents?: number
  /** Called now and then while it is made: the last event that is in. */
  readonly onProgress?: (seq: number) => void
  readonly signal?: AbortSignal
}

const defaultEvents = 2 ** 20

export class BlockIndex {
  readonly roster = new Roster()
  /** The event in front of the first one: what was there by then is all that is known of the time before. */
  readonly begins: number
  /** How many events had to be put in when it was opened. */
  readonly added: number
  readonly #segments: readonly Segment[]

  private constructor(segments: readonly Segment[], added: number) {
    this.#segments = segments
    this.added = added
    this.begins = (segments[0]?.span.first ?? 1) - 1
    for (const { roster } of segments) for (const entry of roster) this.roster.add(entry)
  }

  /**
   * Opens the index of a journal, complete up to its last event. Throws USAGE when its files cannot be written, and
   * what the journal throws when it is damaged.
   */
  static async open(journal: Journal, options: IndexOptions): Promise<BlockIndex> {
    const { folder, keep = true } = options
    const files = keep ? new SegmentFiles(folder) : new UnwrittenSegments(folder)
    const segments = believed(journal, files)
    const end = segments.at(-1)?.span.last ?? journal.bounds().first - 1
    const { last } = journal.bounds()
    if (end < last) await extend(journal, files, segments, options)
    return new BlockIndex(segments, last - end)
  }

  /** The first event of the frame that holds an event; undefined for one that is not in the index. */
  readonly frameOf = (seq: number): number | undefined => {
    const segment = this.#segments.find(({ span }) => seq >= span.first && seq <= span.last)
    return segment?.frameOf(seq)
  }

  /** The event that a point of the journal names, as `seqOf` finds it, without reading the journal for marks and times. */
  seqOf(journal: Journal, point: Point, volume: number, signal?: AbortSignal): Promise<number> {
    const entries = this.#segments.flatMap(({ points }) => points)
    return indexedSeq(entries, journal, point, volume, signal)
  }

  /** What touched a block of any of these volumes, by event. Throws SegmentDamaged: remove the files, open again. */
  touches(volumes: readonly number[], block: number): BlockTouch[] {
    const touches: BlockTouch[] = []
    for (const volume of volumes) {
      const step = (this.roster.volume(volume)?.block ?? 0) / 512
      for (const segment of this.#segments) {
        segment.find(volume, block, (seq, what, first) => {
          touches.push({ seq, volume, place: what > 0 ? what + (block - first) * step : what })
        })
      }
    }
    return touches.sort((a, b) => a.seq - b.seq)
  }
}

/** The segments that are of this journal, from its first event on; the files of all others are removed. */
function believed(journal: Journal, files: Segments): Segment[] {
  const firsts = files.firsts()
  const segments: Segment[] = []
  for (const first of firsts) {
    const segment = opened(files, first)
    const before = segments.at(-1)
    const fits =
      before === undefined ? first === journal.bounds().first : segment?.follows(before.span) === true
    if (segment === undefined || !fits) break
    segments.push(segment)
  }
  while (segments.length > 0 && !isOf(journal, segments.at(-1)!)) segments.pop()
  files.remove(firsts.slice(segments.length))
  return segments
}

function opened(files: Segments, first: number): Segment | undefined {
  try {
    const segment = files.open(first)
    return segment.span.first === first ? segment : undefined
  } catch (error) {
    if (error instanceof SegmentDamaged) return undefined
    throw error
  }
}

/** True when the frame that a segment ends with is the journal's: by the chain, so is all before it. */
function isOf(journal: Journal, segment: Segment): boolean {
  const { last, head } = segment.span
  const frame = journal.frame(segment.frameOf(last))
  return frame !== undefined && frame.last === last && sameBytes(frame.hash, head)
}

/** Puts the events behind the segments into new ones; a last one that is not full goes on. */
async function extend(
  journal: Journal,
  files: Segments,
  segments: Segment[],
  { segmentEvents = defaultEvents, onProgress, signal }: IndexOptions,
): Promise<void> {
  const { first } = journal.bounds()
  const end = segments.at(-1)?.span.last ?? first - 1
  const world =
    segments.length === 0 ? await stateBefore(journal, first) : await worldAt(journal, end, signal)
  let maker: SegmentMaker | undefined
  const last = segments.at(-1)
  if (last !== undefined && last.span.last - last.span.first + 1 < segmentEvents) {
    maker = SegmentMaker.from(last)
    segments.pop()
  }
  const touches = new Touches((...touch) => maker!.tell(...touch))
  const columns = new Columns()
  const finish = (seq: number, hash: Uint8Array) => {
    files.write(maker!.first, maker!.encode(seq, hash))
    segments.push(files.open(maker!.first))
    maker = undefined
  }
  let hash: Uint8Array = new Uint8Array(0)
  for await (const frames of journal.batches(end + 1)) {
    signal?.throwIfAborted()
    for (const frame of frames) {
      if (maker === undefined) {
        maker = new SegmentMaker(frame.first, frame.previous)
        if (segments.length === 0) {
          tellWorld(world, maker.tell)
          maker.roster.push(...rosterOf(world))
        }
      }
      maker.frame(frame.first)
      const row = frame.open(columns)
      checkRows(frame, row)
      try {
        for (row.index = 0; row.index < frame.count; row.index++) {
          touches.before(row, world)
          evolve(world, row)
          touches.after(row, world)
          const entry = row.op === 'none' ? entryOf(row, world) : undefined
          if (entry !== undefined) maker.roster.push(entry)
          maker.points.note(row, frame.instantNs, frame.count)
        }
        maker.points.frame(frame.last)
      } catch (error) {
        throw unfoldable(world, error)
      }
      hash = frame.hash
      const isFull = frame.last - maker.first + 1 >= segmentEvents || maker.entries >= segmentEvents * 2
      if (isFull) finish(frame.last, hash)
    }
    onProgress?.(world.seq)
  }
  if (maker !== undefined) finish(world.seq, hash)
}

/** The state in front of the first event that is left. Throws JOURNAL_TRUNCATED when no checkpoint leads to it. */
async function stateBefore(journal: Journal, first: number): Promise<World> {
  const world = await nearestWorld(journal, first - 1)
  if (world.seq === first - 1) return world
  const message = `the journal begins with event ${first}, and no checkpoint leads to it`
  throw new BlockboxError('JOURNAL_TRUNCATED', message)
}
