/**
 * Window: the requests of a host that were read from its trace and not answered yet, and which of them may be sent.
 *
 *     read ──▶ waiting ──▶ sent ──▶ answered            sent are at most `depth`, waiting at most the room
 *
 * `trace`: in the order of the trace, without waiting for answers. `overlap`: a request waits for those it depends on
 * (dependency.ts), and those behind it may go first. `strict`: each waits for the answer of the one before it.
 */

import { Fifo } from '../core/fifo.ts'
import type { Ask } from '../engine/ask.ts'
import { flag } from '../events/kind.ts'
import { Dependencies, type DependentOp } from './dependency.ts'

export const orders = ['trace', 'overlap', 'strict'] as const
export type Order = (typeof orders)[number]

/** A request, and when it is due in nanoseconds after the host began. */
export interface Played {
  readonly ask: Ask
  readonly dueNs: number
}

export interface Window {
  /** True when another request may be read. */
  readonly hasRoom: boolean
  /** Requests read and not sent. */
  readonly waiting: number
  /** Which request would be sent next; undefined when none may be. */
  peek(): Played | undefined
  /** Takes that request; whoever sent it calls `answered` with the number when its answer came. */
  take(): number
  add(played: Played): void
  answered(number: number): void
}

/** Bytes that waiting writes may hold. */
const roomBytes = 64 * 2 ** 20
/** How many requests are looked at, for each that may be outstanding. */
const lookahead = 8

export function windowOf(order: Order, depth: number): Window {
  return order === 'overlap' ? new Overlapping(depth * lookahead) : new InOrder(order === 'strict')
}

/** One request is read ahead; the rest is left to the depth of the host. */
class InOrder implements Window {
  readonly #strict: boolean
  readonly #queue = new Fifo<Played>()
  #sent = 0
  #number = 0

  constructor(strict: boolean) {
    this.#strict = strict
  }

  get hasRoom(): boolean {
    return this.#queue.length === 0
  }

  get waiting(): number {
    return this.#queue.length
  }

  peek(): Played | undefined {
    return this.#strict && this.#sent > 0 ? undefined : this.#queue.peek()
  }

  take(): number {
    this.#queue.shift()
    this.#sent++
    return this.#number++
  }

  add(played: Played): void {
    this.#queue.push(played)
  }

  answered(): void {
    this.#sent--
  }
}

class Overlapping implements Window {
  readonly #room: number
  readonly #dependencies = new Dependencies()
  readonly #played = new Map<number, Played>()
  #bytes = 0
  #number = 0

  constructor(room: number) {
    this.#room = room
  }

  get hasRoom(): boolean {
    return this.waiting < this.#room && this.#bytes < roomBytes
  }

  get waiting(): number {
    return this.#dependencies.waiting
  }

  peek(): Played | undefined {
    const number = this.#dependencies.peek()
    return number === undefined ? undefined : this.#played.get(number)
  }

  take(): number {
    const number = this.#dependencies.take()!
    this.#bytes -= bytesOf(this.#played.get(number)!.ask)
    this.#played.delete(number)
    return number
  }

  add(played: Played): void {
    const { ask } = played
    const io = this.#number++
    this.#played.set(io, played)
    this.#bytes += bytesOf(ask)
    const { offset = 0 } = ask
    const length = ask.data?.length ?? ask.length ?? 0
    const fua = 'flags' in ask && ((ask.flags ?? 0) & flag.fua) !== 0
    this.#dependencies.add({ io, op: opOf(ask), offset, length, fua })
  }

  answered(number: number): void {
    this.#dependencies.done(number)
  }
}

function bytesOf({ data }: Ask): number {
  return data?.length ?? 0
}

function opOf({ kind }: Ask): DependentOp {
  switch (kind) {
    case 'io.read':
      return 'read'
    case 'io.write':
    case 'io.zeroes':
    case 'io.discard':
      return 'write'
    case 'io.flush':
      return 'flush'
    default:
      return 'mark'
  }
}
