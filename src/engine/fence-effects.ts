/**
 * What the engine does for fences because a durable frame says so:
 *
 *     fence.saved (or the last fence.meta_buffered)  ──▶ the pattern is made and stored ──▶ fence.pattern
 *     the last fence.meta_written of a step          ──▶ it is durable                  ──▶ fence.flushed
 *     fence.requested                                ──▶ a timer                        ──▶ fence.fail
 *
 * After a restart nothing is owed: the recovery gives back what was not raised and begins a lowering again.
 */

import type { Clock } from '../core/clock.ts'
import { hex, sha256Parts } from '../core/digest.ts'
import type { Event } from '../events/columns.ts'
import { count, text } from '../events/detail.ts'
import { flag } from '../events/kind.ts'
import { type Fence, fencesOf } from '../layers/fence-state.ts'
import type { World } from '../layers/layer.ts'
import { encodePattern } from '../layout/pattern.ts'
import type { PayloadStore } from '../payload/payload.ts'
import type { Ask } from './ask.ts'

/** The longest pattern that is stored: longer stretches of metadata are overwritten in pieces. */
const maxPatternBytes = 256 * 1024
const zeroBytes = new Uint8Array(64 * 1024)

export class FenceEffects {
  readonly #world: World
  readonly #payload: PayloadStore
  readonly #clock: Clock
  readonly #submit: (ask: Ask) => void
  readonly #timers = new Map<number, () => void>()

  constructor(world: World, payload: PayloadStore, clock: Clock, submit: (ask: Ask) => void) {
    this.#world = world
    this.#payload = payload
    this.#clock = clock
    this.#submit = submit
  }

  /** What an event will cause once its frame is durable; undefined for nothing. */
  owed(event: Event): (() => void) | undefined {
    const { kind, tag, seq, flags, detail } = event
    switch (kind) {
      case 'fence.requested': {
        const name = text(detail, 'name')
        const ms = count(detail, 'deadlineMs')
        return () => this.#deadline(tag, name, ms)
      }
      case 'fence.aborted':
        return () => this.#forget(tag)
      case 'fence.saved':
        return () => {
          this.#forget(tag)
          this.#pattern(tag, seq)
        }
      case 'fence.meta_buffered':
        return (flags & flag.sync) === 0 ? undefined : () => this.#pattern(tag, seq)
      case 'fence.meta_written':
        if ((flags & flag.sync) === 0) return undefined
        return () => this.#submit({ kind: 'fence.flushed', tag, about: seq })
      default:
        return undefined
    }
  }

  stop(): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  #pattern(tag: number, about: number): void {
    const fence = fencesOf(this.#world).byTag.get(tag)
    if (fence === undefined || fence.awaits !== about) return
    const saved = hex(sha256Parts(this.#saved(fence)))
    const longest = fence.meta.ranges.reduce((most, { length }) => Math.max(most, length), 0)
    const bytes = Math.min(longest, maxPatternBytes)
    const data = encodePattern({ fence: tag, owner: fence.ownerName, seq: about, saved }, bytes)
    this.#submit({ kind: 'fence.pattern', tag, about, data, detail: { savedDigest: saved } })
  }

  *#saved({ saved, block }: Fence): Generator<Uint8Array> {
    const most = maxPatternBytes / block
    for (const { place, count: blocks } of saved.all()) {
      for (let at = 0; at < blocks; at += most) {
        const length = Math.min(most, blocks - at) * block
        if (place > 0) yield this.#payload.read(place + (at * block) / 512, length)
        else
          for (let done = 0; done < length; done += zeroBytes.length) {
            yield zeroBytes.subarray(0, Math.min(zeroBytes.length, length - done))
          }
      }
    }
  }

  #deadline(tag: number, name: string, ms: number): void {
    const reached = () => {
      this.#timers.delete(tag)
      this.#submit({ kind: 'fence.fail', tag, code: 'E_DEADLINE', detail: { name } })
    }
    if (fencesOf(this.#world).byTag.get(tag)?.phase !== 'closing') return
    this.#timers.set(tag, this.#clock.after(ms, reached))
  }

  #forget(tag: number): void {
    this.#timers.get(tag)?.()
    this.#timers.delete(tag)
  }
}
