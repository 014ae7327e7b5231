/**
 * Idempotency keys: a control command may carry a key, and a client that does not know whether its command got through
 * sends it again with the same one.
 *
 *     unknown key ──▶ decided as always ──▶ accepted: command.keyed, the key is remembered with what the command made
 *                                      └──▶ refused: it changed nothing, and so neither is its key remembered
 *     known key ────▶ the same arguments ──▶ command.repeated: answered as the first one, nothing else happens
 *                └──▶ other arguments ─────▶ E_KEY_USED
 *
 * Which arguments a command had is remembered as a digest: of its kind, its columns and its details. Who asks is none
 * of them, so that a client may come back on another connection; but where a command is about a session, that is.
 * The newest 1024 keys are remembered; a repetition that comes later than that is a new command.
 *
 * A layer for its state alone: every request passes it.
 */

import { must } from '../core/assert.ts'
import { hex, sha256 } from '../core/digest.ts'
import { Lanes } from '../core/lanes.ts'
import type { NewEvent } from '../events/columns.ts'
import { count, text } from '../events/detail.ts'
import type { Kind } from '../events/kind.ts'
import { type Layer, pass, type World } from './layer.ts'

/** So many keys are remembered, the newest. */
export const maxKeys = 1024

export interface Keyed {
  /** The input that had the key. */
  readonly seq: number
  /** Digest of its arguments. */
  readonly asked: string
  /** Number of what it made; 0: nothing. */
  readonly made: number
}

export interface CommandKeys {
  /** Oldest first. */
  readonly byKey: Map<string, Keyed>
  /** The set hash of `byKey`. */
  readonly sum: Lanes
}

export const commandKey: Layer<CommandKeys> = {
  name: 'command-key',
  hears: ['command.keyed', 'command.repeated'],
  commands: [],
  start: () => ({ byKey: new Map(), sum: new Lanes() }),
  active: () => false,
  forbids: () => undefined,
  admit: () => pass,
  effect: () => undefined,
  evolve(state, { kind, about: seq, detail }) {
    const key = text(detail, 'key')
    const known = state.byKey.get(key)
    if (kind === 'command.repeated') {
      return must(known?.seq === seq, 'G-I2', `event ${seq} did not have the key ${key} that is repeated`)
    }
    must(known === undefined, 'G-I2', `key ${key} belongs to event ${known?.seq} and is given again`)
    remember(state, key, { seq, asked: text(detail, 'asked'), made: count(detail, 'made') })
  },
  decide: () => 'E_UNSUPPORTED',
  due: () => undefined,
  targets: () => [],
  marks: () => [],
  abandon: () => [],
  resume: () => [],
  hash(state, lanes) {
    if (state.byKey.size > 0) lanes.include(state.byKey.size, state.sum.low, state.sum.high)
  },
  save: (state) => [...state.byKey].map(([key, { seq, asked, made }]) => [key, seq, asked, made]),
  load(saved) {
    const state: CommandKeys = { byKey: new Map(), sum: new Lanes() }
    for (const [key, seq, asked, made] of (saved ?? []) as [string, number, string, number][]) {
      remember(state, key, { seq, asked, made })
    }
    return state
  },
}

function remember(state: CommandKeys, key: string, keyed: Keyed): void {
  const [oldest] = state.byKey
  if (oldest !== undefined && state.byKey.size >= maxKeys) {
    const { low, high } = hashOf(...oldest)
    state.sum.remove(low >>> 0, high >>> 0)
    state.byKey.delete(oldest[0])
  }
  state.byKey.set(key, keyed)
  const { low, high } = hashOf(key, keyed)
  state.sum.add(low >>> 0, high >>> 0)
}

function hashOf(key: string, { seq, asked, made }: Keyed): Lanes {
  const lanes = new Lanes()
  lanes.text(0, key)
  lanes.text(2 ** 20, asked)
  lanes.add(2 ** 21, seq)
  lanes.add(2 ** 21 + 1, made)
  return lanes
}

/** Commands that are about the session they name; with all others it says who asks. */
const ofSession: ReadonlySet<Kind> = new Set<Kind>(['session.close', 'session.rebind'])

/** The key of a command; undefined when it has none. */
export function keyOf({ detail }: NewEvent): string | undefined {
  const key = detail?.key
  return typeof key === 'string' ? key : undefined
}

/** The digest of what a command asks for: 32 hexadecimal digits. */
export function askedDigest(input: NewEvent): string {
  const { kind, session = 0, volume = 0, tag = 0, offset = 0, length = 0, about = 0, code = 'ok' } = input
  const { digestHigh = 0, digestLow = 0, detail = {} } = input
  const fields = Object.entries(detail).filter(([name]) => name !== 'key')
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  const columns = [volume, tag, offset, length, about, code, digestHigh, digestLow]
  const asked = [kind, ofSession.has(kind) ? session : 0, ...columns, fields]
  return hex(sha256(new TextEncoder().encode(JSON.stringify(asked)))).slice(0, 32)
}

/** The layer's state in the world. */
export function commandKeysOf(world: World): CommandKeys {
  return world.own['command-key'] as CommandKeys
}
