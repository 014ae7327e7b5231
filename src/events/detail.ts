/**
 * Details: the rare fields that a row has no column for, a flat record a row, checked by the schema of its kind.
 *
 * Numbers are non-negative whole numbers below 2^53; texts have a bounded length and are shown escaped. Besides its
 * own fields, every control command may have a `key` (layers/command-key.ts).
 */

import { type Kind, mayHaveKey } from './kind.ts'

export type DetailValue = string | number | boolean | readonly number[]
export type Detail = Readonly<Record<string, DetailValue>>

export const noDetail: Detail = Object.freeze({})

type Must = 'name' | 'text' | 'count' | 'flag' | 'counts' | 'key'
/** What a field holds; with a question mark it may be left out. */
type Field = Must | `${Must}?`

const layout = { devices: 'counts?', stripe: 'count?' } as const
const terms = {
  devices: 'counts?',
  ranges: 'counts?',
  layout: 'counts?',
  mode: 'text?',
  scope: 'text?',
  policy: 'text?',
  crash: 'text?',
} as const

/** The fields of each kind that has any; every field named must be there, but those marked `?`, and no other. */
export const detailFields: Readonly<Partial<Record<Kind, Readonly<Record<string, Field>>>>> = {
  'session.open': { name: 'text' },
  mark: { label: 'text' },
  'run.begin': { scenario: 'text', digest: 'text', seed: 'count', options: 'text?' },
  'run.end': { scenario: 'text' },
  'device.create': { name: 'text' },
  'session.close': { orderly: 'flag?' },
  'volume.create': { name: 'text', size: 'count', block: 'count', ...layout },
  'backup.start': {
    name: 'text',
    volumes: 'counts',
    deadlineMs: 'count',
    maxEntries: 'count',
    maxBytes: 'count',
    ...terms,
  },
  'backup.stop': { name: 'text' },
  'fsmeta.commit': { n: 'count' },
  'volume.resize': { size: 'count' },
  'volume.branch': { name: 'text', from: 'count', seq: 'count', size: 'count' },
  'branch.end': { runs: 'count', mapHash: 'text' },
  'pair.create': {
    ...{ name: 'text', source: 'count', clone: 'count', extent: 'count' },
    ...{ path: 'text?', size: 'count?', sha256: 'text?' },
  },
  'pair.sync': { name: 'text', rate: 'count?' },
  'pair.fracture': { name: 'text', force: 'flag?' },
  'pair.delete': { name: 'text' },
  'preserve.create': { name: 'text', base: 'count', maxBytes: 'count?' },
  'preserve.drop': { view: 'count' },
  'preserve.merge': { view: 'count' },
  'session.rebind': { from: 'count', to: 'count' },
  'restore.start': { pair: 'text', protected: 'flag', rate: 'count?', paused: 'flag?' },
  'restore.pause': { pair: 'text' },
  'restore.resume': { pair: 'text' },
  'restore.cancel': { pair: 'text', force: 'flag?' },
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
  'tap.attach': { uri: 'text', size: 'count', copied: 'flag' },
  'tap.report': { errno: 'text?', zeros: 'flag?' },
  'tap.attached': { uri: 'text', copied: 'flag' },
  'tap.released': { zeros: 'flag?' },
  'engine.started': { writer: 'text', epoch: 'count', program: 'text' },
  'session.opened': { name: 'name' },
  'device.created': { name: 'name' },
  'volume.created': { name: 'name', size: 'count', block: 'count', ...layout },
  'backup.flag_set': {
    name: 'name',
    volumes: 'counts',
    deadlineMs: 'count',
    maxEntries: 'count',
    maxBytes: 'count',
    atUs: 'count',
    ...terms,
  },
  'volume.resized': { size: 'count' },
  'branch.started': { name: 'name', from: 'count', seq: 'count', size: 'count', block: 'count' },
  'branch.finished': { runs: 'count', mapHash: 'text' },
  'session.rebound': { from: 'count', to: 'count' },
  'preserve.created': { name: 'name', base: 'count', maxBytes: 'count?' },
  'merge.started': { blocks: 'count' },
  'fsmeta.committed': { n: 'count' },
  'pair.created': {
    ...{ name: 'name', source: 'count', clone: 'count', extent: 'count' },
    ...{ path: 'text?', size: 'count?', sha256: 'text?' },
  },
  'sync.started': { rate: 'count?' },
  'restore.started': {
    ...{ protected: 'flag', cdmCount: 'count', cdmHash: 'text', cloneHash: 'text' },
    rate: 'count?',
  },
  'restore.completed': { protected: 'flag', prmCount: 'count', cdmHash: 'text' },
  'restore.resumed': { count: 'count' },
  'restore.cancel_accepted': { force: 'flag' },
  'restore.cancelled': { mixedExtents: 'count' },
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
  'command.keyed': { key: 'key', asked: 'text', made: 'count' },
  'command.repeated': { key: 'key', made: 'count' },
  'engine.recovered': { dropped: 'count', lost: 'count' },
}

const maxText = 4096
/** The longest list of numbers in a detail. */
export const maxList = 4096
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** True for what volumes, sessions, backups and pairs may be called. */
export function isName(text: string): boolean {
  return namePattern.test(text)
}

const keyPattern = /^[\x21-\x7e]{1,128}$/

/** True for what may be the idempotency key of a command: printable ASCII without spaces. */
export function isKey(text: string): boolean {
  return keyPattern.test(text)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)
}

function fits(field: Must, value: unknown): boolean {
  switch (field) {
    case 'name':
      return typeof value === 'string' && isName(value)
    case 'text':
      return typeof value === 'string' && value.length <= maxText
    case 'count':
      return isCount(value)
    case 'key':
      return typeof value === 'string' && isKey(value)
    case 'flag':
      return typeof value === 'boolean'
    case 'counts':
      return Array.isArray(value) && value.length <= maxList && [...value].every(isCount)
  }
}

/** What is wrong with a detail of this kind; undefined when nothing is. */
export function detailFault(kind: Kind, detail: unknown): string | undefined {
  const fields = detailFields[kind] ?? {}
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return 'a detail is a record'
  const prototype = Object.getPrototypeOf(detail)
  if (prototype !== Object.prototype && prototype !== null) return 'a detail is a plain record'
  const given = detail as Record<string, unknown>
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(fields, name)) continue
    if (name !== 'key' || !mayHaveKey(kind)) return `${kind} has no field ${JSON.stringify(name)}`
    if (!fits('key', given.key)) return `${kind} has a key that is not 1 to 128 visible ASCII characters`
  }
  for (const [name, field] of Object.entries(fields)) {
    const form = field.replace('?', '') as Must
    if (!Object.hasOwn(given, name)) {
      if (form !== field) continue
      return `${kind} lacks the field ${name}`
    }
    if (!fits(form, given[name])) return `${kind} has a field ${name} that is no ${form}`
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

/** A number that may be left out; 0 when it is. */
export function countOr0(detail: Detail, name: string): number {
  return (detail[name] as number | undefined) ?? 0
}
