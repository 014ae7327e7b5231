/**
 * A tapped volume: what waits for the far server, and which of its blocks the record knows the content of.
 *
 * Nobody tells what a far disk held before the tap. So a block is unknown until it is written or zeroed whole, and
 * becomes unknown again with a trim, unless the far server says that zeros are there now, and with a change whose end nobody knows. Where the
 * far disk was copied into the record before hosts came all is known in the beginning.
 */

import { Bitmap } from '../core/bitmap.ts'
import type { Range } from '../core/range.ts'
import type { Code } from '../events/code.ts'
import { changes } from '../events/kind.ts'
import { type Volume, volumeOf, type World } from './layer.ts'
import type { Request } from './request.ts'
import { touchedBlocks } from './sub-block.ts'

export interface Tap {
  readonly volume: number
  /** The export that has the content. */
  readonly uri: string
  /** True where all that the far disk held was copied into the record first. */
  readonly copied: boolean
  /** The blocks that are known, or, where all was copied, those that are not. */
  readonly marked: Bitmap
  /** Requests that were forwarded and are not answered, by the sequence numbers of their inputs. */
  readonly waiting: Map<number, Request>
  /** `ended`: hosts are refused until the recorder starts anew; `over`: a volume like others. */
  phase: 'attached' | 'ended' | 'over'
}

export interface Taps {
  readonly byVolume: Map<number, Tap>
}

/** The taps of the world. */
export function tapsOf(world: World): Taps {
  return world.own.tap as Taps
}

/** The tap of a volume, or what it left behind. */
export function tapOf(world: World, volume: number): Tap | undefined {
  return tapsOf(world).byVolume.get(volume)
}

export function newTap(volume: number, uri: string, copied: boolean, blocks: number): Tap {
  return { volume, uri, copied, marked: new Bitmap(blocks), waiting: new Map(), phase: 'attached' }
}

/** A change took effect: the blocks it covers whole are known. */
export function learn(tap: Tap, { offset, length }: Range, block: number): void {
  const end = Math.floor((offset + length) / block)
  for (let one = Math.ceil(offset / block); one < end; one++) mark(tap, one, true)
}

/** Nobody knows what the blocks of a range hold. */
export function doubt(tap: Tap, range: Range, block: number): void {
  const { offset, length } = touchedBlocks(range, block)
  for (let one = offset / block; one < (offset + length) / block; one++) mark(tap, one, false)
}

/** True when the record has the content of a range: of every volume that is not tapped it has. */
export function isOnRecord(world: World, { id, block }: Volume, range: Range): boolean {
  const tap = tapOf(world, id)
  if (tap === undefined) return true
  const { offset, length } = touchedBlocks(range, block)
  for (let one = offset / block; one < (offset + length) / block; one++) {
    if (tap.marked.get(one) === tap.copied) return false
  }
  return true
}

/** Bytes of a volume whose content nobody recorded; an image has zeros there, or what was recorded last. */
export function unknownBytes(world: World, volume: number): number {
  const tap = tapOf(world, volume)
  const of = volumeOf(world, volume)
  if (tap === undefined || of === undefined) return 0
  const { count, length } = tap.marked
  return (tap.copied ? count : length - count) * of.block
}

/** False where the far server's refusal means that nothing was changed. */
export function mayHaveChanged({ op }: Pick<Request, 'op'>, code: Code): boolean {
  return changes(op) && code !== 'E_UNSUPPORTED' && code !== 'E_READ_ONLY' && code !== 'E_RANGE'
}

function mark(tap: Tap, block: number, known: boolean): void {
  if (known === tap.copied) tap.marked.clear(block)
  else tap.marked.set(block)
}

export function saveTap({ marked, waiting, ...plain }: Tap): unknown {
  return [plain, marked.length, marked.runs(), [...waiting.values()]]
}

export function loadTap(saved: unknown): Tap {
  const [plain, blocks, runs, waiting] = saved as [
    Omit<Tap, 'marked' | 'waiting'>,
    number,
    number[],
    Request[],
  ]
  const marked = Bitmap.fromRuns(blocks, runs)
  return { ...plain, marked, waiting: new Map(waiting.map((one) => [one.io, one])) }
}
