/**
 * What one says and expects of fences. The volume has 16 blocks; its metadata are the blocks 0, 1 and 8, of which 0
 * makes it mountable. The pattern is at place 77000, image bytes at places that the caller gives.
 */

import * as assert from 'uvu/assert'
import type { Code } from '../../src/events/code.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { type Fence, fencesOf } from '../../src/layers/fence-state.ts'
import { block, type Step, session, volume } from './given.ts'
import type { History } from './history.ts'

export const metaBlocks = [0, 1, 8] as const
export const patternPlace = 77_000

export interface FenceTerms {
  readonly name?: string
  readonly session?: number
  readonly volume?: number
  readonly meta?: readonly number[]
  /** Blocks of a partial fence. */
  readonly covered?: readonly number[]
  readonly advisory?: boolean
  readonly metaFirst?: boolean
  readonly last?: number
  readonly deadlineMs?: number
}

/** Blocks as offsets and lengths in turn. */
const counts = (blocks: readonly number[]) => blocks.flatMap((at) => [at * block, block])

export function raise(terms: FenceTerms = {}): NewEvent {
  const { name = 'f', session = 1, volume = 1, meta = metaBlocks, covered, advisory = false } = terms
  const { metaFirst = false, last = meta[0]!, deadlineMs = 0 } = terms
  const ranges = { meta: counts(meta), covered: counts(covered ?? []), full: covered === undefined }
  const detail = { name, ...ranges, advisory, metaFirst, last: last * block, deadlineMs }
  return { kind: 'fence.raise', session, volume, detail }
}

type Verb = 'operate' | 'finish' | 'lower' | 'abort' | 'takeover' | 'force'

export function fence(verb: Verb, session = 1, name = 'f'): NewEvent {
  return { kind: `fence.${verb}`, session, detail: { name } }
}

export function fails(code: Code = 'E_IO', session = 1, name = 'f'): NewEvent {
  return { kind: 'fence.fail', session, code, detail: { name } }
}

/** The deadline of fence 1 passes. */
export function late(tag = 1, name = 'f'): NewEvent {
  return { kind: 'fence.fail', tag, code: 'E_DEADLINE', detail: { name } }
}

export function update(at: number, payload: number, session = 1, name = 'f'): NewEvent {
  const range = { offset: at * block, length: block }
  return { kind: 'fence.update', session, ...range, payload, detail: { name } }
}

export function asks(
  session = 1,
  image: { readonly digest?: string; readonly blocks?: number } = {},
): NewEvent {
  const { digest = 'd', blocks = 16 } = image
  const detail = { fence: 'f', image: 'image', digest, size: blocks * block, controlBytes: 100 }
  return { kind: 'mover.request', session, detail }
}

/** The mover reports `count` blocks from block `at`; place 0: zeros. */
export function reports(at: number, count: number, place: number, tag = 1): NewEvent {
  const range = { offset: at * block, length: count * block }
  return { kind: 'mover.report', tag, ...range, payload: place, detail: { done: false, controlBytes: 0 } }
}

export function ends(tag = 1): NewEvent {
  return { kind: 'mover.report', tag, detail: { done: true, controlBytes: 50 } }
}

export function moverFails(tag = 1): NewEvent {
  return { kind: 'mover.report', tag, code: 'E_IO', detail: { done: false, controlBytes: 0 } }
}

export function fenceIn(history: History, tag = 1): Fence {
  const found = fencesOf(history.world).byTag.get(tag)
  assert.ok(found !== undefined, `fence ${tag} stands`)
  return found!
}

/** The report that a fence waits for: its pattern is stored, or what it wrote is durable. */
export function awaitedOf(one: Fence): NewEvent | undefined {
  if (one.awaits === 0) return undefined
  const { tag, awaits: about, block: length } = one
  if (one.phase === 'lowering') return { kind: 'fence.flushed', tag, about }
  const detail = { savedDigest: '' }
  return { kind: 'fence.pattern', tag, about, length, payload: patternPlace, detail }
}

/** The engine reports all that fences wait for, as often as they do. */
export function durable(history: History): void {
  for (let again = true; again; ) {
    again = false
    for (const one of [...fencesOf(history.world).byTag.values()]) {
      const report = awaitedOf(one)
      if (report === undefined) continue
      history.enter(report)
      again = true
    }
  }
}

/** The owner is session 1, another host session 2; the disk has 16 blocks, written by request 1. */
export const hosts: readonly Step[] = [volume('disk'), session('owner'), session('other')]

export function outcomes(history: History, from: number): string[] {
  return history.ledger
    .from(from)
    .filter(({ kind }) => !kind.startsWith('io.'))
    .map(({ kind }) => kind)
}
