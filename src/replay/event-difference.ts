/**
 * In what two events differ, by the rules of a diff (diff.ts): instants, the writer, and where payload lies are no
 * difference; a digest of a read counts where both sides noted one. A run anew under logical time gives all of these
 * again: where that is asked for, only the version of the program and the wording of a scenario are no difference.
 */

import type { Event } from '../events/columns.ts'
import type { Detail } from '../events/detail.ts'
import type { Kind } from '../events/kind.ts'

export interface DiffField {
  readonly field: string
  /** Undefined where that side has none. */
  readonly a: string | undefined
  readonly b: string | undefined
}

/** What is compared beside what was asked and decided. */
export interface Compared {
  /** The instants of both, nanoseconds since the Unix epoch. */
  readonly atNs?: readonly [bigint, bigint]
  /** Places of payload, every digest and every detail but those of `aside`. */
  readonly exact?: boolean
}

const plain = [
  ...(['kind', 'fate', 'op', 'code', 'session', 'request', 'volume', 'offset', 'length'] as const),
  ...(['about', 'tag', 'flags'] as const),
] as const

/** Fields of details that say who or how, not what. */
const unsaid: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  'engine.started': ['writer', 'epoch', 'program'],
  'run.begin': ['scenario', 'digest', 'seed', 'options'],
  'run.end': ['scenario'],
  'backup.flag_set': ['atUs'],
  'fence.requested': ['atUs'],
}

/** Fields of details that are no difference even then. */
const aside: typeof unsaid = { 'engine.started': ['program'], 'run.begin': ['digest'] }

/** True when two events at the same place are the same. */
export function sameEvent(a: Event, b: Event): boolean {
  if (a.seq !== b.seq) return false
  for (const name of plain) if (a[name] !== b[name]) return false
  return samePayload(a, b) && sameDetail(a, b)
}

/** How they differ, field by field; empty when they are the same. */
export function fieldsThatDiffer(a: Event, b: Event, { atNs, exact = false }: Compared = {}): DiffField[] {
  const fields: DiffField[] = []
  const add = (field: string, one: unknown, two: unknown) => {
    if (one !== two) fields.push({ field, a: shown(one), b: shown(two) })
  }
  add('seq', a.seq, b.seq)
  for (const name of plain) add(name, a[name], b[name])
  if (exact) add('place', a.payload, b.payload)
  if (exact || !samePayload(a, b)) {
    add('payload', a.payload > 0 ? 'some' : 'none', b.payload > 0 ? 'some' : 'none')
    add('digest', digestOf(a), digestOf(b))
  }
  const left = exact ? aside : unsaid
  const [one, two] = [said(a, left), said(b, left)]
  for (const name of new Set([...Object.keys(one), ...Object.keys(two)])) {
    add(`detail.${name}`, JSON.stringify(one[name]), JSON.stringify(two[name]))
  }
  if (atNs !== undefined) add('instant', atNs[0], atNs[1])
  return fields
}

function shown(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value)
}

function samePayload(a: Event, b: Event): boolean {
  if (a.payload > 0 !== b.payload > 0) return false
  if (a.digestHigh === b.digestHigh && a.digestLow === b.digestLow) return true
  return a.op === 'read' && (isUnnoted(a) || isUnnoted(b))
}

function isUnnoted({ digestHigh, digestLow }: Event): boolean {
  return digestHigh === 0 && digestLow === 0
}

function digestOf({ digestHigh, digestLow }: Event): string {
  return digestHigh.toString(16).padStart(8, '0') + digestLow.toString(16).padStart(8, '0')
}

function sameDetail(a: Event, b: Event): boolean {
  const [one, two] = [a.detail, b.detail]
  if (one === two) return true
  const [left, right] = [said(a, unsaid), said(b, unsaid)]
  const names = Object.keys(left)
  if (names.length !== Object.keys(right).length) return false
  return names.every((name) => JSON.stringify(left[name]) === JSON.stringify(right[name]))
}

/** The detail without what is no difference. */
function said({ kind, detail }: Event, leftOut: typeof unsaid): Detail {
  const names = leftOut[kind]
  if (names === undefined) return detail
  return Object.fromEntries(Object.entries(detail).filter(([name]) => !names.includes(name)))
}
