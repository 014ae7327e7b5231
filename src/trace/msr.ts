/**
 * The block traces of MSR Cambridge (FAST 2008), one file a volume.
 *
 *     128166372003061629,hm,0,Read,9056014336,2048,2833        time, host, disk, type, offset, size, response
 *
 * Offsets and sizes are bytes. Times are FILETIME: units of 100 ns since 1601, above 2^53. Some copies have a
 * header. The device is `host.disk`. The response is the time until the answer, in units of 100 ns as well; one that is
 * no number is passed over. Rows keep the order of the file.
 * Rules: the README of the collection (SNIA IOTTA, traces 387 and 388).
 */

import type { TraceOptions, TraceParser } from './event.ts'
import { brief, refusal, safeRange, whole } from './field.ts'
import { answeredUnits, Origin } from './origin.ts'
import { beginsWithHeader, firstLine, rows } from './rows.ts'

const columns = ['Timestamp', 'Hostname', 'DiskNumber', 'Type', 'Offset', 'Size', 'ResponseTime']
const unit = 100
const firstRow = /^\d{17,18},[^,]*,\d+,(?:Read|Write),/

/** A parser of one file. */
export function msr(options: TraceOptions = {}): TraceParser {
  const origin = new Origin()
  return rows(
    {
      columns,
      event(cells, line, index) {
        const [stamp, host, disk, type] = cells
        const tNs = origin.units(stamp!, unit, line, 'time stamp')
        const op = type === 'Write' ? 'write' : type === 'Read' ? 'read' : undefined
        if (op === undefined) throw refusal(line, `the type "${brief(type!)}" is neither Read nor Write`)
        const offset = whole(cells[4]!, line, 'offset')
        const length = whole(cells[5]!, line, 'size')
        safeRange(offset, length, line)
        const dev = `${host}.${disk}`
        const tCompleteNs = answeredUnits(tNs, cells[6]!, unit)
        if (tCompleteNs === undefined) return { index, op, offset, length, tNs, dev, flags: [] }
        return { index, op, offset, length, tNs, dev, flags: [], tCompleteNs }
      },
    },
    options,
  )
}

/** Whether content begins with the header, or with a row that no other format has. */
export function msrBegins(first: Uint8Array): boolean {
  return beginsWithHeader(first, columns) || firstRow.test(firstLine(first))
}
