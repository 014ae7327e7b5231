/** The epoch frame: one input, engine.started, with which a writer takes the journal over. */

import { Columns } from '../events/columns.ts'
import type { FrameParts } from './frame.ts'

/** Name and version of the program, as it stands in the epoch frames it writes. */
export const program = 'blockbox 0.1.0'

export function epochParts(first: number, epoch: number, writer: string, nowNs: bigint): FrameParts {
  const columns = new Columns(1)
  columns.push({ kind: 'engine.started' }, first)
  return {
    first,
    instantNs: nowNs,
    durableNs: 0n,
    replied: 0,
    flags: 0,
    stateLow: 0,
    stateHigh: 0,
    columns,
    details: new Map([[0, { writer, epoch, program }]]),
    digests: [],
  }
}
