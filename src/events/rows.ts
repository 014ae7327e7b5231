/**
 * Rows from outside, checked against the vocabulary before a reducer may see them: known numbers, whole sizes, no
 * value in a column that the kind does not use, outcomes only behind an input. Every row of every replay comes by
 * here, so words are made only for a fault.
 */

import { codeName } from './code.ts'
import { type Columns, columnWidths } from './columns.ts'
import { fates, type Kind, kindNames, kinds, ops } from './kind.ts'

export interface RowFault {
  readonly row: number
  readonly text: string
}

type Name = keyof typeof columnWidths

const always: readonly Name[] = ['at', 'kind']
const names = Object.keys(columnWidths) as Name[]
const refused = fates.indexOf('refused')
const none = fates.indexOf('none')
const write = ops.indexOf('write')

/** What the rows of a kind must keep. */
interface Rule {
  readonly name: Kind
  readonly isInput: boolean
  /** Number of the operation of a host request; undefined for other kinds. */
  readonly op: number | undefined
  /** The columns that must be zero, as bits. */
  readonly unused: number
}

const bits = Object.fromEntries(names.map((name, k) => [name, 1 << k])) as Record<Name, number>

const rules: readonly (Rule | undefined)[] = kindNames.map((name) => {
  if (name === undefined) return undefined
  const { number, columns } = kinds[name]
  const used: readonly string[] = columns
  let unused = 0
  for (const column of names) {
    const asked = column === 'digestHigh' || column === 'digestLow' ? 'digest' : column
    if (!always.includes(column) && !used.includes(asked)) unused |= bits[column]
  }
  const isInput = number < 128
  const op = isInput && name.startsWith('io.') ? ops.findIndex((one) => name === `io.${one}`) : undefined
  return { name, isInput, op, unused }
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
  const rule = rules[kind]
  if (rule === undefined) return `kind ${kind} is not known: a newer blockbox may have written it`
  const { name } = rule
  if (row === 0 && !rule.isInput) return `a frame begins with the outcome ${name}`
  if (codeName(columns.code[row]!) === undefined) return `code ${columns.code[row]} is not known`
  const fate = columns.fate[row]!
  if (fate >= fates.length) return `fate ${fate} is not known`
  const op = columns.op[row]!
  if (op >= ops.length) return `operation ${op} is not known`
  const payload = columns.payload[row]!
  if (!isSize(payload)) return 'the payload place is no whole number'
  const offset = columns.offset[row]!
  const length = columns.length[row]!
  if (fate === refused || rule.op === undefined) {
    if (!Number.isFinite(offset) || !Number.isFinite(length)) return 'the range is no number'
  } else if (!isSize(offset) || !isSize(length)) return 'the range is no whole number'
  if (!Number.isSafeInteger(columns.at[row]!)) return 'the instant is no whole number'
  if (columns.about[row]! >= first + row) return 'it names an event before the first'
  if (rule.op !== undefined && op !== rule.op) return `${name} has the operation ${ops[op]}`
  const goes = fate !== refused && fate !== none
  if (goes && op === write && payload === 0) return `${name} is a write without a payload`
  const wrong = saidBy(columns, row) & rule.unused
  if (wrong === 0) return undefined
  return `${name} has a value in the column ${names.find((column) => (wrong & bits[column]) !== 0)}`
}

/** The columns of a row that are not zero, as bits. By hand, as the cursor is and for the same reason. */
function saidBy(columns: Columns, row: number): number {
  let said = 0
  if (columns.offset[row] !== 0) said |= bits.offset
  if (columns.length[row] !== 0) said |= bits.length
  if (columns.payload[row] !== 0) said |= bits.payload
  if (columns.about[row] !== 0) said |= bits.about
  if (columns.tag[row] !== 0) said |= bits.tag
  if (columns.request[row] !== 0) said |= bits.request
  if (columns.digestHigh[row] !== 0) said |= bits.digestHigh
  if (columns.digestLow[row] !== 0) said |= bits.digestLow
  if (columns.session[row] !== 0) said |= bits.session
  if (columns.volume[row] !== 0) said |= bits.volume
  if (columns.op[row] !== 0) said |= bits.op
  if (columns.fate[row] !== 0) said |= bits.fate
  if (columns.flags[row] !== 0) said |= bits.flags
  if (columns.code[row] !== 0) said |= bits.code
  return said
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
