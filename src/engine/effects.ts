/**
 * Effects: what the engine does in the world because a durable frame says so, and what it reports back as inputs.
 *
 *     copy.started     ──▶ the copier moves an extent ──▶ copy.report
 *     backup.flag_set  ──▶ a timer                     ──▶ deadline.reached
 *     fences: see fence-effects.ts
 *
 * After a restart the effects still owed are a function of the state: deadlines of the backups that are active; the
 * copies are started anew by the recovery itself.
 */

import type { Clock } from '../core/clock.ts'
import type { Code } from '../events/code.ts'
import type { Event } from '../events/columns.ts'
import { count } from '../events/detail.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import type { World } from '../layers/layer.ts'
import type { Ask } from './ask.ts'
import type { FenceEffects } from './fence-effects.ts'

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

export class Effects {
  readonly #clock: Clock
  readonly #submit: (ask: Ask) => void
  readonly #copier: Copier
  readonly #fences: FenceEffects
  readonly #timers = new Map<number, () => void>()
  #owed: (() => void)[] = []
  #stopped = false

  constructor(clock: Clock, copier: Copier, fences: FenceEffects, submit: (ask: Ask) => void) {
    this.#clock = clock
    this.#fences = fences
    this.#copier = copier
    this.#submit = submit
  }

  /** Notes what an event of the frame being built will cause once the frame is durable. */
  note(event: Event): void {
    switch (event.kind) {
      case 'copy.started': {
        const { tag, volume, offset, length, seq } = event
        this.#owed.push(() => this.#copy({ tag, volume, offset, length, about: seq }))
        return
      }
      case 'backup.flag_set': {
        const { tag } = event
        const ms = count(event.detail, 'deadlineMs')
        this.#owed.push(() => this.#deadline(tag, ms))
        return
      }
      case 'backup.stopping':
      case 'backup.expired':
      case 'backup.aborted': {
        const { tag } = event
        this.#owed.push(() => this.#forget(tag))
        return
      }
      default: {
        const owed = this.#fences.owed(event)
        if (owed !== undefined) this.#owed.push(owed)
      }
    }
  }

  /** The frame is durable: its effects begin. */
  begin(): void {
    const owed = this.#owed
    this.#owed = []
    if (this.#stopped) return
    for (const effect of owed) effect()
  }

  /** The effects a recovered state owes. A clock that went back makes no wait longer than its deadline. */
  owe(world: World): void {
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
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    this.#owed = []
  }

  #copy(copy: Copy): void {
    const report = (code: Code) => this.#submit({ kind: 'copy.report', ...copy, code })
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
      this.#submit({ kind: 'deadline.reached', tag })
    }
    this.#timers.set(tag, this.#clock.after(ms, reached))
  }

  #forget(tag: number): void {
    this.#timers.get(tag)?.()
    this.#timers.delete(tag)
  }
}
