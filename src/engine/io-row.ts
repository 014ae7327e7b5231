/**
 * A host request on its way to the record, as the row it will be. One object a request, filled in as it goes: copied
 * from step to step, requests would cost more than all that is decided about them.
 */

import type { Event } from '../events/columns.ts'
import { noDetail } from '../events/detail.ts'
import type { Op } from '../events/kind.ts'
import type { IoAsk } from './ask.ts'

const opOf: Readonly<Record<IoAsk['kind'], Op>> = {
  'io.read': 'read',
  'io.write': 'write',
  'io.zeroes': 'zeroes',
  'io.discard': 'discard',
  'io.flush': 'flush',
}

/** A request on its way to the record: its place, digest, fate and code are found out one after the other. */
export type IoRow = { -readonly [Column in keyof Event]: Event[Column] }

/** What the place of its bytes depends on, and what finding it fills in. */
export type Placed = Pick<IoRow, 'op' | 'fate' | 'volume' | 'offset' | 'length'> &
  Partial<Pick<IoRow, 'payload' | 'digestHigh' | 'digestLow'>>

/** A request as asked; adding zero makes -0 a plain 0. */
export function ioRow(ask: IoAsk, at: number): IoRow {
  const { kind, session, volume, request = 0, flags = 0, data } = ask
  const flush = kind === 'io.flush'
  return {
    seq: 0,
    kind,
    fate: 'none',
    op: opOf[kind],
    flags,
    code: 'ok',
    session,
    request,
    volume,
    offset: flush ? 0 : (ask.offset ?? 0) + 0,
    length: flush ? 0 : (data === undefined ? (ask.length ?? 0) : data.length) + 0,
    payload: 0,
    about: 0,
    tag: 0,
    digestHigh: 0,
    digestLow: 0,
    at,
    detail: noDetail,
  }
}
