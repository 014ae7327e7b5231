/**
 * Dependencies: which requests of a trace have to wait for which, so that the rest may overlap.
 *
 *     added ──▶ waiting ── all it waits for is done ──▶ ready ── taken ──▶ sent ── done ──▶ forgotten
 *
 * A request waits for every older one whose range it overlaps, unless both only read. A flush waits for every older
 * write, and every later write for the flush: what a host was promised to be durable stays older than what it wrote
 * after the promise. A write with FUA is such a promise too. A mark waits for all before it, and all behind wait for it.
 * Only the order in the trace counts: where it says when requests were answered, that is not used to relax it.
 */

import { Heap } from '../core/heap.ts'
import type { Range } from '../core/range.ts'
import { RangeIndex } from '../core/range-index.ts'

export type DependentOp = 'read' | 'write' | 'flush' | 'mark'

/** A request in the order of its trace; `io` grows from one to the next. Flushes and marks have no length. */
export interface Dependent extends Range {
  readonly io: number
  /** Zeroing and discarding write. */
  readonly op: DependentOp
  readonly fua?: boolean
}

interface Node extends Dependent {
  /** How many it still waits for. */
  waits: number
  readonly next: Node[]
}

export class Dependencies {
  readonly #open = new Map<number, Node>()
  readonly #reads = new RangeIndex<Node>()
  readonly #writes = new RangeIndex<Node>()
  readonly #ready = new Heap<Node>()
  /** Open writes that no flush waits for yet. */
  readonly #unflushed = new Set<Node>()
  /** The newest of each that may still be open: it waits for those before it. */
  #flush: Node | undefined
  #fua: Node | undefined
  #mark: Node | undefined
  #newest = -1

  /** Requests added and not yet taken. */
  waiting = 0

  /** Adds the next request of the trace. Throws a RangeError when it is older than the one before. */
  add(request: Dependent): void {
    if (request.io <= this.#newest)
      throw new RangeError(`request ${request.io} comes after ${this.#newest}, which is newer`)
    this.#newest = request.io
    const { io, op, offset, length, fua = false } = request
    const node: Node = { io, op, offset, length, fua, waits: 0, next: [] }
    for (const before of this.#before(node)) {
      before.next.push(node)
      node.waits++
    }
    this.#note(node)
    this.#open.set(io, node)
    this.waiting++
    if (node.waits === 0) this.#ready.push(node)
  }

  /** The oldest request that waits for nothing, left where it is. */
  peek(): number | undefined {
    return this.#ready.peek()?.io
  }

  /** The same, taken: it counts as sent. */
  take(): number | undefined {
    const node = this.#ready.pop()
    if (node !== undefined) this.waiting--
    return node?.io
  }

  /** A request that was taken is answered: those that waited for nothing else become ready. */
  done(io: number): void {
    const node = this.#open.get(io)
    if (node === undefined) throw new RangeError(`request ${io} is not open`)
    this.#open.delete(io)
    this.#unflushed.delete(node)
    if (node.op === 'read') this.#reads.remove(node)
    else if (node.op === 'write') this.#writes.remove(node)
    if (this.#flush === node) this.#flush = undefined
    if (this.#fua === node) this.#fua = undefined
    if (this.#mark === node) this.#mark = undefined
    for (const next of node.next) if (--next.waits === 0) this.#ready.push(next)
  }

  *#before(node: Node): Generator<Node> {
    if (node.op === 'mark') return yield* this.#open.values()
    if (this.#mark !== undefined) yield this.#mark
    if (node.op === 'flush') {
      if (this.#flush !== undefined) yield this.#flush
      return yield* this.#unflushed
    }
    yield* this.#writes.overlapping(node)
    if (node.op === 'read') return
    yield* this.#reads.overlapping(node)
    if (this.#flush !== undefined) yield this.#flush
    if (this.#fua !== undefined) yield this.#fua
  }

  #note(node: Node): void {
    switch (node.op) {
      case 'read':
        return this.#reads.add(node)
      case 'write':
        this.#writes.add(node)
        this.#unflushed.add(node)
        if (node.fua === true) this.#fua = node
        return
      case 'flush':
        this.#unflushed.clear()
        this.#flush = node
        return
      case 'mark':
        this.#mark = node
    }
  }
}
