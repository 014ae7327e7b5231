/**
 * The block traces of Alibaba Cloud (2020).
 *
 *     0,W,155426304,3584,1577808000000000        device, opcode, offset, length, time
 *
 * Offsets and lengths are bytes, times are microseconds since 1970 and stand last. There is no header. Rows
 * keep the order of the file.
 * Rules: the README of alibaba/block-traces.
 */

import type { TraceOptions, TraceParser } from './event.ts'
import { brief, refusal, safeRange, whole } from './field.ts'
import { Origin } from './origin.ts'
import { beginsWithHeader, rows } from './rows.ts'

const columns = ['device_id', 'opcode', 'offset', 'length', 'timestamp']
const microsecond = 1000
/** A row as the collection has it, from the years 2001 to 2286. */
export const alibabaRow = /^\d{1,9},[RW],\d+,\d+,[1-9]\d{15}$/

/** A parser of one file. */
export function alibaba(options: TraceOptions = {}): TraceParser {
  const origin = new Origin()
  return rows(
    {
      columns,
      event(cells, line, index) {
        const [dev, opcode] = cells
        const op = opcode === 'W' ? 'write' : opcode === 'R' ? 'read' : undefined
        if (op === undefined) throw refusal(line, `the opcode "${brief(opcode!)}" is neither R nor W`)
        const offset = whole(cells[2]!, line, 'offset')
        const length = whole(cells[3]!, line, 'length')
        safeRange(offset, length, line)
        const tNs = origin.units(cells[4]!, microsecond, line, 'time stamp')
        return { index, op, offset, length, tNs, dev: dev!, flags: [] }
      },
    },
    options,
  )
}

/** Whether content begins with the header. */
export function alibabaBegins(first: Uint8Array): boolean {
  return beginsWithHeader(first, columns)
}
