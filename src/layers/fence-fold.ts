/**
 * The events of a fence, folded: each is held against the state it must follow from, and the rule it would break is
 * named. Its internal writes are checked here whole, before the block map takes them.
 */

import { must } from '../core/assert.ts'
import { lanesText } from '../core/lanes.ts'
import type { Event } from '../events/columns.ts'
import { text } from '../events/detail.ts'
import { flag } from '../events/kind.ts'
import { isAwaited } from './fence-command.ts'
import { done, moved, reported, stopMover } from './fence-mover-fold.ts'
import { isWholeBlocks, isWrite, mustBe } from './fence-rule.ts'
import {
  addFence,
  blocksIn,
  type Fence,
  type Fences,
  fencesOn,
  freshFence,
  isClosing,
  lowerKinds,
  metaNow,
  type Phase,
  removeFence,
  validMeta,
} from './fence-state.ts'
import type { World } from './layer.ts'
import { freshRun } from './mover-run.ts'

/** Folds an event that names a fence by its tag. */
export function foldFence(state: Fences, event: Event, world: World): void {
  if (event.kind === 'fence.requested') return request(state, event, world)
  const fence = state.byTag.get(event.tag)
  if (event.kind === 'fence.pattern' || event.kind === 'fence.flushed') return awaited(fence, event)
  if (event.kind === 'mover.report') return fence === undefined ? undefined : reported(fence, event)
  must(fence !== undefined, 'G-I9', `${event.kind} names fence ${event.tag}, which does not stand`)
  must(event.volume === fence.volume, 'G-I9', `${event.kind} of fence ${fence.name} is about another volume`)
  turn(state, fence, event, world)
}

function request(state: Fences, event: Event, world: World): void {
  const number = state.requested + 1
  must(event.tag === number, 'G-I1', `fence ${event.tag} is requested as number ${number}`)
  const fence = freshFence(event, world)
  must(fence !== undefined, 'G-I9', `the ranges of fence ${event.tag} make none of volume ${event.volume}`)
  const all = fence.meta.with(fence.data)
  const other = fencesOn(state, fence.volume).find((one) => all.meets(one.meta.with(one.data)))
  must(other === undefined, 'S0-I9', `fence ${fence.name} meets fence ${other?.name}`)
  state.requested = event.tag
  fence.cause = event.seq
  addFence(state, fence)
}

function turn(state: Fences, fence: Fence, event: Event, world: World): void {
  switch (event.kind) {
    case 'fence.saved': {
      mustBe(fence, event, 'S0-I1', ['closing'])
      fence.saved.overlay(metaNow(fence, world))
      const { hashLow, hashHigh } = fence.saved
      const same = text(event.detail, 'hash') === lanesText(hashLow, hashHigh)
      must(same, 'S0-I7', `what fence ${fence.name} saved is not what was recorded`)
      fence.phase = fence.metaFirst ? 'restoring' : 'saving'
      if (!fence.metaFirst) fence.awaits = event.seq
      return
    }
    case 'fence.pattern_written':
      mustBe(fence, event, 'S0-I1', ['raising'])
      return patterned(fence, event)
    case 'fence.raised': {
      mustBe(fence, event, 'S0-I2', ['raising'])
      const left = fence.meta.bytes - fence.written
      must(left === 0, 'S0-I2', `fence ${fence.name} is raised with ${left} bytes of metadata in the open`)
      return settle(fence, 'fenced')
    }
    case 'fence.meta_updated': {
      mustBe(fence, event, 'S0-I4', ['fenced', 'operating', 'ready', 'stuck'])
      const inside = isWholeBlocks(fence, event) && fence.meta.covers(event)
      must(inside, 'S0-I4', `fence ${fence.name} is given metadata it does not cover`)
      const { first, count: blocks } = blocksIn(fence, event)
      return fence.working.put(first, blocks, event.payload)
    }
    case 'fence.meta_restored':
    case 'fence.meta_buffered':
    case 'mover.copied':
      return moved(fence, event)
    case 'op.started':
      mustBe(fence, event, 'S0-I2', ['fenced', 'ready', 'stuck'])
      fence.phase = 'operating'
      return
    case 'op.finished':
      mustBe(fence, event, 'G-I9', ['operating'])
      fence.phase = 'ready'
      if (fence.mover?.ended === true) fence.mover = undefined
      return
    case 'op.failed':
      mustBe(fence, event, 'G-I9', ['operating'])
      stopMover(fence)
      fence.phase = fence.dirty ? 'stuck' : 'fenced'
      return
    case 'fence.lowering':
      return lower(fence, event)
    case 'fence.aborted':
      return abort(state, fence, event)
    case 'fence.meta_written':
      mustBe(fence, event, 'S0-I3', ['lowering'])
      return written(fence, event)
    case 'fence.lowered':
      mustBe(fence, event, 'S0-I3', ['lowering'])
      return lowered(state, fence, event, world)
    case 'fence.violation':
      must(fence.trespasses[0]?.io === event.about, 'S0-I5', `event ${event.about} violates no fence`)
      fence.trespasses.shift()
      return
    case 'fence.taken_over':
      fence.owner = event.session
      fence.ownerName = text(event.detail, 'owner')
      return
    case 'fence.forced':
      return mustBe(fence, event, 'G-I9', ['stuck'])
    case 'mover.requested':
      mustBe(fence, event, 'S0-I10', ['restoring', 'fenced', 'operating', 'ready', 'stuck'])
      must(fence.mover?.running !== true, 'S0-I10', `a second mover is asked for behind fence ${fence.name}`)
      fence.mover = freshRun(event, fence.mover)
      return
    case 'mover.dispatched':
      must(fence.mover?.running === true, 'S0-I10', `a mover is sent that nobody asked for`)
      fence.mover.dispatched = true
      return
    case 'mover.done':
      return done(fence, event)
    default:
  }
}

function settle(fence: Fence, phase: Phase): void {
  fence.phase = phase
  fence.written = 0
  const { mover } = fence
  if (mover?.running !== true) return
  mover.sent = 0
  mover.moved = 0
  mover.restored = 0
}

/** The engine stored the pattern, or what the fence waits for is durable. Anything else reported changes nothing. */
function awaited(fence: Fence | undefined, event: Event): void {
  if (!isAwaited(fence, event)) return
  fence.awaits = 0
  if (event.kind === 'fence.flushed') return
  fence.pattern = event.payload
  fence.patternBytes = event.length
  fence.written = 0
  fence.cause = event.seq
  fence.phase = 'raising'
}

function patterned(fence: Fence, event: Event): void {
  const next = fence.meta.from(fence.written, fence.patternBytes)
  const same = isWrite(event) && event.offset === next?.offset && event.length === next.length
  must(same && event.payload === fence.pattern, 'S0-I4', `not the pattern is written by fence ${fence.name}`)
  fence.written += event.length
}

function lower(fence: Fence, event: Event): void {
  mustBe(fence, event, 'S0-I3', ['fenced', 'ready', 'stuck', 'lowering'])
  must(fence.mover?.running !== true, 'S0-I3', `fence ${fence.name} is lowered while its mover runs`)
  const kind = lowerKinds.find((one) => one === event.detail.kind)
  must(kind !== undefined, 'S0-I7', `fence ${fence.name} is lowered to nothing known`)
  fence.kind = kind
  begin(fence, event.seq)
}

function abort(state: Fences, fence: Fence, event: Event): void {
  must(!fence.dirty, 'S0-I8', `fence ${fence.name} is aborted though data behind it changed`)
  mustBe(fence, event, 'S0-I3', ['closing', 'saving', 'restoring', 'raising', 'fenced', 'ready', 'stuck'])
  if (fence.phase === 'closing') return removeFence(state, fence)
  fence.atOnce = isClosing(fence)
  fence.kind = 'original'
  begin(fence, event.seq)
}

function begin(fence: Fence, seq: number): void {
  stopMover(fence)
  fence.phase = 'lowering'
  fence.valid = validMeta(fence, fence.kind)
  fence.awaits = 0
  fence.written = 0
  fence.cause = seq
}

function written(fence: Fence, event: Event): void {
  must(fence.awaits === 0, 'S0-I3', `fence ${fence.name} goes on before what it wrote is durable`)
  must(
    isWholeBlocks(fence, event) && fence.meta.covers(event),
    'S0-I7',
    `fence ${fence.name} writes beside its metadata`,
  )
  const last = event.offset + event.length > fence.last.offset && event.offset <= fence.last.offset
  const rest = fence.meta.bytes - fence.block
  must(!last || fence.written === rest, 'S0-I3', `fence ${fence.name} is opened before all metadata is valid`)
  const { first, count: blocks } = blocksIn(fence, event)
  const [run, ...more] = fence.valid!.runs(first, blocks)
  const place = isWrite(event) ? event.payload : -1
  must(
    more.length === 0 && run?.place === place,
    'S0-I7',
    `fence ${fence.name} writes other metadata than ${fence.kind}`,
  )
  fence.written += event.length
  if ((event.flags & flag.sync) !== 0) fence.awaits = event.seq
}

function lowered(state: Fences, fence: Fence, event: Event, world: World): void {
  const left = fence.meta.bytes - fence.written
  must(
    left === 0 && fence.awaits === 0,
    'S0-I3',
    `fence ${fence.name} is lowered before its metadata is durable`,
  )
  must(event.detail.kind === fence.kind, 'S0-I7', `fence ${fence.name} is lowered as another kind`)
  const now = metaNow(fence, world)
  const same = now.hashLow === fence.valid!.hashLow && now.hashHigh === fence.valid!.hashHigh
  must(same || fence.advisory, 'S0-I7', `the metadata of fence ${fence.name} is not what was written`)
  removeFence(state, fence)
}
