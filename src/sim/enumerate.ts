/**
 * Crash enumeration: every sequence of up to `most` deeds of the small world, with a crash at every disk write that the
 * last deed causes, and, from each of those, a second crash at every disk write of the recovery.
 *
 *     base ─▶ deed ─▶ deed ─▶ deed ── each disk write: was it durable or not? ─▶ recovery ── each disk write ... ─▶ recovery
 *
 * After each recovery the witness looks: nothing acknowledged is gone, nothing is invented, all rules hold, and the
 * engine's state is the one its frames lead to.
 */

import type { Finding } from '../check/check.ts'
import type { Ask } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'
import { Dice } from './dice.ts'
import type { Disk } from './disk.ts'
import type { FaultyHead } from './faulty-head.ts'
import type { FileLoss } from './files.ts'
import { stamped } from './io-chance.ts'
import { Machine, turn } from './machine.ts'
import { brokenPieces } from './pieces.ts'
import { beginning, block, type Deed, deeds, outsideBlocks, returning } from './small-world.ts'
import { Witness } from './witness.ts'

export interface Enumerated {
  /** Sequences gone through to their end, of so many. */
  readonly sequences: number
  readonly total: number
  /** Recoveries looked at. */
  readonly crashes: number
  readonly findings: readonly (Finding & { readonly deeds: readonly string[] })[]
}

export interface EnumerateOptions {
  /** Deeds in a sequence. */
  readonly most: number
  /** Of `of` equal parts the sequences of this one only, from 0. */
  readonly part?: number
  readonly of?: number
  /** Deeds to choose from; all of them unless told otherwise. */
  readonly among?: readonly Deed[]
  readonly onSequence?: (done: number) => void
  /** Ends it before the next crash; what was found by then is the result. */
  readonly signal?: AbortSignal
}

interface Moment {
  readonly disk: Disk
  readonly head: FaultyHead
  /** What somebody had been told is durable. */
  readonly acknowledged: number
}

const outside = (offset: number, length: number) => stamped(2 ** 31, offset, length)
const outsideImage = {
  size: outsideBlocks * block,
  read: async (offset: number, length: number) => outside(offset, length),
  close: async () => undefined,
}

/** Goes through all of them. Stops at ten findings. */
export async function enumerateCrashes(options: EnumerateOptions): Promise<Enumerated> {
  const { most, part = 0, of = 1, among = deeds, signal } = options
  const all = Array.from({ length: most }, (_, k) => among.length ** (k + 1)).reduce(
    (sum, some) => sum + some,
  )
  const total = Math.ceil((all - part) / of)
  const base = await begun()
  const findings: (Finding & { deeds: string[] })[] = []
  let [sequences, crashes, number] = [0, 0, 0]
  for (const sequence of sequencesOf(among, most)) {
    if (number++ % of !== part) continue
    if (findings.length >= 10) break
    const found = await crashedEverywhere(base, sequence, signal)
    crashes += found.crashes
    if (signal?.aborted === true) break
    sequences++
    for (const finding of found.findings)
      findings.push({ ...finding, deeds: sequence.map(({ name }) => name) })
    options.onSequence?.(sequences)
  }
  return { sequences, total, crashes, findings }
}

/** All sequences of 1 to `most` deeds, short ones first. */
function* sequencesOf(among: readonly Deed[], most: number): Generator<readonly Deed[]> {
  for (let length = 1; length <= most; length++) {
    const count = among.length ** length
    for (let code = 0; code < count; code++) {
      yield Array.from({ length }, (_, k) => among[Math.floor(code / among.length ** k) % among.length]!)
    }
  }
}

/** The world at its beginning, stopped in order. */
async function begun(): Promise<Moment> {
  const world = new SmallWorld({ from: undefined, acknowledged: 0 })
  await world.boot()
  for (const ask of beginning) await world.ask(ask)
  await world.settle()
  await world.stop()
  return { disk: world.machine.disk, head: world.machine.head, acknowledged: 0 }
}

/** Runs a sequence and crashes at every disk write of its last deed. */
async function crashedEverywhere(
  base: Moment,
  sequence: readonly Deed[],
  signal: AbortSignal | undefined,
): Promise<{ readonly crashes: number; readonly findings: readonly Finding[] }> {
  const world = new SmallWorld({ from: base, acknowledged: 0 })
  await world.boot()
  for (const ask of returning) await world.ask(ask)
  for (const [k, deed] of sequence.entries()) {
    world.watching = k === sequence.length - 1
    await world.do(deed)
  }
  const findings = [...world.witness.all()]
  let crashes = 0
  const look = async (moment: Moment, again: boolean): Promise<void> => {
    for (const [kept, loss] of powerLosses(moment.disk)) {
      if (findings.length > 0) return
      const disk = moment.disk.fork()
      disk.powerLoss(kept, undefined, loss)
      const broken = brokenPieces(disk)
      findings.push(...broken.map((detail) => ({ seq: 0, rule: 'payload', detail })))
      if (loss.kept > 0 || loss.torn !== undefined) continue
      const after = new SmallWorld({
        from: { ...moment, disk, head: moment.head.fork() },
        acknowledged: moment.acknowledged,
      })
      after.watching = again
      await after.boot()
      await after.settle()
      crashes++
      findings.push(...after.witness.all())
      after.cut()
      if (signal?.aborted === true) return
      if (again) for (const inside of after.moments) await look(inside, false)
    }
  }
  for (const moment of world.moments) await look(moment, true)
  world.cut()
  return { crashes, findings }
}

/**
 * What power loss may leave at a moment: of the store some first writes, and of the files whatever it likes. Whoever
 * recovers sees of the files their names and the pieces that are referred to: where those are whole, how much more is
 * left makes no difference, and one recovery is enough.
 */
function* powerLosses(disk: Disk): Generator<readonly [kept: number, loss: FileLoss]> {
  for (let kept = 0; kept <= disk.unsynced; kept++) {
    for (const loss of disk.files.losses()) yield [kept, loss]
  }
}

interface Origin {
  readonly from: Pick<Moment, 'disk' | 'head'> | undefined
  readonly acknowledged: number
}

/** The small world on a machine of its own, and who watches it. */
class SmallWorld {
  readonly machine: Machine
  readonly witness: Witness
  /** What a crash would find, at each disk write while `watching`. */
  readonly moments: Moment[] = []
  watching = false
  #engine!: Engine
  #requests = 10

  constructor({ from, acknowledged }: Origin) {
    const machine = new Machine({
      ...{ dice: new Dice(1, 1), faultEvery: 0, segmentedFrom: 1, outside: outsideImage },
      ...(from !== undefined && { from: { disk: from.disk.fork(), head: from.head.fork() } }),
      onWrite: () => this.#noted(),
    })
    this.machine = machine
    this.witness = new Witness((place, length) => machine.payload.read(place, length), outside)
    this.witness.expect(acknowledged)
  }

  async boot(): Promise<void> {
    try {
      this.#engine = await this.machine.boot(async (journal) => {
        await this.witness.recovered(journal)
        journal.follow(this.witness.world.seq + 1).subscribe((frame) => this.witness.frame(frame))
      })
      this.witness.agrees(this.#engine.durableSeq, this.#engine.world)
    } catch (error) {
      this.witness.find('recovery', `the journal does not open: ${(error as Error).message}`)
    }
  }

  async do(deed: Deed): Promise<void> {
    if ('ask' in deed) await this.ask(deed.ask(this.#engine.world, ++this.#requests))
    else if (deed.machine === 'time') this.machine.clock.pass(10_000_000)
    else this.machine.endCopy(new Dice(1, 1), deed.machine === 'copy' ? 'ok' : 'E_IO')
    await this.settle()
  }

  /** Asks, and goes on when the answer came or nothing moves any more: who is held waits longer. */
  async ask(ask: Ask): Promise<void> {
    void this.#engine.submit(ask).then(
      (answer) => this.witness.answer(ask, answer),
      () => undefined,
    )
    await this.settle()
  }

  /** Lets the disk write until it has nothing left to do. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < 2; idle++) {
      await turn()
      if (this.machine.writeAll()) idle = -1
    }
  }

  async stop(): Promise<void> {
    await this.machine.until(this.#engine.close())
    this.machine.stop()
  }

  cut(): void {
    this.machine.stop()
  }

  #noted(): void {
    if (!this.watching) return
    const { disk, head } = this.machine
    this.moments.push({ disk: disk.fork(), head: head.fork(), acknowledged: this.witness.acknowledged })
  }
}
