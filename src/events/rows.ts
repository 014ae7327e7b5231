/**
 * Rows from outside, checked against the vocabulary before a reducer may see them: known numbers, whole sizes, no
 * value in a column that the kind does not use, outcomes only behind an input.
 */

import { codeName } from './code.ts'
import { type Columns, columnWidths } from './columns.ts'
import { fates, kindNames, kinds, ops } from './kind.ts'

export interface RowFault {
  readonly row: number
  readonly text: string
}

type Name = keyof typeof columnWidths

const always: readonly Name[] = ['at', 'kind']
const names = Object.keys(columnWidths) as Name[]

/** For each kind, the columns that must be zero. */
const unused: readonly (readonly Name[])[] = kindNames.map((name) => {
  if (name === undefined) return []
  const used: readonly string[] = kinds[name].columns
  return names.filter((column) => {
    const asked = column === 'digestHigh' || column === 'digestLow' ? 'digest' : column
    return !always.includes(column) && !used.includes(asked)
  })
})

/** Reports and session ends name the event they are about in places their kind lists; all else is checked here. */
export function rowsFault(columns: Columns, first: number): RowFault | undefined {
  for (let row = 0; row < columns.count; row++) {
    const text = fault(columns, row, first)
    if (text !== undefined) return { row, text }
  }
  return undefined
}

function fault(columns: Columns, row: number, first: number): string | undefined {
  const kind = columns.kind[row]!
  const name = kindNames[kind]
  if (name === undefined) return `kind ${kind} is not known: a newer blockbox may have written it`
  if (row === 0 && kind >= 128) return `a frame begins with the outcome ${name}`
  if (codeName(columns.code[row]!) === undefined) return `code ${columns.code[row]} is not known`
  if (columns.fate[row]! >= fates.length) return `fate ${columns.fate[row]} is not known`
  if (columns.op[row]! >= ops.length) return `operation ${columns.op[row]} is not known`
  if (!isSize(columns.payload[row]!)) return 'the payload place is no whole number'
  if (columns.fate[row] === 4 || kind >= 128 || name.startsWith('io.') === false) {
    if (!Number.isFinite(columns.offset[row]!) || !Number.isFinite(columns.length[row]!))
      return 'the range is no number'
  } else if (!isSize(columns.offset[row]!) || !isSize(columns.length[row]!))
    return 'the range is no whole number'
  if (!Number.isFinite(columns.at[row]!)) return 'the instant is no number'
  if (columns.about[row]! > first + row) return 'it names an event before the first'
  for (const column of unused[kind]!) {
    if (columns[column][row] !== 0) return `${name} has a value in the column ${column}`
  }
  return undefined
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
