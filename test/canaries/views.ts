/** What the canaries of views have in common: pasts, and the events they plant. */

import type { NewEvent } from '../../src/events/columns.ts'
import { overlayOf } from '../../src/layers/preserve-state.ts'
import {
  block,
  cloned,
  preserve,
  restore,
  type Step,
  session,
  sync,
  volume,
  write,
} from '../support/given.ts'

export const view = 3
export const at = (blocks: number, rest: object = {}) => ({ at: blocks, volume: view, ...rest })
/** Volume 3 is a view of 1; block 1 is its own. */
export const preserved: readonly Step[] = [
  volume('disk'),
  volume('other'),
  session(),
  session('two'),
  write(1, { count: 16 }),
  preserve('view'),
  write(2, at(1)),
]
export const syncing: readonly Step[] = [...cloned, write(1, { count: 16 }), preserve('view'), sync('p')]
export const restoring: readonly Step[] = [...cloned, write(1, { count: 16 }), restore('p'), preserve('view')]

export const created = (id: number, base = 1): NewEvent => {
  return { kind: 'preserve.created', volume: id, detail: { name: 'new', base } }
}
export const dropped = { kind: 'preserve.dropped', volume: view } as const
export const merging = (blocks: number) =>
  ({ kind: 'merge.started', volume: view, detail: { blocks } }) as const
export const finished = { kind: 'merge.finished', volume: view } as const
export const merged = (first: number, payload: number, fields: Partial<NewEvent> = {}): NewEvent => {
  const range = { offset: first * block, length: block }
  return { kind: 'merge.block', volume: 1, op: 'write', fate: 'passed', ...range, payload, ...fields }
}
export const rebound = (of = 1, from = 1, to = view) =>
  ({ kind: 'session.rebound', session: of, detail: { from, to } }) as const

/** Lets a table do something else than it is told. */
export function table(change: (map: { set(b: number): boolean; clear(b: number): boolean }) => void): Step {
  return ({ world }) => change(overlayOf(world, view)!.table)
}
