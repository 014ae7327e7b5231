/**
 * Fences by a memory of their own: while one is up its metadata is the pattern and nothing else (S0-I4; X-I4 when a
 * restore went on behind it); each request that went behind an advisory one is recorded (S0-I5); lowering leaves what
 * was saved, changed or buffered, whichever its kind says (S0-I7); after a restart a host finds the old metadata with
 * the old data, or the pattern, or the new metadata (S0-I8).
 */

import { BlockMap } from '../core/block-map.ts'
import { nothing, RangeSet } from '../core/range-set.ts'
import type { Event } from '../events/columns.ts'
import { changes, isInput } from '../events/kind.ts'
import { blocksIn, type Fence, fencesOf, fencesOn, isClosing, metaNow } from '../layers/fence-state.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import type { MetaCopy } from '../layers/meta-copy.ts'
import { touchedBlocks } from '../layers/sub-block.ts'
import type { MakeCheck } from './check.ts'

interface Memory {
  /** The volume as it was when its metadata was saved, and with what was changed or buffered since. */
  saved: BlockMap
  newest: BlockMap
  /** What an image brought, which goes before what the owner changed. */
  buffered: RangeSet
  /** The pattern, block by block, as far as it was written. */
  readonly pattern: BlockMap
  up: boolean
  dirty: boolean
  restored: boolean
  /** What others wrote behind an advisory fence. */
  trespassed: RangeSet
}

export const fence: MakeCheck = (report) => {
  const memories = new Map<number, Memory>()
  /** Requests that must be recorded as violations in their own entry. */
  const expected = new Map<number, string>()
  let begun = false
  let recovering = false

  const begin = (world: World) => {
    begun = true
    for (const one of fencesOf(world).byTag.values()) memories.set(one.tag, remembered(one, world))
  }

  const asked = (event: Event, world: World) => {
    const { fate, op, session, seq, kind } = event
    if (
      !kind.startsWith('io.') ||
      op === 'flush' ||
      (fate !== 'passed' && fate !== 'queued' && fate !== 'held')
    )
      return
    for (const one of fencesOn(fencesOf(world), event.volume)) {
      if (!one.advisory || isClosing(one) || session === one.owner) continue
      const touched = one.data.touches(event) || (changes(op) && one.meta.touches(event))
      if (!touched) continue
      expected.set(
        seq,
        `${op} ${event.request} goes behind the advisory fence ${one.name} and is not recorded`,
      )
      if (!changes(op)) continue
      const memory = memories.get(one.tag)!
      memory.trespassed = memory.trespassed.with(RangeSet.of([touchedBlocks(event, one.block)]))
    }
  }

  const settled = (seq: number) => {
    for (const [about, detail] of expected) report({ seq: Math.max(about, seq - 1), rule: 'S0-I5', detail })
    expected.clear()
  }

  /** Compares the metadata on the device, block by block; a block may be any of what `allowed` gives. */
  const compare = (
    seq: number,
    rule: string,
    one: Fence,
    world: World,
    allowed: (block: number) => (number | undefined)[],
    what: string,
  ) => {
    const { map } = volumeOf(world, one.volume)!
    const { trespassed } = memories.get(one.tag)!
    for (const range of one.meta.minus(trespassed).ranges) {
      const { first, count } = blocksIn(one, range)
      for (let block = first; block < first + count; block++) {
        if (allowed(block).includes(map.get(block))) continue
        return report({ seq, rule, detail: `block ${block} behind fence ${one.name} is not ${what}` })
      }
    }
  }

  const intact = (seq: number, one: Fence, world: World) => {
    const memory = memories.get(one.tag)
    if (memory?.up !== true) return
    const rule = memory.restored ? 'X-I4' : 'S0-I4'
    compare(seq, rule, one, world, (block) => [memory.pattern.get(block)], 'its pattern')
  }

  const afterCrash = (seq: number, world: World) => {
    for (const one of fencesOf(world).byTag.values()) {
      const memory = memories.get(one.tag)
      if (memory === undefined) continue
      const allowed = (block: number) => [
        memory.pattern.get(block) || undefined,
        memory.dirty ? undefined : memory.saved.get(block),
        one.phase === 'lowering' ? memory.newest.get(block) : undefined,
      ]
      compare(seq, 'S0-I8', one, world, allowed, 'what a host may find after a crash')
    }
  }

  const learn = (event: Event, world: World) => {
    const one = fencesOf(world).byTag.get(event.tag)
    const memory = memories.get(event.tag)
    if (one === undefined || one.volume !== event.volume) return
    const { first, count } = blocksIn(one, event)
    switch (event.kind) {
      case 'fence.requested':
        memories.set(one.tag, remembered(one, world))
        return
      case 'fence.saved':
        memory!.saved = volumeOf(world, one.volume)!.map.fork()
        memory!.newest = memory!.saved.fork()
        return
      case 'fence.pattern_written':
        memory!.pattern.write(first, count, event.payload)
        return
      case 'fence.raised':
        memory!.up = true
        return
      case 'fence.meta_updated':
        for (let k = 0; k < count; k++) {
          const range = { offset: event.offset + k * one.block, length: one.block }
          const place = event.payload + k * memory!.newest.step
          if (memory!.buffered.touches(range)) continue
          if (event.payload === 0) memory!.newest.zero(first + k, 1)
          else memory!.newest.write(first + k, 1, place)
        }
        return
      case 'fence.meta_buffered': {
        const range = { offset: event.offset, length: event.length }
        memory!.buffered = memory!.buffered.with(RangeSet.of([range]))
        if (event.payload === 0) memory!.newest.zero(first, count)
        else memory!.newest.write(first, count, event.payload)
        return
      }
      case 'mover.copied':
        memory!.dirty = true
        return
      default:
    }
  }

  const written = (event: Event, world: World) => {
    if (event.fate !== 'passed' || !changes(event.op) || event.session === 0) return
    for (const one of fencesOn(fencesOf(world), event.volume)) {
      if (event.session === one.owner && one.data.touches(event))
        memories.get(one.tag)!.dirty ||= !isClosing(one)
    }
  }

  return {
    rules: ['S0-I4', 'S0-I5', 'S0-I7', 'S0-I8', 'X-I4'],
    before(event, world) {
      if (!begun) begin(world)
      const { seq, kind } = event
      if (isInput(kind)) {
        settled(seq)
        if (recovering) afterCrash(seq - 1, world)
        recovering = false
      }
      if (memories.size === 0) return
      asked(event, world)
      if (kind === 'fence.violation') expected.delete(event.about)
      const one = fencesOf(world).byTag.get(event.tag)
      if (one === undefined || one.volume !== event.volume) return
      const memory = memories.get(one.tag)
      if (memory === undefined) return
      if (kind === 'fence.lowering' || kind === 'fence.aborted') {
        intact(seq, one, world)
        memory.up = false
      }
      if (kind !== 'fence.lowered') return
      const right = one.kind === 'original' ? memory.saved : memory.newest
      compare(seq, 'S0-I7', one, world, (block) => [right.get(block)], `the ${one.kind} metadata`)
    },
    after(event, world) {
      const { kind } = event
      if (kind === 'engine.recovered') recovering = true
      learn(event, world)
      if (memories.size === 0) return
      written(event, world)
      if (kind === 'restore.started') {
        for (const one of fencesOf(world).byTag.values()) {
          if (one.pair !== event.tag) continue
          const memory = memories.get(one.tag)!
          memory.restored = true
          memory.dirty = true
        }
      }
      if (kind === 'fence.lowered' || kind === 'fence.aborted') {
        if (!fencesOf(world).byTag.has(event.tag)) memories.delete(event.tag)
      }
    },
    end(world) {
      settled(world.seq + 1)
      for (const one of fencesOf(world).byTag.values()) intact(world.seq, one, world)
    },
  }
}

/** What is known of a fence that was there when the record begins, or that has just been requested. */
function remembered(one: Fence, world: World): Memory {
  const { step } = volumeOf(world, one.volume)!.map
  const up = !isClosing(one) && one.phase !== 'lowering'
  const saved = mapOf(one.saved, step)
  const newest = mapOf(one.saved, step)
  for (const copy of [one.working, one.buffered]) put(newest, copy)
  const pattern = up ? mapOf(metaNow(one, world), step) : new BlockMap(step)
  const buffered = RangeSet.of(
    one.buffered.all().map(({ block, count }) => ({ offset: block * one.block, length: count * one.block })),
  )
  return {
    saved,
    newest,
    buffered,
    pattern,
    up,
    dirty: one.dirty,
    restored: one.pair !== 0,
    trespassed: nothing,
  }
}

function mapOf(copy: MetaCopy, step: number): BlockMap {
  const map = new BlockMap(step)
  put(map, copy)
  return map
}

function put(map: BlockMap, copy: MetaCopy): void {
  for (const { block, count, place } of copy.all()) {
    if (place === 0) map.zero(block, count)
    else map.write(block, count, place)
  }
}
