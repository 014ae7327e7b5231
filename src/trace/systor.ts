/**
 * The block traces of SYSTOR 2017, one file an hour and LUN.
 *
 *     Timestamp,Response,IOType,LUN,Offset,Size
 *     1456135200.026214000,0.001000000,W,0,155429888,3584
 *
 * Offsets and sizes are bytes, times are seconds since 1970 with decimals. The type is blank where the answer
 * was never seen: what it was is unknown, and its response is blank as well. The response is the time until the answer;
 * one that is no number is passed over. Rows keep the order of the file.
 * Rules: the README of the collection (SNIA IOTTA, trace 4928).
 */

import type { TraceOp, TraceOptions, TraceParser } from './event.ts'
import { brief, refusal, safeRange, whole } from './field.ts'
import { answeredSeconds, Origin } from './origin.ts'
import { beginsWithHeader, rows } from './rows.ts'

const columns = ['Timestamp', 'Response', 'IOType', 'LUN', 'Offset', 'Size']
const ops: ReadonlyMap<string, TraceOp> = new Map([
  ['R', 'read'],
  ['W', 'write'],
  ['', 'other'],
])

/** A parser of one file. */
export function systor(options: TraceOptions = {}): TraceParser {
  const origin = new Origin()
  return rows(
    {
      columns,
      event(cells, line, index) {
        const [stamp, took, type, lun] = cells
        const tNs = origin.seconds(stamp!, line, 'time stamp')
        const op = ops.get(type!.trim())
        if (op === undefined) throw refusal(line, `the type "${brief(type!)}" is neither R nor W nor blank`)
        const offset = whole(cells[4]!, line, 'offset')
        const length = whole(cells[5]!, line, 'size')
        safeRange(offset, length, line)
        const tCompleteNs = took === '' ? null : answeredSeconds(tNs, took!)
        if (tCompleteNs === undefined) return { index, op, offset, length, tNs, dev: lun!, flags: [] }
        return { index, op, offset, length, tNs, dev: lun!, flags: [], tCompleteNs }
      },
    },
    options,
  )
}

/** Whether content begins with the header. */
export function systorBegins(first: Uint8Array): boolean {
  return beginsWithHeader(first, columns)
}
