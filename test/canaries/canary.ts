/**
 * A canary: a short history with one fault planted in it, that must be found as a breach of one named rule, and the
 * same history without the fault, in which nothing may be found.
 */

import * as assert from 'uvu/assert'
import { Violation } from '../../src/core/assert.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { checked } from '../support/checked.ts'
import { block, extentBlocks, type Step } from '../support/given.ts'
import { History } from '../support/history.ts'

export interface Canary {
  readonly rule: string
  /** What is wrong, in a few words. */
  readonly what: string
  readonly past: readonly Step[]
  readonly fault: readonly Step[]
  /** What stands in its place in a history that is sound. */
  readonly sound: readonly Step[]
}

/** The rules that a history breaks: what the fold throws, and what the checks find. */
export interface Found {
  readonly thrown: string | undefined
  readonly checks: readonly string[]
}

export function findingsOf(steps: readonly Step[]): Found {
  const check = checked()
  const history = new History(check)
  const rules = () => [...new Set(check.findings.map(({ rule }) => rule))]
  try {
    for (const step of steps) typeof step === 'function' ? step(history) : history.enter(step)
    history.end()
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    return { thrown: error.rule, checks: rules() }
  }
  return { thrown: undefined, checks: rules() }
}

/** Folds events as they are; one about a request by its number gets the sequence number of its submission. */
export function plant(...events: readonly NewEvent[]): Step {
  return (history) => {
    for (const event of events) history.plant({ ...event, about: event.about ?? submission(history, event) })
  }
}

/** Outcomes about a request that waited. */
const later: ReadonlySet<string> = new Set([
  'hold.released',
  'cod.released',
  'hold.dropped',
  'hold.failed',
  'io.lost',
  'io.failed',
])

function submission(history: History, { kind, request = 0 }: NewEvent): number {
  return later.has(kind) && request > 0 ? seqOf(history, request) : 0
}

/** The sequence number of the input with which a host submitted its request. */
export function seqOf(history: History, request: number): number {
  const found = history.ledger.from(1).find((event) => event.request === request)
  assert.ok(found !== undefined, `request ${request} is on record`)
  return found!.seq
}

/** A copy of an extent of pair 1 into a volume begins. */
export function copyStarts(volume: number, e: number, about = 0): NewEvent {
  const size = extentBlocks * block
  return { kind: 'copy.started', tag: 1, volume, offset: e * size, length: size, about }
}

/** Makes pair 1 forget that an extent differs, or believe it. */
export function mark(e: number, differs: boolean): Step {
  return ({ world }) => {
    const { cdm } = pairsOf(world).byTag.get(1)!
    if (differs) cdm.set(e)
    else cdm.clear(e)
  }
}

/** Changes a block of a volume behind everybody's back. */
export function overwrite(volume: number, at: number, place: number): Step {
  return ({ world }) => world.volumes[volume - 1]!.map.write(at, 1, place)
}
