/**
 * Where the copy of a volume goes: a file, or an export of an NBD server. It is written from the beginning to the end;
 * what a copy that was cut off left is there for the next one to go on from.
 *
 *     opened ─▶ piece, piece ... sync ─▶ piece ... sync ─▶ (read back) ─▶ finished: whole, in its place
 *                     └── closed: what was synced stays
 */

import type { Piece } from './export.ts'

export interface CopyTarget {
  /** Writes a piece and zeros between it and the one before. It may be under way still when this resolves. */
  write(piece: Piece): Promise<void>
  /** Resolves when everything up to `end` is durable: pieces, and zeros behind the last of them. */
  sync(end: number): Promise<void>
  /** What is there in [offset, offset + length) after a sync. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** Puts what is whole and durable in its place, and closes it. */
  finish(): Promise<void>
  /** Closes it as it is; with `remove` nothing is left of it where that can be. What is under way fails. */
  close(remove?: boolean): Promise<void>
}

export interface TargetAsk {
  /** A path, nbd://... or nbd+unix://... */
  readonly target: string
  /** Bytes of the volume. */
  readonly size: number
  /** What is there already was written up to here; undefined: begin anew. */
  readonly from: number | undefined
  /** Replaces a file that is there. */
  readonly force: boolean
}
