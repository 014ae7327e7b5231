/**
 * Liveness: a world in which nothing fails any more comes to rest. At the end of a run the disk is sound, copies end,
 * time passes; then what only waits for somebody's word gets it, and nothing may be left that could go on.
 *
 *     calm ─▶ all under way ends ─▶ longer than any deadline passes ─▶ backups are stopped, restores resumed ─▶ at rest?
 *
 * Deadlines run on monotonic time (SPEC 3.6): a jump of the clock on the wall makes none later. A deadline is counted
 * here from the moment at which its backup was seen durable, or after which the engine began anew; the engine's own
 * counting began no later.
 */

import type { Ask, CommandAsk, IoAsk } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'
import { branchesOf, unfinished } from '../layers/branch-state.ts'
import { fencesOf } from '../layers/fence-state.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import { inFlightOf, waiting } from '../layers/in-flight.ts'
import type { World } from '../layers/layer.ts'
import { pairsOf } from '../layers/pair-state.ts'
import { preservesOf } from '../layers/preserve-state.ts'
import { restoresOf } from '../layers/restore-state.ts'

/** Longer than any deadline that a run gives, those by default included. */
export const longerThanDeadlinesNs = 40e9

/** What a world waits for that somebody has to say. */
export function lastWords(world: World): CommandAsk[] {
  const stops = [...holdQueueOf(world).backups.values()].map(({ name }): CommandAsk => {
    return { kind: 'backup.stop', detail: { name } }
  })
  const idle = [...restoresOf(world).byTag.values()].filter((one) => one.paused || !one.background)
  const resumes = idle.map(({ tag }): CommandAsk => {
    return { kind: 'restore.resume', detail: { pair: pairsOf(world).byTag.get(tag)!.name } }
  })
  return [...stops, ...resumes]
}

/** A last look at all that there is, by the session that came last; nothing where nobody is left to look. */
export function lastReads(world: World): IoAsk[] {
  if (world.sessions.size === 0) return []
  const session = Math.max(...world.sessions.keys())
  const there = world.volumes.filter(({ gone }) => !gone)
  return there.map(({ id: volume, size }) => ({ kind: 'io.read', session, volume, offset: 0, length: size }))
}

/** What is not at rest in a world in which nothing is under way: nothing will ever move it. */
function unrest(world: World): string[] {
  const { held, queued } = inFlightOf(world)
  const pairs = pairsOf(world).byTag
  const name = (tag: number) => pairs.get(tag)?.name
  return [
    ...[...holdQueueOf(world).backups.values()].map((one) => `backup ${one.name} does not stop`),
    ...[...holdQueueOf(world).flagged.keys()].map((volume) => `volume ${volume} is held by no backup`),
    ...[...held.keys()].map((io) => `request ${io} is held by no backup`),
    ...[...queued.keys()].map((io) => `request ${io} is queued for nothing`),
    ...[...restoresOf(world).byTag.keys()].map((tag) => `the restore of pair ${name(tag)} does not end`),
    ...[...pairs.values()]
      .filter(({ phase }) => phase === 'syncing')
      .map((pair) => `the sync of pair ${pair.name} does not end`),
    ...[...preservesOf(world).byView.values()]
      .filter(({ phase }) => phase === 'merging')
      .map(({ view }) => `the merge of view ${view} does not end`),
    ...unfinished(branchesOf(world)).map(({ volume }) => `branch ${volume} is not made`),
    ...[...fencesOf(world).byTag.values()]
      .filter(({ phase }) => ['closing', 'saving', 'raising', 'lowering'].includes(phase))
      .map((one) => `fence ${one.name} stays ${one.phase}`),
  ]
}

/** When the deadlines of one engine's backups pass. */
class Deadlines {
  /** By backup, milliseconds of monotonic time. */
  readonly #due = new Map<number, number>()

  /**
   * Looks at a moment at which nothing waits to be decided.
   * @param durable the world as the last durable frame left it.
   * @param now the engine's own.
   * @returns what is past its deadline and goes on.
   */
  late(durable: World, now: World, passedMs: number): string | undefined {
    for (const [tag, due] of this.#due) {
      const backup = holdQueueOf(now).backups.get(tag)
      if (backup === undefined || backup.phase === 'stopping' || backup.overdue) this.#due.delete(tag)
      else if (passedMs > due) return `backup ${backup.name} goes on ${passedMs - due} ms past its deadline`
    }
    for (const { tag, phase, overdue, deadlineMs } of holdQueueOf(durable).backups.values()) {
      if (this.#due.has(tag) || phase === 'stopping' || overdue) continue
      this.#due.set(tag, passedMs + deadlineMs)
    }
    return undefined
  }
}

/** Who waits for one engine, and what it owes. */
export class Liveness {
  readonly #find: (rule: string, detail: string) => void
  readonly #unanswered = new Set<Ask>()
  readonly #deadlines = new Deadlines()

  constructor(find: (rule: string, detail: string) => void) {
    this.#find = find
  }

  asked(ask: Ask): void {
    this.#unanswered.add(ask)
  }

  /** The ask was answered, or turned away. */
  told(ask: Ask): void {
    this.#unanswered.delete(ask)
  }

  /** At a moment at which nothing waits to be decided: no deadline is past, and who waits has a request that does. */
  look({ world, durableSeq }: Engine, durable: World, passedMs: number): void {
    const late = this.#deadlines.late(durable, world, passedMs)
    if (late !== undefined) this.#find('deadline', late)
    if (durableSeq === undefined) return
    const [open, there] = [this.#unanswered.size, waiting(world)]
    if (open > there) this.#find('liveness', `${open} asks are not answered, of which ${there} wait`)
  }

  /** The engine ended in good order: everybody was told. */
  ended(): void {
    for (const { kind } of this.#unanswered) this.#find('liveness', `${kind} is not answered by the end`)
  }

  /** Nothing is under way, nobody has anything to say. */
  rest(world: World): void {
    for (const { kind } of this.#unanswered) this.#find('liveness', `${kind} is never answered`)
    for (const what of unrest(world)) this.#find('liveness', what)
  }
}
