/**
 * Listens to all restores of a history and gathers the story of each.
 *
 *     restore.started ─▶ copies, waits, reads, writes, turns ─▶ completed │ cancelled │ (the record ends)
 */

import { Bitmap } from '../core/bitmap.ts'
import { type Event, takesEffect } from '../events/columns.ts'
import { count } from '../events/detail.ts'
import { changes, flag } from '../events/kind.ts'
import { covers, extentsOf } from '../layers/copy-gate.ts'
import type { World } from '../layers/layer.ts'
import { pairsOf } from '../layers/pair-state.ts'
import { baseOf } from '../layers/preserve-state.ts'
import { requestOf } from '../layers/request.ts'
import { cloneHashOf } from '../layers/restore-command.ts'
import {
  blockers,
  deltaMapOf,
  neededCount,
  needs,
  type Restore,
  restoreAt,
  restoresOf,
} from '../layers/restore-state.ts'
import { type CopyStory, hostOf, newStory, type RestoreStory, type Turn, type Wait } from './restore-story.ts'
import { Scope } from './scope.ts'
import type { Witness } from './witness.ts'

/** How many extents a wait names. */
const shownExtents = 16

/** What is known of a running one besides its story. */
interface Running {
  readonly story: RestoreStory
  readonly copied: Bitmap
  readonly written: Bitmap
  /** Copies by their copy.started, requests by their input. */
  readonly copies: Map<number, CopyStory>
  readonly waiting: Map<number, Wait>
  /** Those of them that are outside of the scope. */
  readonly untold: Set<number>
}

export class RestoreWitness implements Witness {
  readonly stories: RestoreStory[] = []
  readonly #keepCopies: boolean
  readonly #scope: Scope
  readonly #running = new Map<number, Running>()
  #asked = { seq: 0, at: 0, session: 0 }
  #needed: readonly number[] = []

  /**
   * @param keepCopies keeps every copy by itself: memory then grows with the extents.
   * @param scope the requests that are counted; copies are told all.
   */
  constructor(keepCopies = false, scope = new Scope()) {
    this.#keepCopies = keepCopies
    this.#scope = scope
  }

  before(event: Event, world: World, at: number): void {
    if (event.kind === 'restore.start') this.#asked = { seq: event.seq, at, session: event.session }
    this.#needed = []
    if (this.#running.size === 0) return
    const one = restoreAt(restoresOf(world), event, world)
    const running = one === undefined ? undefined : this.#running.get(one.tag)
    if (one !== undefined && running !== undefined && event.op !== 'none')
      this.#request(running, one, event, world, at)
    switch (event.kind) {
      case 'copy.report':
        return this.#reported(event, at)
      case 'restore.completed':
      case 'restore.cancelled':
        return this.#end(event, world, at)
      case 'cod.released':
      case 'io.failed':
      case 'io.lost':
        return this.#released(event, at)
      default:
    }
  }

  after(event: Event, world: World, at: number): void {
    switch (event.kind) {
      case 'restore.started':
        return this.#begin(event, world, at)
      case 'copy.started':
        return this.#copying(event, at)
      case 'restore.paused':
      case 'restore.resumed':
      case 'restore.failed':
      case 'restore.cancel_accepted':
        return this.#turn(turnNames[event.kind], event, world, at)
      case 'engine.started':
        for (const running of this.#running.values()) this.#restart(running, event, world, at)
        return
      default:
    }
    if (this.#needed.length > 0 && takesEffect(event)) this.#overwritten(event, world)
    if (this.#running.size > 0) this.#cloneRead(event, world)
  }

  /** The history is over: what still runs is told as it is. */
  end(world: World): void {
    for (const { story } of this.#running.values()) {
      const one = restoresOf(world).byTag.get(story.tag)!
      const pair = pairsOf(world).byTag.get(story.tag)!
      story.cloneAfter = cloneHashOf(pair, world)
      story.remaining = neededCount(one, pair.cdm)
    }
  }

  #begin(event: Event, world: World, at: number): void {
    const pair = pairsOf(world).byTag.get(event.tag)!
    const { seq } = event
    const story = newStory(pair, event, { seq, at }, this.#asked, this.stories.length + 1)
    this.stories.push(story)
    this.#running.set(event.tag, {
      story,
      copied: new Bitmap(story.extents),
      written: new Bitmap(story.extents),
      copies: new Map(),
      waiting: new Map(),
      untold: new Set(),
    })
  }

  /** A request that the restore's gate sees: it goes, waits or is refused. */
  #request(running: Running, one: Restore, event: Event, world: World, at: number): void {
    const { story } = running
    const told = this.#scope.has(event)
    if (event.volume !== one.source) {
      if (told && event.fate === 'passed') story.viewReads++
      return
    }
    const host = told ? hostOf(story, event, world) : undefined
    if (event.fate === 'refused') {
      if (host === undefined) return
      host.refused++
      story.refused++
    } else if (event.fate === 'queued') {
      const { seq, session, request, op, offset, length } = event
      const blocking = blockers(one, deltaMapOf(world, one.tag), requestOf(event), world)
      const io = event.about === 0 ? seq : event.about
      const asked = { seq: io, at, session, request, op, offset, length }
      if (host === undefined) running.untold.add(io)
      else host.queued++
      running.waiting.set(io, {
        ...asked,
        extentCount: blocking.length,
        extents: blocking.slice(0, shownExtents),
        ns: 0,
        end: 'waiting',
      })
    } else if (event.fate === 'passed' && event.op === 'read') {
      if (host === undefined) return
      host.reads++
      host.readBytes += event.length
      answer(running, event)
    } else if (takesEffect(event)) {
      if (host !== undefined) {
        host.writes++
        host.writtenBytes += event.length
      }
      this.#writes(running, one, event, world)
    }
  }

  #writes({ story, written }: Running, one: Restore, event: Event, world: World): void {
    const { first, last } = extentsOf(event, one.extent)
    const cdm = deltaMapOf(world, one.tag)
    const needed: number[] = []
    for (let e = first; e <= last; e++) {
      if (needs(one, cdm, e) && covers(event, e, one.extent, one.size)) needed.push(e)
      written.set(e)
    }
    story.changedByHosts = written.count
    this.#needed = needed
  }

  /** Extents that were written whole before their copy: they need none any more. */
  #overwritten(event: Event, world: World): void {
    const one = restoresOf(world).bySource.get(event.volume)
    const story = one === undefined ? undefined : this.#running.get(one.tag)?.story
    if (one === undefined || story === undefined) return
    const cdm = deltaMapOf(world, one.tag)
    story.overwritten += this.#needed.filter((e) => !needs(one, cdm, e)).length
  }

  #cloneRead(event: Event, world: World): void {
    if (event.op !== 'read' || event.fate !== 'passed' || !this.#scope.has(event)) return
    const one = restoresOf(world).byClone.get(baseOf(world, event.volume))
    const running = one === undefined ? undefined : this.#running.get(one.tag)
    if (running !== undefined) running.story.cloneReads++
  }

  #copying(event: Event, at: number): void {
    const running = this.#running.get(event.tag)
    if (running === undefined || event.volume !== running.story.source) return
    const { seq, offset } = event
    const { story, waiting, copies, untold } = running
    const demandedBy = (event.flags & flag.demand) === 0 ? 0 : event.about
    const copy: CopyStory = {
      seq,
      at,
      extent: Math.floor(offset / story.extent),
      demandedBy,
      code: 'running',
    }
    const host = story.hosts.get(waiting.get(demandedBy)?.session ?? 0)
    if (host !== undefined && demandedBy > 0 && !untold.has(demandedBy)) host.demanded++
    copies.set(seq, copy)
    if (this.#keepCopies) story.copies.push(copy)
  }

  #reported(event: Event, at: number): void {
    const running = this.#running.get(event.tag)
    const copy = running?.copies.get(event.about)
    if (running === undefined || copy === undefined) return
    const { story } = running
    running.copies.delete(event.about)
    copy.ns = at - copy.at
    copy.code = event.code
    if (event.code !== 'ok') {
      story.failed++
      return
    }
    story.copying.add(copy.ns)
    if (copy.demandedBy > 0) story.demand++
    else story.background++
    if (event.digestHigh + event.digestLow > 0) story.movedBytes += event.length
    running.copied.set(copy.extent)
  }

  #released(event: Event, at: number): void {
    for (const { story, waiting, untold } of this.#running.values()) {
      const wait = waiting.get(event.about)
      if (wait === undefined || event.fate === 'queued') continue
      waiting.delete(event.about)
      if (untold.delete(event.about)) continue
      wait.ns = at - wait.at
      wait.end = event.kind === 'cod.released' ? 'released' : event.kind === 'io.failed' ? 'failed' : 'lost'
      if (wait.end === 'failed') story.failedRequests++
      if (wait.end === 'lost') story.lost++
      if (changes(wait.op)) story.writeWaits.add(wait.ns)
      else story.readWaits.add(wait.ns)
      story.waits.add(wait)
    }
  }

  #turn(what: Turn['what'], event: Event, world: World, at: number): void {
    const one = restoresOf(world).byTag.get(event.tag)
    const story = this.#running.get(event.tag)?.story
    if (one === undefined || story === undefined) return
    const remaining = neededCount(one, deltaMapOf(world, one.tag))
    story.turns.push({ seq: event.seq, at, what, remaining })
  }

  /** The recorder began anew: copies in flight are forgotten, and start again. */
  #restart(running: Running, event: Event, world: World, at: number): void {
    const { story, copies } = running
    story.abandoned += copies.size
    for (const copy of copies.values()) copy.code = 'abandoned'
    copies.clear()
    const one = restoresOf(world).byTag.get(story.tag)!
    const remaining = neededCount(one, deltaMapOf(world, one.tag))
    story.turns.push({ seq: event.seq, at, what: 'recorder-started', remaining })
  }

  #end(event: Event, world: World, at: number): void {
    const running = this.#running.get(event.tag)
    if (running === undefined) return
    const { story } = running
    story.how = event.kind === 'restore.completed' ? 'completed' : 'cancelled'
    story.ended = { seq: event.seq, at }
    story.cloneAfter = cloneHashOf(pairsOf(world).byTag.get(event.tag)!, world)
    story.remaining = event.kind === 'restore.cancelled' ? count(event.detail, 'mixedExtents') : 0
    this.#running.delete(event.tag)
  }
}

const turnNames = {
  'restore.paused': 'paused',
  'restore.resumed': 'resumed',
  'restore.failed': 'gave-up',
  'restore.cancel_accepted': 'cancel-accepted',
} as const

/** Which image answered a read of the source: told extent by extent, in bytes. */
function answer({ story, copied, written }: Running, { offset, length }: Event): void {
  const { first, last } = extentsOf({ offset, length }, story.extent)
  for (let e = first; e <= last; e++) {
    const from = Math.max(offset, e * story.extent)
    const bytes = Math.min(offset + length, (e + 1) * story.extent) - from
    if (written.get(e)) story.answered.written += bytes
    else if (copied.get(e)) story.answered.copied += bytes
    else story.answered.same += bytes
  }
}
