/** Frames made by hand, for journals that need no engine: marks, and the epoch the journal writes itself. */

import * as assert from 'uvu/assert'
import { BlockboxError, type ErrorCode } from '../../src/core/errors.ts'
import { Columns, type NewEvent } from '../../src/events/columns.ts'
import { type Detail, noDetail } from '../../src/events/detail.ts'
import { encodeFrame, type Frame, type FrameParts } from '../../src/journal/frame.ts'

/** What a frame of these events that begins with event `first` is made of. */
export function partsOf(
  first: number,
  events: readonly NewEvent[],
  more: Partial<FrameParts> = {},
): FrameParts {
  const columns = new Columns(Math.max(1, events.length))
  const details = new Map<number, Detail>()
  for (const [row, event] of events.entries()) {
    columns.push(event, first + row)
    if (event.detail !== undefined && event.detail !== noDetail) details.set(row, event.detail)
  }
  return {
    first,
    instantNs: BigInt(first) * 1_000_000n,
    durableNs: 0n,
    replied: 0,
    flags: 0,
    stateLow: 0,
    stateHigh: 0,
    columns,
    details,
    digests: [],
    ...more,
  }
}

/** A frame of `count` marks. */
export function marks(first: number, count = 1): FrameParts {
  const events = Array.from({ length: count }, (_, k): NewEvent => {
    return { kind: 'mark', detail: { label: `mark ${first + k}` } }
  })
  return partsOf(first, events)
}

/** The same frame after its parts were changed: hashed again, as somebody would who forges a journal. */
export function forged(
  frame: Frame,
  previous: Uint8Array,
  change: (parts: FrameParts) => Partial<FrameParts>,
): Frame {
  const row = frame.open()
  const digests = Array.from({ length: frame.payloads }, (_, k) => frame.digest(k))
  const parts: FrameParts = { ...headOf(frame), columns: row.columns, details: new Map(row.details), digests }
  return encodeFrame({ ...parts, ...change(parts) }, frame.epoch, previous)
}

function headOf({ first, instantNs, durableNs, replied, flags, stateLow, stateHigh }: Frame) {
  return { first, instantNs, durableNs, replied, flags, stateLow, stateHigh }
}

/** Demands that `act` fails with this code, and with this first bad sequence number where one is given. */
export async function fails(code: ErrorCode, act: () => unknown, seq?: number): Promise<BlockboxError> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof BlockboxError)) throw error
    assert.is(error.code, code, error.message)
    if (seq !== undefined) assert.is(error.seq, seq, `${error.message} names event ${error.seq}`)
    return error
  }
  return assert.unreachable(`nothing failed with ${code}`) as never
}

/** All that an async iterable gives. */
export async function gathered<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
