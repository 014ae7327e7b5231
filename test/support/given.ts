/**
 * given(past).when(input).then(events): tests of the stack that read as past, question and answer.
 *
 * Volumes have 16 blocks of 4096 bytes unless told otherwise, extents 4 blocks. A host request is named by its
 * number; the payload of write `n` begins at place `n * 1000`.
 */

import * as assert from 'uvu/assert'
import { Violation } from '../../src/core/assert.ts'
import type { Code } from '../../src/events/code.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import type { Kind } from '../../src/events/kind.ts'
import { History, reportsOf } from './history.ts'
import type { Kept } from './ledger.ts'

/** An input, or something that enters inputs that depend on the state. */
export type Step = NewEvent | ((history: History) => void)

export const block = 4096
export const extentBlocks = 4
export const volumeBlocks = 16

/** A chain of entries; the last one is what `then` looks at. */
export interface Answer {
  /** The last entry is exactly these events, as far as they say: the input itself, then the outcomes. */
  then(...expected: readonly NewEvent[]): Answer
  /** Looks at the state. */
  and(look: (history: History) => void): Answer
  when(...steps: readonly Step[]): Answer
}

/** A world with this past. */
export function given(...past: readonly Step[]): Answer {
  const history = new History()
  let entry: Kept[] = []
  const take = (steps: readonly Step[]) => {
    for (const step of steps) {
      const first = history.world.seq + 1
      if (typeof step === 'function') step(history)
      else history.enter(step)
      entry = history.ledger.from(first)
    }
  }
  const answer: Answer = {
    // biome-ignore lint/suspicious/noThenProperty: given, when, then; nobody awaits it
    then(...expected) {
      assert.equal(entry.map(brief), expected.map(brief))
      for (const [k, event] of expected.entries()) assert.equal(pick(entry[k]!, event), pick(event, event))
      return answer
    },
    and(look) {
      look(history)
      return answer
    },
    when(...steps) {
      take(steps)
      return answer
    },
  }
  take(past)
  return answer
}

function brief({ kind, fate, code, request }: NewEvent): string {
  return [kind, request, fate ?? 'none', code ?? 'ok'].filter((part) => part !== undefined).join(' ')
}

function pick(event: NewEvent, fields: NewEvent): unknown {
  const keys = Object.keys(fields).filter((key) => fields[key as keyof NewEvent] !== undefined)
  return Object.fromEntries(keys.map((key) => [key, event[key as keyof NewEvent] ?? empty(key)]))
}

function empty(key: string): unknown {
  if (key === 'fate' || key === 'op') return 'none'
  return key === 'code' ? 'ok' : 0
}

/** Runs `act` and demands that it breaks exactly this rule. */
export function breaks(rule: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    assert.is(error.rule, rule, error.message)
    return
  }
  assert.unreachable(`${rule} is not broken`)
}

// What one says of the past.

export function volume(name: string, blocks = volumeBlocks, size = block): NewEvent {
  return { kind: 'volume.create', detail: { name, size: blocks * size, block: size } }
}

/** A volume of 16 blocks on devices; on several, in stripes of so many blocks. */
export function volumeOn(name: string, devices: readonly number[], stripe = 0): NewEvent {
  const striped = stripe > 0 && { stripe: stripe * block }
  return { kind: 'volume.create', detail: { name, size: volumeBlocks * block, block, devices, ...striped } }
}

export function device(name: string): NewEvent {
  return { kind: 'device.create', detail: { name } }
}

export function session(name = 'host'): NewEvent {
  return { kind: 'session.open', detail: { name } }
}

interface Place {
  readonly at?: number
  readonly count?: number
  readonly volume?: number
  readonly session?: number
  readonly flags?: number
  readonly payload?: number
}

function io(kind: Kind, op: NonNullable<NewEvent['op']>, request: number, place: Place): NewEvent {
  const { at = 0, count = 1, volume = 1, session = 1, flags = 0 } = place
  const range = op === 'flush' ? {} : { offset: at * block, length: count * block }
  return { kind, op, session, request, volume, flags, ...range }
}

export function read(request: number, place: Place = {}): NewEvent {
  return io('io.read', 'read', request, place)
}
export function write(request: number, place: Place = {}): NewEvent {
  return { ...io('io.write', 'write', request, place), payload: place.payload ?? request * 1000 }
}
export function zeroes(request: number, place: Place = {}): NewEvent {
  return io('io.zeroes', 'zeroes', request, place)
}
export function discard(request: number, place: Place = {}): NewEvent {
  return io('io.discard', 'discard', request, place)
}
export function flush(request: number, place: Place = {}): NewEvent {
  return io('io.flush', 'flush', request, place)
}

interface Terms {
  readonly deadlineMs?: number
  readonly maxEntries?: number
  readonly maxBytes?: number
  readonly devices?: readonly number[]
  /** Volume, offset and length in bytes, one after the other. */
  readonly ranges?: readonly number[]
  readonly layout?: readonly number[]
  readonly mode?: string
  readonly scope?: string
  readonly policy?: string
  readonly crash?: string
  /** The session that asks for it. */
  readonly session?: number
}

/** Blocks [at, at + count) of a volume as a backup names a range. */
export function blocks(volume: number, at: number, count = 1): number[] {
  return [volume, at * block, count * block]
}

export function backup(name: string, volumes: readonly number[] = [1], terms: Terms = {}): NewEvent {
  const { deadlineMs = 0, maxEntries = 0, maxBytes = 0, session = 0, ...options } = terms
  const detail = { name, volumes, deadlineMs, maxEntries, maxBytes, ...options }
  return { kind: 'backup.start', ...(session !== 0 && { session }), detail }
}
export function stop(name: string): NewEvent {
  return { kind: 'backup.stop', detail: { name } }
}
export function deadline(tag: number): NewEvent {
  return { kind: 'deadline.reached', tag }
}

export function pair(name: string, source = 1, clone = 2, extent = extentBlocks * block): NewEvent {
  return { kind: 'pair.create', detail: { name, source, clone, extent } }
}
export function sync(name: string): NewEvent {
  return { kind: 'pair.sync', detail: { name } }
}
export function fracture(name: string): NewEvent {
  return { kind: 'pair.fracture', detail: { name } }
}
export function restore(name: string, isProtected = true): NewEvent {
  return { kind: 'restore.start', detail: { pair: name, protected: isProtected } }
}
/** @param most how many blocks of its own it may have; 0 for as many as it likes. */
export function preserve(name: string, base = 1, most = 0): NewEvent {
  return { kind: 'preserve.create', detail: { name, base, ...(most > 0 && { maxBytes: most * block }) } }
}
export function drop(view: number): NewEvent {
  return { kind: 'preserve.drop', detail: { view } }
}
export function merge(view: number): NewEvent {
  return { kind: 'preserve.merge', detail: { view } }
}
export function close(session = 1): NewEvent {
  return { kind: 'session.close', session }
}

/** Every copy that is running, and every one that starts because of it, goes well. */
export function copied(history: History): void {
  for (let reports = reportsOf(history.world); reports.length > 0; reports = reportsOf(history.world)) {
    for (const report of reports) history.enter(report)
  }
}

/** The copy of extent `e` into `volume` that is running ends so. */
export function copyEnds(volume: number, e: number, code: 'ok' | 'E_IO' = 'ok', extent = extentBlocks): Step {
  return (history) => {
    const offset = e * extent * block
    const all = reportsOf(history.world, code)
    const report = all.find((one) => one.volume === volume && one.offset === offset)
    assert.ok(report !== undefined, `no copy of extent ${e} into volume ${volume} is running`)
    history.enter(report!)
  }
}

/** The recorder stops without a word and starts again. */
export function crash(history: History): void {
  const detail = { writer: 'test', epoch: history.world.epoch + 1, program: 'test' }
  history.enter({ kind: 'engine.started', detail })
  history.enter({ kind: 'engine.recover' })
}

/** The source, and a clone that was made of it and fractured, with a host at work: volumes 1 and 2, session 1. */
export const cloned: readonly Step[] = [
  volume('disk'),
  volume('clone'),
  session(),
  pair('p'),
  sync('p'),
  copied,
  fracture('p'),
]

// What one expects.

export function passed(asked: NewEvent): NewEvent {
  return { ...asked, fate: 'passed' }
}
export function held(asked: NewEvent): NewEvent {
  return { ...asked, fate: 'held' }
}
export function queued(asked: NewEvent): NewEvent {
  return { ...asked, fate: 'queued' }
}
export function refused(asked: NewEvent, code: Code): NewEvent {
  return { ...asked, fate: 'refused', code }
}
/** The hold queue lets a write go, and nothing below stops it. */
export function released(asked: NewEvent, fate: 'passed' | 'queued' = 'passed'): NewEvent {
  return { ...asked, kind: 'hold.released', fate }
}
/** The copy-on-demand queue lets a request go. */
export function freed(asked: NewEvent): NewEvent {
  return { ...asked, kind: 'cod.released', fate: 'passed' }
}
export function dropped(asked: NewEvent, code: Code): NewEvent {
  return ended('hold.dropped', asked, code)
}
/** A held write fails. */
export function refusedLate(asked: NewEvent, code: Code): NewEvent {
  return ended('hold.failed', asked, code)
}
export function lost(asked: NewEvent, code: Code): NewEvent {
  return ended('io.lost', asked, code)
}
export function failed(asked: NewEvent, code: Code = 'E_IO'): NewEvent {
  return ended('io.failed', asked, code)
}
function ended(kind: Kind, { session, request, volume }: NewEvent, code: Code): NewEvent {
  return { kind, code, session: session!, request: request!, volume: volume! }
}
export function refusal(command: NewEvent, code: Code): NewEvent[] {
  return [command, { kind: 'command.refused', code, detail: { command: command.kind } }]
}
/** A copy of extent `e` into `volume` starts. */
export function copying(volume: number, e: number, extent = extentBlocks): NewEvent {
  return { kind: 'copy.started', volume, offset: e * extent * block }
}
