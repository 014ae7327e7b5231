/**
 * Traces in the format of the Storage Performance Council, as in the collection of UMass.
 *
 *     0,20941264,8192,W,0.551706,Alpha/NT        ASU, LBA, size, opcode, time, and what else there is
 *
 * The LBA counts blocks of 512 bytes within the application storage unit, which is therefore the device; sizes
 * are bytes, times decimal seconds from the start. Blanks may follow a comma; the opcode has any case. Rows
 * keep the order of the file.
 * Rules: SPC Trace File Format Specification 1.0.1.
 */

import type { TraceOptions, TraceParser } from './event.ts'
import { brief, refusal, safeRange, sectors, whole } from './field.ts'
import { secondsNs } from './origin.ts'
import { rows } from './rows.ts'

/** A row as the specification has it. */
export const spcRow = /^\d{1,5}, *\d+, *\d+, *[RrWw], *\d+\.\d+(?:,.*)?$/

/** A parser of one file. */
export function spc(options: TraceOptions = {}): TraceParser {
  return rows(
    {
      columns: ['ASU', 'LBA', 'Size', 'Opcode', 'Timestamp'],
      more: true,
      event(cells, line, index) {
        const asu = cells[0]!.trim()
        const lba = cells[1]!.trim()
        const size = cells[2]!.trim()
        const opcode = cells[3]!.trim()
        const stamp = cells[4]!.trim()
        const offset = sectors(lba, line, 'LBA')
        const length = whole(size, line, 'size')
        safeRange(offset, length, line)
        const letter = opcode.toUpperCase()
        const op = letter === 'W' ? 'write' : letter === 'R' ? 'read' : undefined
        if (op === undefined) throw refusal(line, `the opcode "${brief(opcode)}" is neither R nor W`)
        const tNs = secondsNs(stamp, line, 'time stamp')
        return { index, op, offset, length, tNs, dev: String(whole(asu, line, 'ASU')), flags: [] }
      },
    },
    options,
  )
}
