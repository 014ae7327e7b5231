/**
 * Planted histories of media: what an implementation that writes in place (P2) could do wrong in a restore, order by
 * order, as exhaustive models found it (SPEC 9); each beside the right order.
 */

import type { Finding } from '../../src/check/check.ts'
import { type MediaEvent, mediaOrder } from '../../src/check/media-order.ts'

export interface MediaCanary {
  readonly rule: string
  /** Another rule that cannot but be broken with it. */
  readonly also?: string
  readonly what: string
  /** What the check says of the history, and of its sound twin. */
  findings(): readonly Finding[]
  sound(): readonly Finding[]
}

const starts = (cdm: readonly number[], isProtected = true): MediaEvent => ({
  name: 'restore.started',
  protected: isProtected,
  cdm,
})
const asks = (whole: boolean): MediaEvent => ({ name: 'io.submitted', io: 1, extent: 0, whole })
const begins: MediaEvent = { name: 'copy.started', extent: 0 }
const copies: MediaEvent = { name: 'media.written', image: 'source', extent: 0, by: 'copy' }
const data = (image: 'source' | 'clone' = 'source'): MediaEvent => ({
  name: 'media.written',
  image,
  extent: 0,
  by: 1,
})
const flush = (image: 'source' | 'clone' = 'source'): MediaEvent => ({ name: 'media.flushed', image })
const clear: MediaEvent = { name: 'cdm.cleared', extent: 0 }
const mark: MediaEvent = { name: 'cdm.set', extent: 0 }
const protect: MediaEvent = { name: 'prm.set', extent: 0 }
const ack: MediaEvent = { name: 'io.completed', io: 1 }

const partial = [starts([0]), asks(false)]
const whole = [starts([0]), asks(true)]
const equal = [starts([]), asks(true)]
const both = [starts([], false), asks(false)]

const partialRight = [...partial, begins, copies, flush(), clear, protect, data(), flush(), ack]
const wholeRight = [...whole, data(), flush(), protect, ack]
const equalRight = [...equal, protect, data(), flush(), ack]
const bothRight = [...both, mark, data(), data('clone'), flush(), flush('clone'), ack, clear]

/** Right orders that no canary has beside it. */
export const soundMedia: Readonly<Record<string, readonly MediaEvent[]>> = {
  'partial, CDM- lazily': [...partial, copies, flush(), protect, data(), flush(), ack, clear],
  'marked already: data, flush, ack': [
    ...[...equalRight, { ...asks(false), io: 2 } as MediaEvent, { ...data(), by: 2 } as MediaEvent, flush()],
    { name: 'io.completed', io: 2 },
  ],
  'whole, copied meanwhile: the copy is over': [
    ...[...whole, begins, copies, flush(), clear, protect, data(), flush(), ack],
  ],
}

const ofRestore = (
  rule: string,
  what: string,
  right: readonly MediaEvent[],
  ...wrong: readonly MediaEvent[]
): MediaCanary => ({ rule, what, findings: () => mediaOrder(wrong), sound: () => mediaOrder(right) })

export const mediaRestoreCanaries: readonly MediaCanary[] = [
  ofRestore(
    'S3-I13',
    'the delta bit is cleared before the copy is flushed',
    partialRight,
    ...[...partial, copies, clear, flush(), protect, data(), flush(), ack],
  ),
  ofRestore(
    'S3-I13',
    'the delta bit is cleared without a copy',
    partialRight,
    ...[...partial, clear, protect, data(), flush(), ack],
  ),
  ofRestore(
    'S3-I13',
    'partial write: no flush between the copy and the protected bit',
    partialRight,
    ...[...partial, copies, protect, flush(), clear, data(), flush(), ack],
  ),
  ofRestore(
    'S3-I13',
    'partial write: the protected bit before the copy',
    partialRight,
    ...[...partial, protect, copies, flush(), clear, data(), flush(), ack],
  ),
  {
    ...ofRestore(
      'S3-I14',
      'partial write: the protected bit after the acknowledgement',
      partialRight,
      ...[...partial, copies, flush(), data(), flush(), ack, protect, clear],
    ),
    also: 'S3-I15',
  },
  ofRestore(
    'S3-I14',
    'whole write: the protected bit after the acknowledgement',
    wholeRight,
    ...[...whole, data(), flush(), ack, protect],
  ),
  ofRestore(
    'S3-I15',
    'partial write: the protected bit after the data',
    partialRight,
    ...[...partial, copies, flush(), clear, data(), protect, flush(), ack],
  ),
  ofRestore(
    'S3-I15',
    'whole write: always data, then the protected bit',
    equalRight,
    ...[...equal, data(), flush(), protect, ack],
  ),
  ofRestore(
    'S3-I16',
    'whole write: always the protected bit, then data',
    wholeRight,
    ...[...whole, protect, data(), flush(), ack],
  ),
  ofRestore(
    'S3-I16',
    'whole write: the protected bit before the data is flushed',
    wholeRight,
    ...[...whole, data(), protect, flush(), ack],
  ),
  ofRestore(
    'S3-I3',
    'whole write: the copy in flight is ignored',
    wholeRight,
    ...[...whole, begins, data(), copies, flush(), protect, ack],
  ),
  ofRestore(
    'S3-I2',
    'whole write: the copier starts under the write',
    wholeRight,
    ...[...whole, data(), begins, flush(), protect, ack],
  ),
  ofRestore(
    'S3-I9',
    'unprotected: the indicator is only in memory',
    bothRight,
    ...[...both, data(), data('clone'), flush(), flush('clone'), ack],
  ),
  ofRestore(
    'S3-I9',
    'unprotected: the indicator after the write to the source',
    bothRight,
    ...[...both, data(), mark, data('clone'), flush(), flush('clone'), ack],
  ),
  ofRestore(
    'S3-I13',
    'unprotected: the indicator is cleared before both sides are flushed',
    bothRight,
    ...[...both, mark, data(), data('clone'), flush(), clear, flush('clone'), ack],
  ),
  ofRestore(
    'G-I3',
    'unprotected: acknowledged after the source alone',
    bothRight,
    ...[...both, mark, data(), flush(), ack, data('clone'), flush('clone')],
  ),
  ofRestore(
    'G-I3',
    'unprotected: acknowledged before the clone is flushed',
    bothRight,
    ...[...both, mark, data(), data('clone'), flush(), ack, flush('clone')],
  ),
  ofRestore(
    'G-I3',
    'protected: acknowledged before the data is flushed',
    equalRight,
    ...[...equal, protect, data(), ack, flush()],
  ),
]
