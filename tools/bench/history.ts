/**
 * A history to replay, decided by the stack itself: four busy volumes, a backup over two of them now and then, and on the
 * fourth a restore from its clone that runs most of the time.
 *
 *     in sync ─▶ fractured ─▶ (the source is written) ─▶ restoring, slowly ─▶ syncing, fast ─▶ in sync
 */

import { sha256, shortHigh, shortLow } from '../../src/core/digest.ts'
import { FrameBuilder } from '../../src/engine/frame-builder.ts'
import type { Event, NewEvent } from '../../src/events/columns.ts'
import type { FrameParts } from '../../src/journal/frame.ts'
import type { World } from '../../src/layers/layer.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { enterCommand, enterIo, judgeNext } from '../../src/volume/entry.ts'
import { stateHash } from '../../src/volume/snapshot.ts'
import { block, blocksOfVolumes, Traffic } from './traffic.ts'

const source = 4
const clone = 5
const extent = 2 ** 20
const backupEvery = 40_000
const backupLasts = 800
const checkEvery = 2000
/** Requests from a fracture to the restore, and from the start of a copy to its report. */
const fracturedFor = 6000
const reportAfter = { restore: 100_000, demand: 200, sync: 20 }
const nsPerRequest = 5000

type Record = (event: NewEvent) => Event

export class History {
  readonly #world: World
  readonly #builder: FrameBuilder
  readonly #traffic = new Traffic(1)
  readonly #digests = Array.from({ length: 256 }, (_, k) => sha256(Uint8Array.of(k)))
  /** Reports by the request ahead of which they come. */
  readonly #reports = new Map<number, NewEvent[]>()
  #taken = 0
  #nowNs: bigint
  #turnedAt = 0

  /** @param world the state after the journal's epoch frame. */
  constructor(world: World, startNs: bigint) {
    this.#world = world
    this.#nowNs = startNs
    this.#builder = new FrameBuilder(world.seq + 1)
  }

  /** The volumes, a session, the pair, all that stands before the first request. */
  begin(): FrameParts {
    this.#builder.begin(this.#nowNs)
    this.#command({ kind: 'engine.recover' })
    for (const [k, blocks] of [...blocksOfVolumes, blocksOfVolumes[source - 1]!].entries()) {
      this.#command({ kind: 'volume.create', detail: { name: `v${k + 1}`, size: blocks * block, block } })
    }
    this.#command({ kind: 'session.open', detail: { name: 'host' } })
    this.#command({ kind: 'pair.create', detail: { name: 'p', source, clone, extent } })
    this.#command({ kind: 'pair.sync', detail: { name: 'p' } })
    return this.#seal()
  }

  /** The next frame, of `events` or a few more: an entry is never split. Good until the next one. */
  frame(events: number): FrameParts {
    this.#builder.restart()
    this.#builder.begin(this.#nowNs)
    while (this.#builder.count < events) this.#step()
    return this.#seal()
  }

  #seal(): FrameParts {
    const { low, high } = stateHash(this.#world)
    return { ...this.#builder.seal(), durableNs: 0n, replied: 0, flags: 0, stateLow: low, stateHigh: high }
  }

  #step(): void {
    const taken = ++this.#taken
    this.#nowNs += BigInt(nsPerRequest)
    for (const report of this.#reports.get(taken) ?? []) this.#command(report)
    this.#reports.delete(taken)
    if (taken % backupEvery === 0) {
      const terms = { deadlineMs: 0, maxEntries: 0, maxBytes: 0 }
      this.#command({ kind: 'backup.start', detail: { name: 'b', volumes: [1, 2], ...terms } })
    }
    if (taken % backupEvery === backupLasts && taken > backupEvery) {
      this.#command({ kind: 'backup.stop', detail: { name: 'b' } })
    }
    if (taken % checkEvery === 0) this.#turn()
    this.#request()
  }

  /** Takes the pair to its next phase when its time has come. */
  #turn(): void {
    const pair = pairsOf(this.#world).byTag.get(1)!
    if (pair.phase === 'in-sync') {
      this.#turnedAt = this.#taken
      this.#command({ kind: 'pair.fracture', detail: { name: 'p' } })
    } else if (pair.phase === 'fractured' && this.#turnedAt === 0) {
      this.#command({ kind: 'pair.sync', detail: { name: 'p' } })
    } else if (pair.phase === 'fractured' && this.#taken - this.#turnedAt >= fracturedFor) {
      this.#turnedAt = 0
      this.#command({ kind: 'restore.start', detail: { pair: 'p', protected: true } })
    }
  }

  #request(): void {
    const asked = this.#traffic.next(this.#at())
    const verdict = judgeNext(this.#world, asked)
    const digest = asked.kind === 'io.write' ? this.#digests[this.#taken & 255] : undefined
    const marks = digest && { digestHigh: shortHigh(digest), digestLow: shortLow(digest) }
    let first = true
    enterIo(this.#world, { ...asked, ...marks }, verdict, (event) => {
      const given = first ? digest : undefined
      first = false
      return this.#record(event, given)
    })
  }

  #command(input: NewEvent): void {
    const at = this.#at()
    const atUs = Number((this.#builder.instantNs + BigInt(at)) / 1000n)
    const record: Record = (event) => this.#record(event)
    const code = enterCommand(this.#world, { ...input, at }, atUs, record)
    if (code !== 'ok') throw new Error(`the history is not what it should be: ${input.kind} got ${code}`)
  }

  #record(event: NewEvent, digest?: Uint8Array): Event {
    const recorded = this.#builder.record(event, digest)
    if (recorded.kind === 'copy.started') this.#copying(recorded)
    return recorded
  }

  #copying({ seq, tag, volume, offset, length, flags }: Event): void {
    const after = volume === clone ? reportAfter.sync : flags > 0 ? reportAfter.demand : reportAfter.restore
    const when = this.#taken + after
    const report: NewEvent = { kind: 'copy.report', tag, volume, offset, length, about: seq }
    this.#reports.set(when, [...(this.#reports.get(when) ?? []), report])
  }

  /** Nanoseconds from the frame's instant until now. */
  #at(): number {
    return Number(this.#nowNs - this.#builder.instantNs)
  }
}
