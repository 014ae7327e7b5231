/** The answer to "what happened to this block": steps from the index, the few events they name from the journal. */

import { hex, sha256 } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { type BlockStep, blockSteps, type Held, relatedVolumes } from '../inspect/block-history.ts'
import {
  type BlockRecord,
  blockRecord,
  type HeldRecord,
  heldRecord,
  unreadable,
} from '../inspect/block-report.ts'
import type { Roster } from '../inspect/roster.ts'
import type { Scope } from '../inspect/scope.ts'
import type { Journal } from '../journal/journal.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { type RowAt, rowsAt } from '../replay/rows-at.ts'
import type { BlockIndex } from './block-index.ts'

export interface BlockQuestion {
  /** Number of the volume, and of the block in it. */
  readonly volume: number
  readonly block: number
  /** Only what happened in these events. */
  readonly from?: number
  readonly to?: number
  /** Only what these events say, whoever submitted them. */
  readonly of?: Scope
  /** Leaves out what hosts read. */
  readonly changesOnly?: boolean
  /** At most this many records, the newest. */
  readonly limit?: number
}

export interface BlockAnswer {
  readonly records: readonly BlockRecord[]
  /** How many there are in all, and how many of them are reads. */
  readonly steps: number
  readonly reads: number
  /** What a reader got when the last of the events was over that were asked for. */
  readonly held: HeldRecord
}

/** Throws SegmentDamaged where the index is not what was written, and what the journal throws. */
export async function answerBlock(
  index: BlockIndex,
  { journal, payload }: { readonly journal: Journal; readonly payload: PayloadStore },
  question: BlockQuestion,
): Promise<BlockAnswer> {
  const { volume, block, from = 0, to = Number.MAX_SAFE_INTEGER, limit = 50, changesOnly = false } = question
  const touches = index.touches(relatedVolumes(index.roster, volume), block)
  const all = blockSteps(index.roster, volume, touches, index.begins)
  const lasting = all.filter(({ seq, what }) => seq >= from && seq <= to && !(changesOnly && what === 'read'))
  const chosen = question.of === undefined ? lasting : await stepsOf(lasting, question.of, journal, index)
  const told = chosen.slice(-limit)
  const rows = await rowsAt(
    journal,
    told.map(({ seq }) => seq),
    index.frameOf,
  )
  const starts = [...rows.values()].flatMap(({ row }) => (row.kind === 'copy.report' ? [row.about] : []))
  for (const [seq, row] of await rowsAt(journal, starts, index.frameOf)) rows.set(seq, row)
  const bytes = index.roster.volume(volume)?.block ?? 0
  const digest = digests(payload, bytes, told, rows)
  const sources = { roster: index.roster, event: (seq: number) => rows.get(seq), digest }
  return {
    records: told.map((step) => blockRecord(step, volume, sources)),
    steps: chosen.length,
    reads: chosen.filter(({ what }) => what === 'read').length,
    held: heldRecord(heldAt(all, to, volume, index.roster), volume, sources),
  }
}

/** What a reader of the volume gets after event `to`. */
function heldAt(all: readonly BlockStep[], to: number, volume: number, roster: Roster): Held {
  if (roster.createdWith(volume) > to) return { place: undefined, image: 'none', volume: 0 }
  const past = all.findLast(({ seq }) => seq <= to)
  return past?.after ?? all[0]?.before ?? { place: 0, image: 'own', volume }
}

/** So many events are read at a time to see whether they are wanted. */
const together = 4096

async function stepsOf(
  steps: readonly BlockStep[],
  scope: Scope,
  journal: Journal,
  { frameOf }: Pick<BlockIndex, 'frameOf'>,
): Promise<BlockStep[]> {
  const wanted: BlockStep[] = []
  for (let k = 0; k < steps.length; k += together) {
    const some = steps.slice(k, k + together)
    const rows = await rowsAt(
      journal,
      some.map(({ seq }) => seq),
      frameOf,
    )
    for (const step of some) {
      const found = rows.get(step.seq)
      if (found !== undefined && scope.isOf(found.row)) wanted.push(step)
    }
  }
  return wanted
}

/**
 * Digests by place: what a write of just this block noted, else that of the stored bytes. Each payload is read once.
 */
function digests(
  payload: PayloadStore,
  bytes: number,
  steps: readonly BlockStep[],
  rows: ReadonlyMap<number, RowAt>,
): (place: number) => string {
  const known = new Map<number, string>()
  const zeros = shortHex(sha256(new Uint8Array(bytes)))
  for (const { seq, after } of steps) {
    const row = rows.get(seq)?.row
    if (
      row?.kind === 'io.write' &&
      row.length === bytes &&
      row.offset % bytes === 0 &&
      isAt(after, row.payload)
    ) {
      const halves = [row.digestHigh, row.digestLow].map((half) => half.toString(16).padStart(8, '0'))
      known.set(row.payload, halves.join(''))
    }
  }
  return (place) => {
    let digest = known.get(place)
    if (digest === undefined) {
      digest = stored(payload, place, bytes)
      known.set(place, digest)
    }
    return digest === zeros ? 'zeros' : digest
  }
}

/** The first eight bytes of a digest, as a row of a frame notes them. */
function shortHex(digest: Uint8Array): string {
  return hex(digest).slice(0, 16)
}

const isAt = ({ place }: Held, payload: number) => place === payload

function stored(payload: PayloadStore, place: number, bytes: number): string {
  try {
    return shortHex(sha256(payload.read(place, bytes)))
  } catch (error) {
    if (error instanceof BlockboxError && error.code === 'PAYLOAD_CORRUPT') return unreadable
    throw error
  }
}
