/** What a conversion of a trace did and could not carry: as words for people, as an object for programs. */

import type { Conversion } from '../src/run/conversion.ts'
import type { TraceAccount } from '../src/trace/holding.ts'
import { escaped } from './output.ts'

/** The keys of the printed JSON. */
export interface ConversionRecord extends TraceAccount {
  readonly version: 1
  readonly format: string
  readonly file: string
  /** Before they were packed. */
  readonly bytes: number
}

export function conversionRecord(
  { account, bytes }: Conversion,
  format: string,
  file: string,
): ConversionRecord {
  return { version: 1, format, file, ...account, bytes }
}

const leftOut: Readonly<Record<string, string>> = {
  unaligned: 'that do not begin and end where the format can say',
  empty: 'of no bytes',
}

const lost: Readonly<Record<string, string>> = {
  payload: 'the bytes of writes',
  times: 'times',
  time_digits: 'the last digits of times',
  device_names: 'names of devices',
  hosts: 'names of hosts',
  completion_times: 'times of answers',
  results: 'results of answers',
  label_ends: 'the ends of labels',
}

const made: Readonly<Record<string, string>> = {
  payload: 'content for writes without bytes',
  times: 'times for events without one',
}

/** A line for what was written, then one for each thing that was not carried over. */
export function conversionText(record: ConversionRecord): string {
  const { format, file, events, written, bytes, left_out } = record
  const lines = [
    `${file === '-' ? 'standard output' : file}: ${written} of ${events} events as ${format}, ${bytes} bytes`,
  ]
  for (const [what, count] of Object.entries(left_out)) {
    lines.push(`  left out: ${count} ${leftOut[what] === undefined ? `of the kind ${what}` : leftOut[what]}`)
  }
  for (const [what, count] of Object.entries(record.lost)) lines.push(`  lost: ${lostText(what, count)}`)
  for (const [what, count] of Object.entries(record.made)) lines.push(`  made: ${madeText(what, count)}`)
  return lines.map(escaped).join('\n')
}

function lostText(what: string, count: number): string {
  if (what === 'devices') return `${count + 1} devices became one; choose one of them with --volume`
  if (what.startsWith('flag_')) return `the flag ${what.slice(5).toUpperCase()} of ${count} events`
  return `${lost[what] ?? what} of ${count} events`
}

function madeText(what: string, count: number): string {
  const [one, other] = what.split('_as_')
  if (other !== undefined) return `${count} events of the kind ${one} became ${other}`
  return `${made[what] ?? what}, ${count} events`
}
