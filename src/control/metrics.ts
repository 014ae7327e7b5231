/**
 * Metrics in the text format of Prometheus, fed from the frames as they become durable.
 *
 *     frames$ ─▶ plain counts, a pass over the columns of each frame          (the hot path: no text, no labels)
 *     scrape  ─▶ counts and the state of the engine ─▶ prom-client ─▶ text
 *
 * Counters begin when the API begins, as those of a process do; `blockbox_journal_head_seq` is that of the journal.
 */

import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Engine } from '../engine/engine.ts'
import type { Reign, Succession } from '../engine/succession.ts'
import { codeName, codes } from '../events/code.ts'
import { Columns } from '../events/columns.ts'
import { fates, kindNames, kinds, ops } from '../events/kind.ts'
import { contentsOf } from '../inspect/contents.ts'
import { type Frame, headerBytes } from '../journal/frame.ts'
import { inFlightOf } from '../layers/in-flight.ts'
import { pairsOf } from '../layers/pair-state.ts'
import { restoresOf } from '../layers/restore-state.ts'

/** Seconds from the sealing of a frame to its being durable. */
const latencyBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
const commandRefused = kinds['command.refused'].number
const refused = fates.indexOf('refused')

export class Metrics {
  readonly contentType: string
  readonly #registry = new Registry()
  #of: Pick<Reign, 'engine' | 'journal'>
  #subscription: { unsubscribe(): void }
  readonly #columns = new Columns()
  readonly #kinds = new Float64Array(256)
  readonly #refusals = new Float64Array(256)
  readonly #bytes = new Float64Array(ops.length)
  readonly #commit: Histogram
  #frames = 0
  #sealedNs = 0n

  /** @param succession where engines take over from each other */
  constructor(of: Pick<Reign, 'engine' | 'journal'>, succession?: Succession) {
    this.#of = of
    this.contentType = this.#registry.contentType
    this.#commit = this.#histogram(
      'commit_seconds',
      'Seconds from the sealing of a frame to its being durable',
    )
    this.#counters()
    this.#gauges()
    this.#successionGauges(succession)
    this.#subscription = this.#attend(of.engine)
  }

  /** Counts on with the frames of this engine, and tells its state. */
  goOn(of: Reign): void {
    this.#subscription.unsubscribe()
    this.#of = of
    this.#sealedNs = 0n
    this.#subscription = this.#attend(of.engine)
  }

  /** All metrics as text. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  close(): void {
    this.#subscription.unsubscribe()
  }

  #attend(engine: Engine): { unsubscribe(): void } {
    return engine.frames$.subscribe({
      next: (frame) => this.#count(frame),
      error: () => void engine.remains?.world().catch(() => undefined),
    })
  }

  /** A frame tells when the one before it became durable. */
  #count(frame: Frame): void {
    const { durableNs, instantNs, count } = frame
    if (this.#sealedNs > 0n && durableNs > 0n) this.#commit.observe(Number(durableNs - this.#sealedNs) / 1e9)
    this.#sealedNs = instantNs
    this.#frames++
    const columns = this.#columns
    columns.load(frame.bytes, headerBytes, count)
    for (let row = 0; row < count; row++) {
      const kind = columns.kind[row]!
      this.#kinds[kind]!++
      if (kind < 128) this.#bytes[columns.op[row]!]! += columns.length[row]!
      if (columns.fate[row] === refused || kind === commandRefused) this.#refusals[columns.code[row]!]!++
    }
  }

  #counters(): void {
    this.#counter('frames_total', 'Frames that became durable', [], (metric) => metric.inc(this.#frames))
    this.#counter('events_total', 'Events that became durable, by kind', ['kind'], (metric) => {
      for (const [number, kind] of kindNames.entries()) {
        if (kind !== undefined && this.#kinds[number]! > 0) metric.inc({ kind }, this.#kinds[number])
      }
    })
    this.#counter('host_bytes_total', 'Bytes of host requests, refused ones included', ['op'], (metric) => {
      for (const [number, op] of ops.entries()) {
        if (op !== 'none') metric.inc({ op }, this.#bytes[number])
      }
    })
    this.#counter('refusals_total', 'Refused requests and commands, by code', ['code'], (metric) => {
      for (const number of Object.values(codes)) {
        const code = codeName(number)
        if (code !== undefined && this.#refusals[number]! > 0) metric.inc({ code }, this.#refusals[number])
      }
    })
  }

  /** Once the engine has failed, of what remains of it. */
  #gauges(): void {
    const now = () => this.#of.engine.remains?.known ?? this.#of.engine.world
    const bounds = () => this.#of.journal.bounds()
    const gauge = (name: string, help: string, value: () => number) =>
      this.#gauge(name, help, [], (metric) => metric.set(value()))
    gauge('journal_head_seq', 'The last durable event', () => bounds().last)
    gauge('journal_epoch', 'How often the journal was opened to be written', () => bounds().epoch)
    gauge('held_requests', 'Requests that wait for a backup', () => inFlightOf(now()).held.size)
    gauge('queued_requests', 'Requests that wait for a copy', () => inFlightOf(now()).queued.size)
    gauge('sessions', 'Open sessions', () => now().sessions.size)
    gauge('backups', 'Backups that run', () => contentsOf(now()).backups.length)
    this.#gauge(
      'restore_remaining_extents',
      'Extents that a restore has still to copy',
      ['pair'],
      (metric) => {
        for (const { pair, remaining_extents } of contentsOf(now()).restores)
          metric.set({ pair }, remaining_extents)
      },
    )
    this.#gauge('restore_extents', 'Extents of the source of a restore', ['pair'], (metric) => {
      for (const { tag, size, extent } of restoresOf(now()).byTag.values()) {
        const pair = pairsOf(now()).byTag.get(tag)?.name ?? `#${tag}`
        metric.set({ pair }, Math.ceil(size / extent))
      }
    })
  }

  /** Whether an engine records, and how often one took over from another. */
  #successionGauges(succession: Succession | undefined): void {
    const remains = () => this.#of.engine.remains
    const gauge = (name: string, help: string, value: () => number) =>
      this.#gauge(name, help, [], (metric) => metric.set(value()))
    const failed = () => (remains() === undefined ? 0 : 1)
    gauge('engine_failed', '1 when nothing can be recorded any more, only read', failed)
    const since = () => Number((remains()?.sinceNs ?? 0n) / 1_000_000n) / 1000
    gauge('engine_failed_since_seconds', 'When that was, in Unix time; 0 while it records', since)
    const full = () => (remains()?.reason.code === 'JOURNAL_FULL' ? 1 : 0)
    gauge('journal_full', '1 when nothing can be recorded for lack of room on the disk', full)
    const last = () => succession?.lastTakeover?.seq ?? 0
    gauge('takeover_seq', 'The event behind which recording went on last, after a failure', last)
    this.#counter('takeovers_total', 'New engines that took over from one that failed', [], (metric) =>
      metric.inc(succession?.takeovers ?? 0),
    )
  }

  #histogram(name: string, help: string): Histogram {
    const registers = [this.#registry]
    return new Histogram({ name: `blockbox_${name}`, help, buckets: latencyBuckets, registers })
  }

  /** A counter that is told its value when it is looked at. */
  #counter(name: string, help: string, labelNames: string[], tell: (metric: Counter) => void): void {
    const registers = [this.#registry]
    new Counter({
      ...{ name: `blockbox_${name}`, help, labelNames, registers },
      collect() {
        this.reset()
        tell(this)
      },
    })
  }

  #gauge(name: string, help: string, labelNames: string[], tell: (metric: Gauge) => void): void {
    const registers = [this.#registry]
    new Gauge({
      ...{ name: `blockbox_${name}`, help, labelNames, registers },
      collect() {
        this.reset()
        tell(this)
      },
    })
  }
}
