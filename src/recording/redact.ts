/**
 * Redaction: a recording without its payloads, and, where asked, without its names.
 *
 * Frames hold digests of payloads, not payloads, so taking payloads out leaves frames, chain and state hashes as they
 * were. Names stand in the frames: with those replaced the frames are made anew, folded for their state hashes, and
 * chained anew, and the header says so. Equal names stay equal, so that the rules decide the same.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Row } from '../events/columns.ts'
import { type Detail, type DetailValue, isName } from '../events/detail.ts'
import { encodeFrame, type Frame } from '../journal/frame.ts'
import type { World } from '../layers/layer.ts'
import { foldFrame, isEpoch, stateHash } from '../volume/snapshot.ts'
import { newWorld } from '../volume.ts'
import type { ExportItem } from './export.ts'
import type { RecordingHeader } from './header.ts'
import type { RecordingItem } from './item.ts'
import { someOnly } from './recorded-journal.ts'

export interface Redacted {
  readonly header: RecordingHeader
  readonly items: AsyncGenerator<ExportItem, void>
}

/** Texts of details that are no names: what the rules say, and digests, which are asked about the same bytes. */
const plainFields: ReadonlySet<string> = new Set([
  ...['mode', 'scope', 'policy', 'crash', 'program', 'command', 'kind', 'errno'],
  ...['digest', 'sha256', 'savedDigest', 'cdmHash', 'cloneHash', 'mapHash', 'hash'],
])

/** @param names replace names too. Throws USAGE when the recording cannot be redacted so. */
export function redact(
  { header, items }: { readonly header: RecordingHeader; readonly items: AsyncIterable<RecordingItem> },
  names: boolean,
): Redacted {
  if (header.only !== undefined) throw new BlockboxError('USAGE', `the recording ${someOnly(header)}`)
  if (names && header.first > 1) {
    const message = `the recording begins with event ${header.first}, from a state that holds names: redact one that begins with event 1`
    throw new BlockboxError('USAGE', message)
  }
  const { inlineMax, ...rest } = header
  const known = new Aliases()
  return {
    header: {
      ...rest,
      payload: 'digests',
      volumes: names ? header.volumes.map((one) => ({ ...one, name: known.of(one.name) })) : header.volumes,
      redacted: names || header.redacted === 'names' ? 'names' : 'payload',
    },
    items: names ? renamed(items, header.previous, known) : bare(items),
  }
}

async function* bare(items: AsyncIterable<RecordingItem>): AsyncGenerator<ExportItem, void> {
  for await (const item of items) {
    if (item.is === 'checkpoint') yield item
    else if (item.is === 'frame') yield { ...item, payloads: withoutData(item.payloads) }
  }
}

type FrameItem = Extract<RecordingItem, { is: 'frame' }>

function withoutData(payloads: FrameItem['payloads']): FrameItem['payloads'] {
  return payloads.map(({ seq, place, length, digest }) => ({ seq, place, length, digest, data: undefined }))
}

async function* renamed(
  items: AsyncIterable<RecordingItem>,
  previous: Uint8Array,
  known: Aliases,
): AsyncGenerator<ExportItem, void> {
  const world = newWorld()
  let before = previous
  for await (const item of items) {
    if (item.is !== 'frame') continue
    const frame = anew(item.frame, before, known, world)
    before = frame.hash
    yield { is: 'frame', frame, payloads: withoutData(item.payloads) }
  }
}

/** The frame with its names replaced, folded into `world` for its state hash, and chained to `previous`. */
function anew(frame: Frame, previous: Uint8Array, known: Aliases, world: World): Frame {
  const row = frame.open()
  const details = new Map([...row.details].map(([index, detail]) => [index, known.detail(detail)]))
  const digests = Array.from({ length: frame.payloads }, (_, k) => frame.digest(k))
  const { first, instantNs, durableNs, replied, flags, stateLow, stateHigh } = frame
  const parts = {
    first,
    instantNs,
    durableNs,
    replied,
    flags,
    stateLow,
    stateHigh,
    columns: row.columns,
    details,
    digests,
  }
  const unhashed = encodeFrame(parts, frame.epoch, previous)
  const state = foldedInto(world, unhashed.open())
  return state === undefined ? unhashed : encodeFrame({ ...parts, ...state }, frame.epoch, previous)
}

function foldedInto(world: World, row: Row): { stateLow: number; stateHigh: number } | undefined {
  foldFrame(world, row)
  if (isEpoch(row)) return undefined
  const { low, high } = stateHash(world)
  return { stateLow: low, stateHigh: high }
}

/** Names for names: `n1` for the first that comes, `n2` for the next. */
class Aliases {
  readonly #known = new Map<string, string>()

  /** What cannot be a name stays what cannot be one, so that it is refused as before. */
  of(text: string): string {
    if (text === '') return text
    const found = this.#known.get(text)
    if (found !== undefined) return found
    const alias = `${isName(text) ? '' : '?'}n${this.#known.size + 1}`
    this.#known.set(text, alias)
    return alias
  }

  detail(detail: Detail): Detail {
    const entries = Object.entries(detail).map(([name, value]): [string, DetailValue] => {
      return [name, typeof value === 'string' && !plainFields.has(name) ? this.of(value) : value]
    })
    return Object.fromEntries(entries)
  }
}
