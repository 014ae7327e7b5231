/** A difference of two runs in words: events as lines with names, and each field as it is printed elsewhere. */

import { type EventRecord, eventRecord, eventText } from '../inspect/event-record.ts'
import type { Names } from '../inspect/names.ts'
import type { Difference } from './diff.ts'
import type { DiffField } from './event-difference.ts'
import type { KeptEvent } from './run-side.ts'

/** The names of both sides. */
export interface BothNames {
  readonly a: Names
  readonly b: Names
}

export function keptRecord({ event, atNs }: KeptEvent, names: Names): EventRecord {
  return eventRecord({ ...event, at: 0 }, atNs, names)
}

/** One line; texts are as they were given, so a terminal needs them escaped. */
export function keptText(kept: KeptEvent, names: Names): string {
  return eventText(keptRecord(kept, names))
}

/** The fields that differ, as they are printed where they are printed at all. */
export function shownFields({ what, fields, a, b }: Difference, names: BothNames): readonly DiffField[] {
  const [one, two] = [a[0], b[0]]
  if (what !== 'event' || one === undefined || two === undefined) return fields
  const [left, right] = [flat(keptRecord(one, names.a)), flat(keptRecord(two, names.b))]
  return fields.map(({ field: raw, ...values }) => {
    const field = snakeCase(raw)
    const [shownA, shownB] = [left.get(field), right.get(field)]
    return shownA === shownB ? { field, ...values } : { field, a: shownA, b: shownB }
  })
}

function flat(record: EventRecord): Map<string, string> {
  const { detail = {}, ...rest } = record
  const details = Object.entries(detail).map(([name, value]) => [`detail.${name}`, String(value)] as const)
  return new Map([...Object.entries(rest).map(([name, value]) => [name, String(value)] as const), ...details])
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
