/** What lasts in a history: the kinds of spans, the events that begin and end each, and those noted on the way. */

import type { Kind } from '../events/kind.ts'

export type SpanKind =
  | 'recorder'
  | 'recovery'
  | 'run'
  | 'session'
  | 'backup'
  | 'sync'
  | 'restore'
  | 'fence'
  | 'view'
  | 'merge'
  | 'tap'
export const spanKinds: readonly SpanKind[] = [
  ...(['recorder', 'recovery', 'run', 'session', 'backup'] as const),
  ...(['sync', 'restore', 'fence', 'view', 'merge', 'tap'] as const),
]

export const beginnings: Readonly<Partial<Record<Kind, SpanKind>>> = {
  'engine.started': 'recorder',
  'engine.recover': 'recovery',
  'run.begin': 'run',
  'session.opened': 'session',
  'backup.flag_set': 'backup',
  'sync.started': 'sync',
  'restore.started': 'restore',
  'fence.requested': 'fence',
  'preserve.created': 'view',
  'merge.started': 'merge',
  'tap.attached': 'tap',
}

export const endings: Readonly<Partial<Record<Kind, readonly [SpanKind, string]>>> = {
  'engine.stop': ['recorder', 'stopped'],
  'engine.recovered': ['recovery', 'done'],
  'run.end': ['run', 'done'],
  'session.closed': ['session', 'closed'],
  'backup.stopped': ['backup', 'stopped'],
  'backup.expired': ['backup', 'expired'],
  'backup.aborted': ['backup', 'aborted'],
  'sync.finished': ['sync', 'in sync'],
  'pair.fractured': ['sync', 'fractured'],
  'restore.completed': ['restore', 'completed'],
  'restore.cancelled': ['restore', 'cancelled'],
  'fence.lowered': ['fence', 'lowered'],
  'fence.aborted': ['fence', 'aborted'],
  'preserve.dropped': ['view', 'dropped'],
  'merge.finished': ['merge', 'merged'],
  'tap.detached': ['tap', 'ended'],
}

/** From here on an aborted fence has something to put back: it ends when it is lowered. */
export const savedNote = 'metadata saved'

export const noted: Readonly<Partial<Record<Kind, readonly [SpanKind, string]>>> = {
  'backup.started': ['backup', 'point in time'],
  'restore.paused': ['restore', 'paused'],
  'restore.resumed': ['restore', 'resumed'],
  'restore.failed': ['restore', 'gave up the background'],
  'restore.cancel_accepted': ['restore', 'cancel accepted'],
  'fence.saved': ['fence', savedNote],
  'fence.raised': ['fence', 'raised'],
  'fence.lowering': ['fence', 'lowering'],
  'op.started': ['fence', 'operation started'],
  'op.finished': ['fence', 'operation finished'],
  'op.failed': ['fence', 'operation failed'],
}
