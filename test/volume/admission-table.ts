/**
 * The admission matrix as SPEC 7.2 has it, written out once more by hand, so that a cell changed in the source is a cell
 * that the tests answer differently.
 *
 * One letter a cell; rows are roles of a command, columns what is active on the volume:
 *
 *     .  ok                H  E_BUSY_HOLD      O  E_BUSY_OVERLAY     C  E_CHAIN      M  E_BUSY_MERGE
 *     R  E_BUSY_RESTORE    Y  E_BUSY_SYNC      S  E_STATE            F  E_FENCED     P  E_PARTIAL
 *     T  E_TAPPED          A  E_ALREADY
 *
 * Where this is not SPEC's letter: a fence on a view is refused (SPEC lets it cover blocks that are the view's alone), and a
 * view is dropped by `preserve.drop`, so its delete is refused too. Roles that SPEC does not name (pair, rebind, drop, tap)
 * and the columns of a merge and of a tap are this project's.
 */

import type { Code } from '../../src/events/code.ts'

const letters: Readonly<Record<string, Code>> = {
  '.': 'ok',
  H: 'E_BUSY_HOLD',
  O: 'E_BUSY_OVERLAY',
  C: 'E_CHAIN',
  M: 'E_BUSY_MERGE',
  R: 'E_BUSY_RESTORE',
  Y: 'E_BUSY_SYNC',
  S: 'E_STATE',
  F: 'E_FENCED',
  P: 'E_PARTIAL',
  T: 'E_TAPPED',
  A: 'E_ALREADY',
}

const columns = [
  ...['held', 'held-writes', 'overlay-base', 'overlay-view', 'merging'],
  ...['restore-source', 'restore-clone', 'restore-u-source', 'restore-u-clone'],
  ...['sync-source', 'sync-clone', 'fenced', 'fenced-own', 'fenced-own-full', 'tapped'],
]

const rows = `
  backup           . .   . . M   . . . R   . Y   F . .   .
  backup-physical  . .   . C M   R . R R   Y Y   F F F   .
  pair             . .   . C .   R R R R   . Y   F F F   .
  sync-source      . .   . C .   R R R R   . Y   F F F   .
  sync-clone       H H   O C M   R R R R   Y S   F F F   T
  restore-source   H H   O C M   R R R R   S S   F P .   T
  restore-clone    . H   . C M   R R R R   S S   F . .   .
  restore-u-clone  H H   O C M   R R R R   S S   F F F   T
  fracture         . .   . . .   R R R R   . .   F . .   .
  fence            H H   O C M   . R R R   . Y   . . .   T
  preserve         . .   . C .   . . . R   . Y   F F F   .
  drop             H H   . . M   . . . .   . .   F F F   .
  merge            H H   . . M   R R R R   . Y   F F F   T
  rebind           H H   . . M   . . . .   . .   F F F   T
  cancel           H H   . . M   . . . .   . .   F . .   .
  change           H H   O C M   R R R R   Y Y   F F F   T
  tap              H H   . C M   . R R R   Y Y   F F F   A
`

/** The code of each cell: `table[role][mark]`. */
export const table: Readonly<Record<string, Readonly<Record<string, Code>>>> = Object.fromEntries(
  rows
    .trim()
    .split('\n')
    .map((line) => {
      const [role = '', ...cells] = line.trim().split(/\s+/)
      return [role, Object.fromEntries(columns.map((column, k) => [column, letters[cells[k] ?? '']!]))]
    }),
)
