/**
 * Effects: what the engine does in the world because a durable frame says so, and what it reports back as inputs.
 *
 *     copy.started     ──▶ the copier moves an extent ──▶ copy.report      (at the pair's pace, copy-pace.ts)
 *                          from a clone outside: its bytes are read ──▶ copy.report with them
 *     backup.flag_set  ──▶ a timer                     ──▶ deadline.reached
 *     fences: see fence-effects.ts; branches: branch-effects.ts; taps: forwarding.ts
 *
 * When a frame is durable the state may be further: an effect that is not wanted any more by then is harmless, for its
 * report says which event it is about, and the state when it comes decides what becomes of it.
 *
 * After a restart the effects still owed are a function of the state: deadlines of the backups that are active; the
 * copies are started anew by the recovery itself.
 */

import type { Clock } from '../core/clock.ts'
import type { Range } from '../core/range.ts'
import type { Code } from '../events/code.ts'
import type { Event } from '../events/columns.ts'
import { count } from '../events/detail.ts'
import { flag } from '../events/kind.ts'
import type { OpenImage } from '../images/external.ts'
import { Images } from '../images/images.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import type { World } from '../layers/layer.ts'
import { pairsOf, pairsOn } from '../layers/pair-state.ts'
import { baseOf } from '../layers/preserve-state.ts'
import { restoresOf } from '../layers/restore-state.ts'
import type { Ask } from './ask.ts'
import type { BranchEffects } from './branch-effects.ts'
import { CopyPace } from './copy-pace.ts'
import { CopyWindow } from './copy-window.ts'
import type { Draft } from './draft.ts'
import type { FenceEffects } from './fence-effects.ts'
import type { Forwarding } from './forwarding.ts'
import { Linger } from './linger.ts'

/** Any range of any volume. */
const everywhere: Range = { offset: 0, length: Number.MAX_SAFE_INTEGER }

/** A copy to make: an extent of a pair, in the direction that `volume` (the one written) says. */
export interface Copy {
  readonly tag: number
  readonly volume: number
  readonly offset: number
  readonly length: number
  /** The copy.started this is for. */
  readonly about: number
}

/** Moves the bytes of a copy. Inside the engine references move and there is nothing to do. */
export type Copier = (copy: Copy) => Promise<Code> | Code

export const internalCopier: Copier = () => 'ok'

/** What effects are done with. */
export interface EffectTools {
  readonly clock: Clock
  readonly copier: Copier
  readonly openImage: OpenImage
  readonly fences: FenceEffects
  readonly branches: BranchEffects
  readonly forwarding: Forwarding
}

export class Effects {
  /** Whether a frame of background copies waits for the next write of a host. */
  readonly linger: Linger
  readonly #clock: Clock
  readonly #submit: (ask: Ask) => Promise<unknown>
  readonly #copier: Copier
  readonly #world: World
  readonly #images: Images
  readonly #pace: CopyPace
  readonly #window: CopyWindow
  readonly #fences: FenceEffects
  readonly #branches: BranchEffects
  readonly #forwarding: Forwarding
  readonly #timers = new Map<number, () => void>()
  /** Of the frame that is being filled, and of the one in flight. */
  #noted: (() => void)[] = []
  #owed: (() => void)[] = []
  #stopped = false

  constructor(tools: EffectTools, world: World, submit: (ask: Ask) => Promise<unknown>) {
    this.#clock = tools.clock
    this.#copier = tools.copier
    this.#images = new Images(tools.openImage)
    this.linger = new Linger(tools.clock)
    this.#pace = new CopyPace(tools.clock)
    this.#window = new CopyWindow(() => this.linger.writes)
    this.#world = world
    this.#fences = tools.fences
    this.#branches = tools.branches
    this.#forwarding = tools.forwarding
    this.#submit = submit
  }

  /** Notes what an event of the frame being filled will cause once the frame is durable. */
  note(event: Event): void {
    if (event.fate === 'queued') {
      const { volume, offset, length } = event
      this.#noted.push(() => this.#hurry(volume, { offset, length }))
    }
    if (event.fate === 'forwarded') {
      const owed = this.#forwarding.note(event)
      if (owed !== undefined) this.#noted.push(owed)
      return
    }
    switch (event.kind) {
      case 'copy.started': {
        const { tag, volume, offset, length, seq } = event
        const demanded = (event.flags & flag.demand) !== 0
        this.#noted.push(() => this.#start({ tag, volume, offset, length, about: seq }, demanded))
        return
      }
      case 'restore.cancel_accepted': {
        const { tag } = event
        this.#noted.push(() => this.#hurryCopies([tag], everywhere))
        return
      }
      case 'branch.started': {
        const { volume } = event
        this.#noted.push(() => this.#branches.begin(volume))
        return
      }
      case 'restore.completed':
      case 'restore.cancelled': {
        const path = pairsOf(this.#world).byTag.get(event.tag)?.external?.path
        if (path !== undefined) this.#noted.push(() => void this.#images.release(path))
        return
      }
      case 'backup.flag_set': {
        const { tag } = event
        const ms = count(event.detail, 'deadlineMs')
        this.#noted.push(() => this.#deadline(tag, ms))
        return
      }
      case 'backup.stopping':
      case 'backup.expired':
      case 'backup.aborted': {
        const { tag } = event
        this.#noted.push(() => this.#forget(tag))
        return
      }
      default: {
        const owed = this.#fences.owed(event)
        if (owed !== undefined) this.#noted.push(owed)
      }
    }
  }

  /** The frame that was filled is being appended. */
  seal(sealed: Draft): void {
    this.linger.sealed(sealed)
    this.#owed = this.#noted
    this.#noted = []
  }

  /** The frame in flight is durable: its effects begin. */
  begin(): void {
    const owed = this.#owed
    this.#owed = []
    if (this.#stopped) return
    for (const effect of owed) effect()
  }

  /** The effects a recovered state owes. A clock that went back makes no wait longer than its deadline. */
  owe(world: World): void {
    this.#branches.owe(world)
    const nowUs = Number(this.#clock.nowNs() / 1000n)
    for (const backup of holdQueueOf(world).backups.values()) {
      if (backup.phase === 'stopping' || backup.overdue) continue
      const passedMs = Math.max(0, Math.floor((nowUs - backup.atUs) / 1000))
      this.#deadline(backup.tag, Math.max(0, backup.deadlineMs - passedMs))
    }
  }

  /** Nothing begins any more, and no timer will call. */
  stop(): void {
    this.#stopped = true
    this.#fences.stop()
    this.#branches.stop()
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    this.#pace.stop()
    this.#window.stop()
    this.#images.close()
    this.#owed = []
    this.#noted = []
  }

  /** Background copies wait for their turn, where the pair has a rate, and for room; what a host waits for does not. */
  #start(copy: Copy, demanded: boolean): void {
    const pair = pairsOf(this.#world).byTag.get(copy.tag)
    const restore = restoresOf(this.#world).byTag.get(copy.tag)
    const rate = (copy.volume === pair?.clone ? pair.rate : restore?.rate) ?? 0
    const path = pair?.external?.path
    const begin =
      path === undefined
        ? () => this.#move(copy, (code) => this.#submit({ kind: 'copy.report', ...copy, code }))
        : demanded
          ? () => this.#window.demand(() => this.#bring(copy, path))
          : () => this.#window.take(copy.tag, copy, () => this.#bring(copy, path))
    if (rate === 0 || demanded) begin()
    else this.#pace.take(copy.tag, rate, copy, begin)
  }

  /** A host waits on a range of a volume, or of a view of it. */
  #hurry(volume: number, range: Range): void {
    const tags = pairsOn(pairsOf(this.#world), baseOf(this.#world, volume)).map(({ tag }) => tag)
    if (tags.length > 0) this.#hurryCopies(tags, range)
  }

  #hurryCopies(tags: readonly number[], range: Range): void {
    this.#pace.hurry(tags, range)
    this.#window.hurry(tags, range)
  }

  /** An extent of a clone outside: the copier says when, its bytes go with the report. Resolves when that is durable. */
  async #bring(copy: Copy, path: string): Promise<void> {
    const code = await new Promise<Code>((resolve) => this.#move(copy, resolve))
    const read = code === 'ok' ? this.#images.read(path, copy.offset, copy.length) : undefined
    const data = await read?.catch(() => undefined)
    await this.#submit({
      kind: 'copy.report',
      ...copy,
      ...(data === undefined ? { code: 'E_IO' } : { code, data }),
    })
  }

  #move(copy: Copy, report: (code: Code) => void): void {
    let done: Promise<Code> | Code
    try {
      done = this.#copier(copy)
    } catch {
      done = 'E_IO'
    }
    if (typeof done === 'string') report(done)
    else done.then(report, () => report('E_IO'))
  }

  #deadline(tag: number, ms: number): void {
    const reached = () => {
      this.#timers.delete(tag)
      void this.#submit({ kind: 'deadline.reached', tag })
    }
    this.#timers.set(tag, this.#clock.after(ms, reached))
  }

  #forget(tag: number): void {
    this.#timers.get(tag)?.()
    this.#timers.delete(tag)
  }
}
