/** The formats that a trace can be written in, by name. */

import { BlockboxError } from '../core/errors.ts'
import { blkparseOut } from './blkparse-out.ts'
import { dmLogWritesOut } from './dm-log-writes-out.ts'
import { fioIologOut } from './fio-iolog-out.ts'
import type { TraceOutput } from './writer.ts'

/** Every format that can be written. A new one is one file and one line here. */
export const traceOutputs: readonly TraceOutput[] = [dmLogWritesOut, fioIologOut, blkparseOut]

/** The names, for a message. */
export function outputNames(): string {
  return traceOutputs.map(({ name }) => name).join(', ')
}

/** The format of that name. Throws USAGE, with the list, when there is none. */
export function traceOutput(name: string): TraceOutput {
  const found = traceOutputs.find((output) => output.name === name)
  if (found !== undefined) return found
  throw new BlockboxError('USAGE', `no trace can be written as "${name}"; choose ${outputNames()}`)
}

/** What names of files end in, for a guess at the format that is meant. */
const endings: readonly (readonly [RegExp, string])[] = [
  [/\.(?:dmlog|log-writes)$/, 'dm-log-writes'],
  [/\.iolog$/, 'fio-iolog'],
  [/\.blkparse(?:\.txt)?$/, 'blkparse'],
]

/** The name of the format that a file of this name is meant to have; undefined when its name does not tell. */
export function outputByName(path: string): string | undefined {
  const plain = path.replace(/\.gz$/, '')
  return endings.find(([ending]) => ending.test(plain))?.[1]
}
