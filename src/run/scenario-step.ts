/**
 * Steps of a scenario: the control commands that come between the requests of its hosts, when they are due and what they
 * say. One table holds the arguments of all; traces/README.md describes them.
 */

import type { BlockboxError } from '../core/errors.ts'

/** When a step is due: at the beginning, after a host submitted K events of its trace, or after its last. */
export type At = { readonly host: string; readonly events: number } | 'begin'

export type StepForm = 'text' | 'texts' | 'count' | 'size' | 'flag'

/** A fence belongs to the session of a host, which says what becomes of it. */
const ofFence = { name: 'text', host: 'text' } as const

/** The arguments of each step; those with a question mark may be left out. */
export const stepArgs = {
  'device.create': { name: 'text' },
  'volume.create': { name: 'text', size: 'size', 'block?': 'size', 'devices?': 'texts', 'stripe?': 'size' },
  'volume.resize': { volume: 'text', size: 'size' },
  'volume.delete': { volume: 'text' },
  'backup.start': {
    name: 'text',
    'volumes?': 'texts',
    'devices?': 'texts',
    'ranges?': 'texts',
    'layout?': 'texts',
    'scope?': 'text',
    'mode?': 'text',
    'policy?': 'text',
    'crash?': 'text',
    'host?': 'text',
    'deadline_ms?': 'count',
    'max_entries?': 'count',
    'max_bytes?': 'size',
  },
  'backup.stop': { name: 'text' },
  'pair.create': {
    name: 'text',
    source: 'text',
    'clone?': 'text',
    'clone_file?': 'text',
    'sha256?': 'text',
    extent: 'size',
  },
  'pair.sync': { name: 'text', 'rate?': 'count' },
  'pair.fracture': { name: 'text', 'force?': 'flag', 'host?': 'text' },
  'pair.delete': { name: 'text' },
  'restore.start': { pair: 'text', 'protected?': 'flag', 'rate?': 'count', 'host?': 'text' },
  'restore.pause': { pair: 'text' },
  'restore.resume': { pair: 'text' },
  'restore.cancel': { pair: 'text', 'force?': 'flag', 'host?': 'text' },
  'preserve.create': { base: 'text', name: 'text' },
  'preserve.drop': { view: 'text' },
  'preserve.merge': { view: 'text' },
  'session.rebind': { host: 'text', from: 'text', to: 'text' },
  'fence.raise': {
    ...ofFence,
    volume: 'text',
    'layout?': 'text',
    'paths?': 'texts',
    'ranges?': 'texts',
    'covered?': 'texts',
    'last?': 'size',
    'advisory?': 'flag',
    'meta_first?': 'flag',
    'deadline_ms?': 'count',
  },
  'fence.update': { ...ofFence, offset: 'size', length: 'size' },
  'fence.operate': ofFence,
  'fence.finish': ofFence,
  'fence.fail': ofFence,
  'fence.lower': ofFence,
  'fence.abort': ofFence,
  'fence.force': ofFence,
  'fence.takeover': ofFence,
  'fence.restore': { ...ofFence, image: 'text', 'sha256?': 'text' },
  mark: { label: 'text', volume: 'text' },
  'host.start': { host: 'text' },
} as const satisfies Record<string, Record<string, StepForm>>

export type StepName = keyof typeof stepArgs

export type StepValue = string | number | boolean | readonly string[]

export interface ScenarioStep {
  readonly at: At
  readonly does: StepName
  readonly args: Readonly<Record<string, StepValue>>
}

/** The fields of a table, as a scenario reads them. */
export interface StepFields {
  has(name: string): boolean
  text(name: string): string
  value(name: string, form: StepForm): StepValue
  fault(message: string): BlockboxError
  done(): object
}

/** Throws SCENARIO with the place and what would be right. */
export function stepOf(step: StepFields): ScenarioStep {
  const does = step.text('do')
  if (!Object.hasOwn(stepArgs, does)) {
    throw step.fault(`there is no step "${does}": use one of ${Object.keys(stepArgs).join(', ')}`)
  }
  const at = atOf(step)
  const args: Record<string, StepValue> = {}
  for (const [key, form] of Object.entries(stepArgs[does as StepName])) {
    const name = key.replace('?', '')
    if (key.endsWith('?') && !step.has(name)) continue
    args[name] = step.value(name, form as StepForm)
  }
  if (does === 'pair.create' && Object.hasOwn(args, 'clone') === Object.hasOwn(args, 'clone_file')) {
    throw step.fault('a pair has a clone, which is a volume, or a clone_file')
  }
  if (does === 'fence.raise' && Object.hasOwn(args, 'layout') === Object.hasOwn(args, 'ranges')) {
    throw step.fault('a fence has a layout, as "ext4", or the ranges of its metadata')
  }
  return { at, does: does as StepName, args, ...step.done() }
}

function atOf(step: StepFields): At {
  const text = step.text('at')
  if (text === 'begin') return 'begin'
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*):(\d+|end)$/.exec(text)
  if (match === null)
    throw step.fault(`at = "${text}" is not understood: write "begin", "HOST:K" or "HOST:end"`)
  return { host: match[1]!, events: match[2] === 'end' ? Number.POSITIVE_INFINITY : Number(match[2]) }
}
