/**
 * Details: the rare fields that a row has no column for, a flat record a row, checked by the schema of its kind.
 *
 * Numbers are non-negative whole numbers below 2^53; texts have a bounded length and are shown escaped.
 */

import type { Kind } from './kind.ts'

export type DetailValue = string | number | boolean | readonly number[]
export type Detail = Readonly<Record<string, DetailValue>>

export const noDetail: Detail = Object.freeze({})

type Field = 'name' | 'text' | 'count' | 'flag' | 'counts'

/** The fields of each kind that has any; every field named must be there, and no other but its options. */
export const detailFields: Readonly<Partial<Record<Kind, Readonly<Record<string, Field>>>>> = {
  'session.open': { name: 'text' },
  mark: { label: 'text' },
  'run.begin': { scenario: 'text', digest: 'text', seed: 'count' },
  'run.end': { scenario: 'text' },
  'device.create': { name: 'text' },
  'volume.create': { name: 'text', size: 'count', block: 'count' },
  'backup.start': {
    name: 'text',
    volumes: 'counts',
    deadlineMs: 'count',
    maxEntries: 'count',
    maxBytes: 'count',
  },
  'backup.stop': { name: 'text' },
  'fsmeta.commit': { n: 'count' },
  'pair.create': { name: 'text', source: 'count', clone: 'count', extent: 'count' },
  'pair.sync': { name: 'text' },
  'pair.fracture': { name: 'text' },
  'preserve.create': { name: 'text', base: 'count' },
  'preserve.drop': { view: 'count' },
  'preserve.merge': { view: 'count' },
  'session.rebind': { from: 'count', to: 'count' },
  'restore.start': { pair: 'text', protected: 'flag' },
  'fence.raise': {
    name: 'text',
    meta: 'counts',
    covered: 'counts',
    full: 'flag',
    advisory: 'flag',
    metaFirst: 'flag',
    last: 'count',
    deadlineMs: 'count',
  },
  'fence.update': { name: 'text' },
  'fence.operate': { name: 'text' },
  'fence.finish': { name: 'text' },
  'fence.lower': { name: 'text' },
  'fence.abort': { name: 'text' },
  'fence.takeover': { name: 'text' },
  'fence.force': { name: 'text' },
  'fence.fail': { name: 'text' },
  'fence.pattern': { savedDigest: 'text' },
  'mover.request': { fence: 'text', image: 'text', digest: 'text', size: 'count', controlBytes: 'count' },
  'mover.report': { done: 'flag', controlBytes: 'count' },
  'engine.started': { writer: 'text', epoch: 'count', program: 'text' },
  'session.opened': { name: 'name' },
  'device.created': { name: 'name' },
  'volume.created': { name: 'name', size: 'count', block: 'count' },
  'backup.flag_set': {
    name: 'name',
    volumes: 'counts',
    deadlineMs: 'count',
    maxEntries: 'count',
    maxBytes: 'count',
    atUs: 'count',
  },
  'session.rebound': { from: 'count', to: 'count' },
  'preserve.created': { name: 'name', base: 'count' },
  'merge.started': { blocks: 'count' },
  'fsmeta.committed': { n: 'count' },
  'pair.created': { name: 'name', source: 'count', clone: 'count', extent: 'count' },
  'restore.started': { protected: 'flag', cdmCount: 'count', cdmHash: 'text', cloneHash: 'text' },
  'restore.completed': { protected: 'flag', prmCount: 'count', cdmHash: 'text' },
  'restore.resumed': { count: 'count' },
  'fence.requested': {
    name: 'name',
    owner: 'name',
    meta: 'counts',
    covered: 'counts',
    full: 'flag',
    advisory: 'flag',
    metaFirst: 'flag',
    last: 'count',
    deadlineMs: 'count',
    atUs: 'count',
  },
  'fence.saved': { hash: 'text' },
  'fence.lowering': { kind: 'text' },
  'fence.lowered': { kind: 'text' },
  'fence.taken_over': { owner: 'name' },
  'mover.requested': { image: 'text', digest: 'text', size: 'count', controlBytes: 'count' },
  'mover.done': { dataBytes: 'count', controlBytes: 'count' },
  'command.refused': { command: 'text' },
  'engine.recovered': { dropped: 'count', lost: 'count' },
}

const layout = { devices: 'counts', stripe: 'count' } as const
const terms = {
  devices: 'counts',
  ranges: 'counts',
  layout: 'counts',
  mode: 'text',
  scope: 'text',
  policy: 'text',
  crash: 'text',
} as const

/** The fields that a kind may have besides; what it means to leave one out is said where it is read. */
export const detailOptions: typeof detailFields = {
  'session.close': { orderly: 'flag' },
  'volume.create': layout,
  'volume.created': layout,
  'backup.start': terms,
  'backup.flag_set': terms,
}

const maxText = 4096
/** The longest list of numbers in a detail. */
export const maxList = 4096
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** True for what volumes, sessions, backups and pairs may be called. */
export function isName(text: string): boolean {
  return namePattern.test(text)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)
}

function fits(field: Field, value: unknown): boolean {
  switch (field) {
    case 'name':
      return typeof value === 'string' && isName(value)
    case 'text':
      return typeof value === 'string' && value.length <= maxText
    case 'count':
      return isCount(value)
    case 'flag':
      return typeof value === 'boolean'
    case 'counts':
      return Array.isArray(value) && value.length <= maxList && [...value].every(isCount)
  }
}

/** What is wrong with a detail of this kind; undefined when nothing is. */
export function detailFault(kind: Kind, detail: unknown): string | undefined {
  const fields = detailFields[kind] ?? {}
  const options = detailOptions[kind] ?? {}
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return 'a detail is a record'
  const prototype = Object.getPrototypeOf(detail)
  if (prototype !== Object.prototype && prototype !== null) return 'a detail is a plain record'
  const given = detail as Record<string, unknown>
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(fields, name) && !Object.hasOwn(options, name))
      return `${kind} has no field ${JSON.stringify(name)}`
  }
  for (const [name, field] of [...Object.entries(fields), ...Object.entries(options)]) {
    if (!Object.hasOwn(given, name)) {
      if (Object.hasOwn(options, name)) continue
      return `${kind} lacks the field ${name}`
    }
    if (!fits(field, given[name])) return `${kind} has a field ${name} that is no ${field}`
  }
  return undefined
}

/** A field that the schema says is a number. */
export function count(detail: Detail, name: string): number {
  return detail[name] as number
}

/** A field that the schema says is a text or a name. */
export function text(detail: Detail, name: string): string {
  return detail[name] as string
}

/** A field that the schema says is a list of numbers. */
export function counts(detail: Detail, name: string): readonly number[] {
  return detail[name] as readonly number[]
}

/** A list of numbers that may be left out; left out it is empty. */
export function countsIfAny(detail: Detail, name: string): readonly number[] {
  return (detail[name] as readonly number[] | undefined) ?? []
}

/** A text that may be left out. */
export function textOr(detail: Detail, name: string, otherwise: string): string {
  return (detail[name] as string | undefined) ?? otherwise
}
