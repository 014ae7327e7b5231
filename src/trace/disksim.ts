/**
 * ASCII traces of DiskSim and of the simulators that took its format over, SSDsim and MQSim.
 *
 *     26214000 1 240840 6 0        time, device, sector, sectors, type
 *
 * Sectors have 512 bytes. Bit 0 of the type, which may be hexadecimal, tells a read (1) from a write (0). The
 * time counts nanoseconds in the newer simulators and milliseconds with decimals in DiskSim itself; the file
 * does not say, so the one who imports must.
 */

import type { TraceOptions, TraceParser } from './event.ts'
import { brief, decimalNs, exactDigits, exactNs, refusal, safeRange, sectors, whole } from './field.ts'
import { rows } from './rows.ts'

const readBit = 1
const hexadecimal = /^[0-9a-f]{1,8}$/i

/** A row whose time is a whole number of units, as in traces of nanoseconds; what a decimal one counts cannot be told. */
export const disksimRow = /^\d+(?:[ \t]+\d+){3}[ \t]+[01]$/

/** A parser of one file; `timeUnitNs` (default 1) is the unit of its times. */
export function disksim(options: TraceOptions = {}): TraceParser {
  const { timeUnitNs = 1 } = options
  return rows(
    {
      columns: ['time', 'device', 'sector', 'sectors', 'type'],
      blanks: true,
      event(cells, line, index) {
        const [stamp, dev, sector, count, type] = cells
        const tNs =
          timeUnitNs === 1 && stamp!.length <= exactDigits && !stamp!.includes('.')
            ? whole(stamp!, line, 'time')
            : exactNs(decimalNs(stamp!, timeUnitNs, line, 'time'), line)
        const offset = sectors(sector!, line, 'sector')
        const length = sectors(count!, line, 'number of sectors')
        safeRange(offset, length, line)
        if (!hexadecimal.test(type!)) {
          throw refusal(line, `the type "${brief(type!)}" is no hexadecimal number`)
        }
        const op = (Number.parseInt(type!, 16) & readBit) === readBit ? 'read' : 'write'
        return { index, op, offset, length, tNs, dev: dev!, flags: [] }
      },
    },
    options,
  )
}
