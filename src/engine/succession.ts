/**
 * Succession: the engines that record into one journal, one after the other. What failed is never tried again: the
 * journal is closed, opened anew, which settles what became of the append in doubt, and a new engine recovers from it,
 * as after a crash. Whoever uses the engine of now is told before it closes and when the next one is there (heirs).
 *
 *     recording ── an engine fails ──▶ failed ── it was full, and there is room; or it is asked for ──▶ reopening
 *         ▲                              ▲                                                                │  │
 *         │                              └── it cannot be written: reads go on from it where they can ────┘  │
 *         └──────────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * Room is looked for after a second, and then each time after twice as long, up to half a minute; and it is not sooner
 * when the disk is full again right after.
 */

import { type Observable, Subject } from 'rxjs'
import type { Clock } from '../core/clock.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Journal } from '../journal/journal.ts'
import type { PayloadStore } from '../payload/payload.ts'
import type { Engine } from './engine.ts'
import type { Remains } from './remains.ts'

/** An engine with the journal that it records into. One that failed may have only a journal to read beside it. */
export interface Reign {
  readonly engine: Engine
  readonly journal: Journal
  readonly payload: PayloadStore
}

/** Who uses the engine of now. Neither may reject. */
export interface Heir {
  /** The journal is about to be closed: resolves when nothing here reads it any more. Waits only a bounded time for it. */
  pause(): Promise<void>
  /** From now on this is the engine of now: a new one, or the old one whose remains can be read. */
  goOn(reign: Reign): Promise<void>
}

export interface SuccessionTerms {
  readonly clock: Clock
  /** Opens the journal and recovers an engine on it. */
  readonly reopen: () => Promise<Reign>
  /** Opens the journal only to look at it. */
  readonly look: () => Promise<Omit<Reign, 'engine'>>
  /** Whether opening it is worth trying. */
  readonly hasRoom: () => boolean
}

/** What happened, for a log. */
export type News =
  /** An engine failed; `awaitsRoom`: it goes on by itself. */
  | { readonly what: 'failed'; readonly reason: BlockboxError; readonly awaitsRoom: boolean }
  /** The journal was opened anew and cannot be written. */
  | { readonly what: 'refused'; readonly reason: BlockboxError; readonly awaitsRoom: boolean }
  | { readonly what: 'recording'; readonly takeover: Takeover; readonly remarks: readonly string[] }

/** How recording went on. */
export interface Takeover {
  /** The last durable event when the new engine was there: recording goes on behind it. */
  readonly seq: number
  /** When the engine before it failed, and when this one was there; nanoseconds since the Unix epoch. */
  readonly failedNs: bigint
  readonly atNs: bigint
}

export const paceMs = { first: 1000, longest: 30_000 }
/** An heir that does not come to rest gets this long: what it reads later fails. */
const pauseMs = 10_000

export class Succession {
  readonly news$: Observable<News>
  readonly #news$ = new Subject<News>()
  readonly #terms: SuccessionTerms
  readonly #heirs = new Set<Heir>()
  #now: Reign
  #sinceNs: bigint
  #waitMs = paceMs.first
  #cancel: () => void = () => undefined
  #reopening: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #takeovers = 0
  #last: Takeover | undefined

  constructor(first: Reign, terms: SuccessionTerms) {
    this.#terms = terms
    this.#now = first
    this.#sinceNs = terms.clock.nowNs()
    this.news$ = this.#news$.asObservable()
    this.#watch(first.engine)
  }

  get engine(): Engine {
    return this.#now.engine
  }

  get journal(): Journal {
    return this.#now.journal
  }

  get payload(): PayloadStore {
    return this.#now.payload
  }

  get state(): 'recording' | 'failed' | 'reopening' {
    if (this.#reopening !== undefined) return 'reopening'
    return this.engine.remains === undefined ? 'recording' : 'failed'
  }

  /** True when nothing can be recorded for lack of room, and will be when there is room. */
  get awaitsRoom(): boolean {
    const code = this.engine.remains?.reason.code
    return this.#closing === undefined && (code === 'JOURNAL_FULL' || code === 'JOURNAL_LOCKED')
  }

  /** How often a new engine took over. */
  get takeovers(): number {
    return this.#takeovers
  }

  /** The last time that one did. */
  get lastTakeover(): Takeover | undefined {
    return this.#last
  }

  /** Tells `heir` of every change from now on; the function returned ends that. */
  add(heir: Heir): () => void {
    this.#heirs.add(heir)
    return () => this.#heirs.delete(heir)
  }

  /**
   * Closes the journal and opens it anew, now. Resolves when a new engine records; at once when nothing failed. Rejects
   * with ENGINE_STOPPED after `close`, and with what keeps the journal from being written: before anything is closed,
   * where the disk is still full.
   */
  async reopen(): Promise<void> {
    if (this.#closing !== undefined) throw new BlockboxError('ENGINE_STOPPED', 'the engine is being closed')
    const { state } = this
    if (state === 'recording') return
    const isFull = this.engine.remains?.reason.code === 'JOURNAL_FULL'
    if (state === 'reopening' || !isFull || this.#terms.hasRoom()) await this.#reopen()
    const { remains } = this.engine
    if (remains !== undefined) throw remains.reason
  }

  /** Waits for the end of a reopening that goes on, and closes the engine of now and its journal. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#cancel()
    await this.#reopening
    await closed(this.#now)
    this.#news$.complete()
  }

  #watch(engine: Engine): void {
    engine.frames$.subscribe({ error: () => this.#failed(engine.remains!.reason) })
  }

  #failed(reason: BlockboxError): void {
    const recordedMs = Number((this.#terms.clock.nowNs() - this.#sinceNs) / 1_000_000n)
    if (recordedMs >= paceMs.longest) this.#waitMs = paceMs.first
    this.#news$.next({ what: 'failed', reason, awaitsRoom: this.awaitsRoom })
    if (this.#reopening === undefined) this.#await()
  }

  /** Looks for room later, where that is what it failed for. */
  #await(): void {
    this.#cancel()
    if (!this.awaitsRoom) return
    const waitMs = this.#waitMs
    this.#waitMs = Math.min(2 * waitMs, paceMs.longest)
    this.#cancel = this.#terms.clock.after(waitMs, () => {
      if (!this.awaitsRoom) return
      if (this.#terms.hasRoom()) void this.#reopen()
      else this.#await()
    })
  }

  #reopen(): Promise<void> {
    this.#cancel()
    this.#reopening ??= this.#succeed().finally(() => {
      this.#reopening = undefined
      this.#await()
    })
    return this.#reopening
  }

  /** One engine after the other: the next is not begun before the one that failed has ended all that it writes. */
  async #succeed(): Promise<void> {
    const before = this.#now
    const failedNs = before.engine.remains!.sinceNs
    await Promise.all([...this.#heirs].map((heir) => soon(heir.pause())))
    await before.engine.remains!.still()
    await closed(before).catch(() => undefined)
    let news: News
    try {
      this.#now = await this.#terms.reopen()
      news = this.#tookOver(failedNs)
    } catch (error) {
      news = await this.#readOn(before.engine.remains!, error)
    }
    await Promise.all([...this.#heirs].map((heir) => heir.goOn(this.#now).catch(() => undefined)))
    this.#news$.next(news)
  }

  #tookOver(failedNs: bigint): News {
    const { engine, journal } = this.#now
    const atNs = this.#terms.clock.nowNs()
    const takeover = { seq: journal.bounds().last, failedNs, atNs }
    this.#sinceNs = atNs
    this.#takeovers++
    this.#last = takeover
    this.#watch(engine)
    return { what: 'recording', takeover, remarks: journal.remarks }
  }

  /** It cannot be written: what remains is read from the journal as it is, and is said to have ended for this reason. */
  async #readOn(remains: Remains, error: unknown): Promise<News> {
    const code = error instanceof BlockboxError ? error.code : 'ENGINE_STOPPED'
    const reason = new BlockboxError(code, (error as Error).message, { cause: error })
    const looked = await this.#terms.look().catch(() => undefined)
    remains.readOn(reason, looked)
    if (looked !== undefined) this.#now = { engine: this.engine, ...looked }
    return { what: 'refused', reason, awaitsRoom: this.awaitsRoom }
  }
}

/** Ends an engine, and what is open of its journal. */
async function closed({ engine, journal }: Reign): Promise<void> {
  try {
    await engine.close()
  } finally {
    await journal.close()
  }
}

/** Waits for what may take its time, but not for ever; what goes wrong with it stays with it. */
async function soon(done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, pauseMs)
  })
  await Promise.race([done.catch(() => undefined), late])
  clearTimeout(timer)
}
