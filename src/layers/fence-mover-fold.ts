/** What the data mover does behind a fence, folded: its reports, the pieces of them that are written, its end. */

import { must } from '../core/assert.ts'
import type { Event } from '../events/columns.ts'
import { count } from '../events/detail.ts'
import { flag } from '../events/kind.ts'
import { isExpected, moverTarget, nextPiece } from './fence-mover.ts'
import { isWholeBlocks, isWrite, mustBe } from './fence-rule.ts'
import { blocksIn, type Fence } from './fence-state.ts'
import { movedOn } from './mover-run.ts'

export function reported(fence: Fence, event: Event): void {
  const { mover } = fence
  if (mover?.running !== true || mover.ended || event.code !== 'ok') return
  if (event.detail.done === true) {
    const all = fence.phase === 'operating' && mover.sent === moverTarget(fence).bytes && event.length === 0
    if (all) {
      mover.ended = true
      mover.controlBytes += count(event.detail, 'controlBytes')
    }
  } else if (isExpected(fence, event)) {
    const { seq, offset, length, payload: place } = event
    mover.pending.push({ seq, offset, length, place })
    mover.sent += length
  }
}

/** A piece of what the mover reported goes where it belongs: to the device, or to the buffer. */
export function moved(fence: Fence, event: Event): void {
  const { kind, offset, length } = event
  if (event.about === 0 || fence.mover === undefined) return adopted(fence, event)
  const { mover } = fence
  const rule = kind === 'mover.copied' ? 'S0-I2' : 'S0-I4'
  mustBe(fence, event, rule, kind === 'mover.copied' ? ['operating'] : ['restoring', 'operating'])
  const piece = nextPiece(fence)
  const same = piece?.offset === offset && piece.length === length && piece.place === event.payload
  must(same && piece.seq === event.about, 'S0-I10', `${kind} of fence ${fence.name} is not what was reported`)
  if (kind === 'mover.copied') {
    must(!piece.meta && isWrite(event), 'S0-I4', `the mover writes metadata of fence ${fence.name}`)
    fence.dirty = true
    return movedOn(mover, length)
  }
  must(piece.meta, 'S0-I4', `data is taken for metadata behind fence ${fence.name}`)
  if (kind === 'fence.meta_restored') {
    must(fence.phase === 'restoring' && isWrite(event), 'S0-I4', `image metadata lands on ${fence.name}`)
    mover.restored += length
    return
  }
  if (fence.phase === 'restoring') {
    const first = mover.restored === mover.moved + length
    must(first, 'S0-I4', `fence ${fence.name} reads back what was not restored`)
    if ((event.flags & flag.sync) !== 0) fence.awaits = event.seq
  }
  const { first, count: blocks } = blocksIn(fence, event)
  fence.buffered.put(first, blocks, event.payload)
  movedOn(mover, length)
}

/** Metadata of a clone that a restore brings behind the fence. */
function adopted(fence: Fence, event: Event): void {
  const taken = event.kind === 'fence.meta_buffered' && fence.pair !== 0
  must(taken, 'S0-I10', `${event.kind} of fence ${fence.name} was not asked for`)
  const inside = isWholeBlocks(fence, event) && fence.meta.covers(event)
  must(inside, 'X-I4', `fence ${fence.name} takes metadata it does not cover`)
  const { first, count: blocks } = blocksIn(fence, event)
  fence.buffered.put(first, blocks, event.payload)
}

export function done(fence: Fence, event: Event): void {
  const { mover } = fence
  const ended = mover?.ended === true && mover.running && mover.pending.length === 0
  must(ended, 'S0-I10', `the mover of fence ${fence.name} is done though it has not moved all`)
  const counted = count(event.detail, 'dataBytes') === mover.dataBytes
  must(counted, 'S0-I10', `the mover of fence ${fence.name} moved ${mover.dataBytes} bytes, not as recorded`)
  mover.running = false
}

export function stopMover({ mover }: Fence): void {
  if (mover === undefined) return
  mover.running = false
  mover.sent = mover.moved
  mover.pending = []
}
