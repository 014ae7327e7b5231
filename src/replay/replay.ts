/**
 * Replay: folds a journal, decides every input again, and runs the checks; drives nothing.
 *
 *     frames ─▶ rows checked ─▶ input ─▶ decided again ─▶ compared with the recorded events ─▶ folded ─▶ checks
 *                         └───▶ the same once more, in a state of its own ──┐            │
 *                                        state hashes compared after every frame: recorded, first, second
 *
 * The recorded run is the artefact: the first event that today's rules would not produce is a finding. A history that
 * breaks a rule while it is folded is a finding of that rule, and the replay goes no further: what follows has no
 * state to stand on.
 */

import type { Check, Finding, MakeCheck } from '../check/check.ts'
import { Violation } from '../core/assert.ts'
import { hex } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { lanesText } from '../core/lanes.ts'
import { Columns, type Row } from '../events/columns.ts'
import { checkRows, type Frame } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { nearestWorld } from '../journal/state.ts'
import type { World } from '../layers/layer.ts'
import type { PayloadStore } from '../payload/payload.ts'
import { isEpoch, stateHash } from '../volume/snapshot.ts'
import { evolve } from '../volume.ts'
import { wrongBranches } from './branch-origin.ts'
import { type ContentCount, contentCheck } from './content-check.ts'
import { Divergence, decideAgain, type Watcher } from './decide-again.ts'
import { answeredEarly } from './durable.ts'

export interface ReplayOptions {
  /** Properties of the history to check besides the rules that the fold itself holds. */
  readonly checks?: readonly MakeCheck[]
  /** Decide each input again and compare; true unless told otherwise. */
  readonly decide?: boolean
  /** Replay everything a second time beside the first and compare the states of both; false unless told otherwise. */
  readonly twice?: boolean
  /** Where payload is: what reads returned is then compared with the last writes before them. */
  readonly payload?: PayloadStore
  readonly onFrame?: (line: FrameLine) => void
  /** Called after each batch of frames with the last event replayed; the replay goes on when it resolves. */
  readonly onBatch?: (seq: number) => Promise<void>
  /** At most this many findings are kept. */
  readonly maxFindings?: number
  readonly signal?: AbortSignal
}

/** What `--verbose` prints of a frame. */
export interface FrameLine {
  readonly first: number
  readonly last: number
  readonly epoch: number
  readonly hash: string
  readonly stateHash: string
}

export interface ReplayVerdict {
  readonly events: number
  readonly frames: number
  readonly findings: readonly Finding[]
  /** Frames after which a second replay had the same state; 0 without one. */
  readonly twice: number
  /** Reads that were compared with content; only where payload was given. */
  readonly reads?: Readonly<ContentCount>
  readonly stateHash: string
  readonly head: { readonly seq: number; readonly hash: string }
  /** The state at the end, or where the replay had to stop. */
  readonly world: World
}

/** Replays a whole journal: from its first event, or from the checkpoint where a truncated one begins. */
export async function replay(journal: Journal, options: ReplayOptions = {}): Promise<ReplayVerdict> {
  const { first, last } = journal.bounds()
  const world = await nearestWorld(journal, first - 1)
  const reads = { reads: 0, bytes: 0, unknown: 0 }
  const { checks = [], payload } = options
  const all = payload === undefined ? checks : [...checks, contentCheck(payload, reads)]
  const player = new Player(world, { ...options, checks: all })
  const second = options.twice === true ? await secondOf(journal, options) : undefined
  if (world.seq < first - 1) player.lacksBeginning(first)
  const columns = new Columns()
  let frames = 0
  let events = 0
  let head = { seq: first - 1, hash: hex(journal.bounds().head) }
  try {
    for await (const batch of journal.batches(first, last)) {
      if (player.stopped) break
      for (const frame of batch) {
        options.signal?.throwIfAborted()
        player.play(frame, columns)
        second?.follow(frame, player)
        frames++
        events += frame.count
        head = { seq: frame.last, hash: hex(frame.hash) }
        if (player.stopped) break
      }
      await options.onBatch?.(head.seq)
      if (player.stopped) break
    }
  } catch (error) {
    if (!(error instanceof BlockboxError) || error.seq === undefined) throw error
    player.find({ seq: error.seq, rule: error.code, detail: error.message })
  }
  const checkpoint = await journal.checkpoint(world.seq)
  if (checkpoint?.seq === world.seq) player.compare('G-I10', world.seq, checkpoint)
  if (!player.stopped)
    for (const finding of await wrongBranches(journal, world, options.signal)) player.find(finding)
  player.end()
  const { low, high } = stateHash(world)
  const counted = { events, frames, twice: second?.frames ?? 0, ...(payload !== undefined && { reads }) }
  return { ...counted, findings: player.findings, stateHash: lanesText(low, high), head, world }
}

/** A replay that follows another in a state of its own. */
async function secondOf(journal: Journal, { decide = true }: ReplayOptions): Promise<Second> {
  return new Second(new Player(await nearestWorld(journal, journal.bounds().first - 1), { decide }))
}

class Second {
  frames = 0
  readonly #player: Player
  readonly #columns = new Columns()

  constructor(player: Player) {
    this.#player = player
  }

  /** Replays a frame that the first has replayed; a difference between the two is a finding of the first. */
  follow(frame: Frame, first: Player): void {
    if (first.stopped) return
    this.#player.play(frame, this.#columns)
    const { stopped, stateHash: state } = this.#player
    if (!stopped && state === first.stateHash) {
      this.frames++
      return
    }
    const finding = stopped ? this.#player.findings.at(-1) : undefined
    const why = finding === undefined ? `its state is ${state}, not ${first.stateHash}` : finding.detail
    const detail = `replayed a second time, frame ${frame.first} to ${frame.last} comes out otherwise: ${why}`
    first.find({ seq: finding?.seq ?? frame.last, rule: 'G-I8', detail })
    first.stopped = true
  }
}

const unwatched: Watcher = { before: () => undefined, after: () => undefined }

/** Plays frames one after the other on a world: decides again, folds, compares, checks. */
export class Player {
  readonly findings: Finding[] = []
  stopped = false
  readonly #world: World
  readonly #options: ReplayOptions
  readonly #checks: readonly Check[]
  readonly #watcher: Watcher

  constructor(world: World, options: ReplayOptions) {
    this.#world = world
    this.#options = options
    const checks = (options.checks ?? []).map((make) => make((finding) => this.find(finding)))
    this.#checks = checks
    this.#watcher =
      checks.length === 0
        ? unwatched
        : {
            before: (event) => {
              const refused = event.kindAt(event.index + 1) === 'command.refused'
              for (const check of checks) check.before?.(event, world, refused)
            },
            after: (event) => {
              for (const check of checks) check.after?.(event, world)
            },
          }
  }

  find(finding: Finding): void {
    if (this.findings.length < (this.#options.maxFindings ?? 100)) this.findings.push(finding)
  }

  /** No checkpoint leads to where a truncated journal begins: there is nothing to stand on. */
  lacksBeginning(first: number): void {
    const detail = `no checkpoint leads to event ${first}, where the journal begins`
    this.find({ seq: first, rule: 'JOURNAL_CORRUPT', detail })
    this.stopped = true
  }

  play(frame: Frame, columns: Columns): void {
    const row = frame.open(columns)
    checkRows(frame, row)
    const early = answeredEarly(frame, row)
    if (early !== undefined) this.find(early)
    try {
      this.#fold(row, frame.instantNs)
    } catch (error) {
      this.stopped = true
      this.find(this.#findingOf(error as Error))
      return
    }
    if (!isEpoch(row)) this.compare('G-I8', frame.last, frame)
    this.#options.onFrame?.(this.#lineOf(frame))
  }

  get stateHash(): string {
    const { low, high } = stateHash(this.#world)
    return lanesText(low, high)
  }

  #lineOf(frame: Frame): FrameLine {
    const { first, last, epoch } = frame
    return { first, last, epoch, hash: hex(frame.hash), stateHash: this.stateHash }
  }

  /** A record that cannot be folded at all is a finding too, of the rule `fold`. */
  #findingOf(error: Error): Finding {
    const { seq } = this.#world
    if (error instanceof Divergence) return { seq: error.seq, rule: 'decide', detail: error.message }
    if (error instanceof Violation) return { seq, rule: error.rule, detail: error.message }
    return { seq, rule: 'fold', detail: `event ${seq} makes no sense: ${error.message}` }
  }

  /** Compares the state with one that was recorded; after a difference nothing later can be trusted. */
  compare(
    rule: string,
    seq: number,
    recorded: { readonly stateLow: number; readonly stateHigh: number },
  ): void {
    const { low, high } = stateHash(this.#world)
    if (low === recorded.stateLow && high === recorded.stateHigh) return
    const was = lanesText(recorded.stateLow, recorded.stateHigh)
    this.find({
      seq,
      rule,
      detail: `the state after event ${seq} is ${lanesText(low, high)}, recorded ${was}`,
    })
    this.stopped = true
  }

  end(): void {
    if (!this.stopped) for (const check of this.#checks) check.end?.(this.#world)
  }

  #fold(row: Row, instantNs: bigint): void {
    const { count } = row.columns
    for (row.index = 0; row.index < count; ) {
      if (this.#options.decide !== false) decideAgain(this.#world, row, instantNs, this.#watcher)
      else {
        this.#watcher.before(row)
        evolve(this.#world, row)
        this.#watcher.after(row)
        row.index++
      }
    }
  }
}
