/**
 * The traces of CloudPhysics as the table that libCacheSim keeps of them.
 *
 *     version,time,op,size,lbn
 *     1,5633898,2a,512,42932745
 *
 * Sizes are bytes, block numbers sectors of 512 bytes, times whole seconds on the clock of the host, opcodes
 * hexadecimal numbers of SCSI commands. Rows keep the order of the file.
 */

import type { TraceOptions, TraceParser } from './event.ts'
import { brief, refusal, safeRange, sectors, whole } from './field.ts'
import { Origin } from './origin.ts'
import { beginsWithHeader, rows } from './rows.ts'
import { scsiOp } from './scsi-op.ts'

const columns = ['version', 'time', 'op', 'size', 'lbn']

/** A parser of one file. */
export function cloudphysicsCsv(options: TraceOptions = {}): TraceParser {
  const origin = new Origin()
  return rows(
    {
      columns,
      event(cells, line, index) {
        const [version, stamp, opcode] = cells
        if (version !== '1' && version !== '2') {
          throw refusal(line, `version "${brief(version!)}" is unknown; 1 and 2 can be read`)
        }
        const tNs = origin.seconds(stamp!, line, 'time')
        if (!/^[0-9a-f]{1,2}$/i.test(opcode!)) {
          throw refusal(line, `the opcode "${brief(opcode!)}" is no hexadecimal byte`)
        }
        const length = whole(cells[3]!, line, 'size')
        const offset = sectors(cells[4]!, line, 'lbn')
        safeRange(offset, length, line)
        return { index, op: scsiOp(Number.parseInt(opcode!, 16)), offset, length, tNs, dev: null, flags: [] }
      },
    },
    options,
  )
}

/** Whether content begins with the header. */
export function cloudphysicsCsvBegins(first: Uint8Array): boolean {
  return beginsWithHeader(first, columns)
}
