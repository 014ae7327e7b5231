/**
 * The traces of Tencent Cloud Block Storage.
 *
 *     1538323199,105352008,584,1,1576        time, offset, size, type, volume
 *
 * Offsets and sizes are sectors of 512 bytes; times are whole seconds since 1970, so within a second the order
 * of the file is all there is, and it is kept. Type 0 reads, 1 writes. There is no header.
 * Rules: the README of the collection (SNIA IOTTA, trace 28064).
 */

import type { TraceOptions, TraceParser } from './event.ts'
import { brief, refusal, safeRange, sectors } from './field.ts'
import { Origin } from './origin.ts'
import { beginsWithHeader, rows } from './rows.ts'

const columns = ['Timestamp', 'Offset', 'Size', 'IOType', 'VolumeID']
const second = 1e9
/** A row as the collection has it, from the years 2001 to 2286. */
export const tencentRow = /^[1-9]\d{9},\d+,\d+,[01],\d+$/

/** A parser of one file. */
export function tencent(options: TraceOptions = {}): TraceParser {
  const origin = new Origin()
  return rows(
    {
      columns,
      event(cells, line, index) {
        const type = cells[3]!
        const tNs = origin.units(cells[0]!, second, line, 'time stamp')
        const offset = sectors(cells[1]!, line, 'offset')
        const length = sectors(cells[2]!, line, 'size')
        safeRange(offset, length, line)
        const op = type === '1' ? 'write' : type === '0' ? 'read' : undefined
        if (op === undefined) throw refusal(line, `the type "${brief(type)}" is neither 0 nor 1`)
        return { index, op, offset, length, tNs, dev: cells[4]!, flags: [] }
      },
    },
    options,
  )
}

/** Whether content begins with the header. */
export function tencentBegins(first: Uint8Array): boolean {
  return beginsWithHeader(first, columns)
}
