/** Planted histories of media under fences and of views: every omission of an implementation that writes in place (P2). */

import { type FenceMediaEvent, mediaFence } from '../../src/check/media-fence.ts'
import { mediaView, type ViewMediaEvent } from '../../src/check/media-view.ts'
import { type MediaCanary, mediaRestoreCanaries } from './media-restore-canaries.ts'

const step = (...names: readonly FenceMediaEvent['name'][]): FenceMediaEvent[] =>
  names.map((name) => ({ name }))
const flushed = 'media.flushed'
const saved = 'fence.saved'
const pattern = 'pattern.written'
const lowered = 'fence.lowered'
const fenced = 'data.written'
const meta = 'meta.written'
const fenceRight = step(saved, pattern, flushed, fenced, flushed, meta, flushed, lowered)

const ofFence = (rule: string, what: string, ...wrong: readonly FenceMediaEvent['name'][]): MediaCanary => ({
  ...{ rule, what, findings: () => mediaFence(step(...wrong)), sound: () => mediaFence(fenceRight) },
})

const fenceCanaries = [
  ofFence(
    'S0-I1',
    'no durable copy of the metadata is made',
    ...([pattern, flushed, fenced, flushed, meta, flushed, lowered] as const),
  ),
  ofFence(
    'S0-I2',
    'the pattern is not flushed before data',
    ...([saved, pattern, fenced, flushed, meta, flushed, lowered] as const),
  ),
  ofFence(
    'S0-I3',
    'data is not flushed before valid metadata',
    ...([saved, pattern, flushed, fenced, meta, flushed, lowered] as const),
  ),
  ofFence(
    'S0-I3',
    'valid metadata is not flushed before the fence is gone',
    ...([saved, pattern, flushed, fenced, flushed, meta, lowered] as const),
  ),
]

type Name = Exclude<ViewMediaEvent['name'], 'io.submitted' | 'media.flushed'>
const submits = (io: number, op: 'W1' | 'W2' | 'R2'): ViewMediaEvent => ({
  name: 'io.submitted',
  io,
  block: 7,
  op,
})
const by = (io: number, name: Name, image: 1 | 2 = 1): ViewMediaEvent => ({ name, io, image })
const flushes = (image: 1 | 2): ViewMediaEvent => ({ name: 'media.flushed', image })

/** W2 as one should, then W1 and R2 as told. */
const owned = [
  ...[submits(1, 'W2'), by(1, 'lock.acquired'), by(1, 'image.stored', 2), flushes(2)],
  ...[by(1, 'table.set'), by(1, 'lock.released'), by(1, 'io.completed')],
]
const w1 = submits(2, 'W1')
const r2 = submits(3, 'R2')
const locks = by(2, 'lock.acquired')
const unlocks = by(2, 'lock.released')
const reads = (image: 1 | 2) => [
  by(3, 'lock.acquired'),
  by(3, 'image.read', image),
  by(3, 'lock.released'),
  by(3, 'io.completed'),
]
const redone = [
  ...[...owned, w1, locks, by(2, 'redo.durable'), by(2, 'table.cleared'), by(2, 'image.stored', 1), unlocks],
  ...[by(2, 'io.completed'), r2, ...reads(1)],
]
const unlocked = (events: readonly ViewMediaEvent[]) => events.filter(({ name }) => !name.startsWith('lock.'))

const ofView = (
  rule: string,
  what: string,
  right: readonly ViewMediaEvent[],
  wrong: readonly ViewMediaEvent[],
): MediaCanary => ({ rule, what, findings: () => mediaView(wrong), sound: () => mediaView(right) })

const viewCanaries = [
  ofView('S2-I8', 'write to the base: the entry deleted, then stored, no redo record', redone, [
    ...[...owned, w1, locks, by(2, 'table.cleared'), by(2, 'image.stored', 1), flushes(1), unlocks],
    by(2, 'io.completed'),
  ]),
  ofView('S2-I8', 'write to the base: stored, then the entry deleted, no redo record', redone, [
    ...[...owned, w1, locks, by(2, 'image.stored', 1), flushes(1), by(2, 'table.cleared'), unlocks],
    by(2, 'io.completed'),
  ]),
  ofView('S2-I8', 'write to the view: the entry made, then stored', owned, [
    ...[submits(1, 'W2'), by(1, 'lock.acquired'), by(1, 'table.set'), by(1, 'image.stored', 2), flushes(2)],
    ...[by(1, 'lock.released'), by(1, 'io.completed')],
  ]),
  ofView('S2-I8', 'write to the view: stored, not flushed, then the entry made', owned, [
    ...[submits(1, 'W2'), by(1, 'lock.acquired'), by(1, 'image.stored', 2), by(1, 'table.set'), flushes(2)],
    ...[by(1, 'lock.released'), by(1, 'io.completed')],
  ]),
  ofView('S2-I6', 'a read races a write to the base, neither locks', redone, [
    ...owned,
    ...unlocked([
      ...[w1, by(2, 'redo.durable'), by(2, 'table.cleared'), r2, ...reads(1), by(2, 'image.stored', 1)],
      by(2, 'io.completed'),
    ]),
  ]),
  ofView('S2-I6', 'a read races the first write to the view, neither locks', owned, [
    ...unlocked([
      ...[submits(1, 'W2'), by(1, 'redo.durable'), by(1, 'table.set'), r2, ...reads(2)],
      ...[by(1, 'image.stored', 2), by(1, 'io.completed')],
    ]),
  ]),
  ofView('S2-I6', 'a read takes the lock that a write holds', redone, [
    ...[...owned, w1, locks, by(2, 'redo.durable'), by(2, 'table.cleared'), r2, ...reads(1)],
    ...[by(2, 'image.stored', 1), unlocks, by(2, 'io.completed')],
  ]),
  ofView(
    'S2-I2',
    'a read goes to the image that the table does not say',
    [...owned, r2, ...reads(2)],
    [...owned, r2, ...reads(1)],
  ),
  ofView('G-I3', 'a write to the view is acknowledged before it is flushed', owned, [
    ...[submits(1, 'W2'), by(1, 'lock.acquired'), by(1, 'image.stored', 2), by(1, 'io.completed')],
  ]),
]

export const mediaCanaries: readonly MediaCanary[] = [
  ...mediaRestoreCanaries,
  ...fenceCanaries,
  ...viewCanaries,
]
