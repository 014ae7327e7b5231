/**
 * Short histories by chance: hosts, backups, clones, restores, views, copies that end well or not, crashes, and now
 * and then something that makes no sense. The same seed gives the same inputs for the same state.
 */

import * as assert from 'uvu/assert'
import { Prng } from '../../src/core/prng.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { flag, mayHaveKey } from '../../src/events/kind.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { preservesOf } from '../../src/layers/preserve-state.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import * as ask from './asked.ts'
import { anyBackup, anyCommit } from './backup-chance.ts'
import { fenceByChance, fenceReports, ownerByChance } from './chance-fence.ts'
import * as say from './given.ts'
import { durable } from './given-fence.ts'
import type { History } from './history.ts'
import { reportsOf } from './history.ts'

/**
 * Blocks of the volumes 1 to 3, which make the pairs p and q, of 4 and 5, which make r, of 6, whose clone lives outside
 * (pair s), and of 7, which is in no pair and comes and goes. Views come after them.
 */
const sizes = [13, 13, 13, 8, 8, 9, 4]
/** Devices of some: 4 and 5 share one, 2 and 6 lie on the other, 7 on theirs. */
const layouts = [
  ...[{}, { devices: [1] }, {}, { devices: [1, 2], stripe: say.block }, { devices: [2] }],
  ...[{ devices: [1] }, { devices: [2] }],
]

export class Chance {
  readonly #random: Prng
  readonly #history: History
  #requests = 0
  #reported: NewEvent[] = []
  readonly #keyed: NewEvent[] = []

  constructor(seed: number, history: History) {
    this.#random = new Prng(seed)
    this.#history = history
  }

  /** Volumes, pairs, sessions and first content. */
  begin(): void {
    const { enter } = bound(this.#history)
    for (const name of ['d1', 'd2']) enter(say.device(name))
    for (const [k, blocks] of sizes.entries()) {
      const { kind, detail } = say.volume(`v${k + 1}`, blocks)
      enter({ kind, detail: { ...detail, ...layouts[k] } })
    }
    enter(say.session('one'))
    enter(say.session('two'))
    for (let k = 0; k < 4; k++) enter(this.#io())
    const extent = () => say.block * 2 ** this.#random.below(3)
    enter(say.pair('p', 1, 2, extent()))
    enter(say.pair('q', 1, 3, extent()))
    enter(say.pair('r', 4, 5, extent()))
    enter(ask.outsidePair('s', 6, 9, 2 ** this.#random.below(3)))
  }

  /** Enters what comes next. */
  step(): void {
    const { enter } = bound(this.#history)
    const dice = this.#random.below(100)
    if (dice < 52) enter(this.#io())
    else if (dice < 74) enter(this.#report())
    else if (dice < 86) enter(this.#mayHaveKey(this.#command()))
    else if (dice < 94) enter(fenceByChance(this.#random, this.#history))
    else if (dice < 97) enter(this.#session())
    else if (dice < 98) this.#restart()
    else enter(this.#nonsense())
  }

  /** Lets everything that runs come to its end. */
  settle(): void {
    const { enter } = bound(this.#history)
    for (const name of ['a', 'b', 'c']) enter(say.stop(name))
    for (const name of ['p', 'q', 'r', 's']) enter(ask.resume(name))
    say.copied(this.#history)
    durable(this.#history)
    say.copied(this.#history)
  }

  #below(limit: number): number {
    return this.#random.below(limit)
  }

  #io(): NewEvent {
    const request = ++this.#requests
    const sessions = [...this.#history.world.sessions.keys()]
    const session = sessions[this.#below(sessions.length)] ?? 1
    const views = this.#views()
    const onView = views.length > 0 && this.#below(3) === 0
    const plain = [1, 1, 1, 2, 3, 4, 4, 5, 6, 6, this.#last()]
    const volume = onView ? views[this.#below(views.length)]! : plain[this.#below(plain.length)]!
    const { size, block } = this.#history.world.volumes[volume - 1]!
    const blocks = size / block
    const at = this.#below(blocks)
    const count = 1 + this.#below(Math.min(blocks - at, this.#below(4) === 0 ? blocks : 3))
    const flags = this.#below(5) === 0 ? flag.meta : 0
    const place = { at, count, volume, session, flags }
    const dice = this.#below(20)
    if (dice < 8) return this.#part(say.write(request, place))
    if (dice < 10) return this.#part(say.zeroes(request, place))
    if (dice < 11) return this.#part(say.discard(request, place))
    if (dice < 12) return say.flush(request, place)
    const read = say.read(request, place)
    const bytes = count * say.block
    return dice < 14 ? { ...read, offset: read.offset! + 100, length: Math.max(1, bytes - 200) } : read
  }

  /** Now and then a change of part of its first and last block, or of the inside of one. */
  #part(change: NewEvent): NewEvent {
    if (this.#below(3) > 0) return change
    const offset = this.#below(say.block)
    const length = 1 + this.#below(change.length! - offset)
    return { ...change, offset: change.offset! + offset, length }
  }

  #report(): NewEvent {
    const running = reportsOf(this.#history.world, this.#below(6) === 0 ? 'E_IO' : 'ok')
    const awaited = fenceReports(this.#history.world)
    if (awaited.length > 0 && this.#below(2) === 0) return awaited[this.#below(awaited.length)]!
    if (running.length === 0) return this.#io()
    const report = running[this.#below(running.length)]!
    this.#reported.push(report)
    return report
  }

  /** The name of a pair that is being restored. */
  #restoring(): string | undefined {
    const { world } = this.#history
    const tags = [...restoresOf(world).byTag.keys()]
    return pairsOf(world).byTag.get(tags[this.#below(tags.length)] ?? 0)?.name
  }

  #views(): number[] {
    return [...preservesOf(this.#history.world).byView.keys()]
  }

  /** A view is created, dropped, merged, or gets a session. */
  #viewCommand(): NewEvent {
    const views = this.#views()
    const { world } = this.#history
    const view = views[this.#below(views.length)] ?? world.volumes.length
    const dice = this.#below(10)
    if (views.length === 0 || (dice < 3 && views.length < 4)) {
      return say.preserve(
        `w${world.volumes.length}`,
        [1, 1, 2, 3, 4, 5, 6, this.#last(), view][this.#below(9)]!,
      )
    }
    if (dice < 5) return say.drop(view)
    if (dice < 8) return say.merge(view)
    const from = preservesOf(world).byView.get(view)?.base ?? 1
    const sessions = [...world.sessions.keys()]
    return ask.rebind(view, { from, session: sessions[this.#below(sessions.length)] ?? 1 })
  }

  #command(): NewEvent {
    if (this.#below(4) === 0) return this.#viewCommand()
    const name = ['p', 'q', 'r', 's'][this.#below(4)]!
    const backup = ['a', 'b', 'c'][this.#below(3)]!
    switch (this.#below(22)) {
      case 0:
      case 1:
      case 12:
        return anyBackup(this.#random, backup, sizes, this.#views())
      case 2:
      case 3:
      case 4:
        return say.stop(backup)
      case 5:
        return say.deadline(1 + this.#below(6))
      case 13:
        return anyCommit(this.#random, this.#history.world.seq, sizes.length)
      case 6:
      case 7:
        return say.sync(name)
      case 8:
      case 9:
        return say.fracture(name)
      case 10:
        return ask.resume(name)
      case 15:
        return ask.pause(this.#restoring() ?? name)
      case 11:
        return ask.cancel(this.#restoring() ?? name, this.#below(3) > 0)
      case 14:
        return this.#change()
      case 21:
        return this.#pairing(name)
      case 20:
        return { ...say.restore(name), session: ownerByChance(this.#history.world) }
      default:
        return say.restore(name, this.#below(3) > 0)
    }
  }

  /** A pair is given up, or made again as at the beginning. */
  #pairing(name: string): NewEvent {
    const pairs = [...pairsOf(this.#history.world).byTag.values()]
    if (pairs.some((one) => one.name === name)) return ask.unpair(name)
    if (name === 's') return ask.outsidePair('s', 6, 9, 2)
    return say.pair(name, name === 'r' ? 4 : 1, { p: 2, q: 3, r: 5 }[name])
  }

  /** The command, now and then with a key that others have too; some come again as they were. */
  #mayHaveKey(command: NewEvent): NewEvent {
    if (!mayHaveKey(command.kind) || this.#below(4) > 0) return command
    const keyed = ask.keyed(command, `k${this.#below(12)}`)
    const again = this.#keyed[this.#below(8)] ?? keyed
    this.#keyed.push(keyed)
    return this.#below(2) === 0 ? again : keyed
  }

  /** The last volume that is no view: 7, or the one that came after it. */
  #last(): number {
    const views = this.#views()
    return this.#history.world.volumes.findLast(({ id, gone }) => !(gone || views.includes(id)))!.id
  }

  /** The last volume that is no view changes; the others do so only in vain. A new one may have its name again. */
  #change(): NewEvent {
    const { length } = this.#history.world.volumes
    const volume = this.#below(4) === 0 ? 1 + this.#below(length) : this.#last()
    const dice = this.#below(3)
    if (dice === 0) return ask.remove(volume)
    if (dice === 1) return ask.resize(volume, 1 + this.#below(6))
    return say.volume(this.#below(2) === 0 ? 'v7' : `v${length + 1}`, 4)
  }

  #session(): NewEvent {
    const sessions = [...this.#history.world.sessions.keys()]
    if (sessions.length < 2 || this.#below(2) === 0) return say.session('more')
    return this.#below(2) === 0 ? say.close(sessions[0]!) : ask.leave(sessions[0]!)
  }

  #restart(): void {
    if (this.#below(3) === 0) this.#history.enter({ kind: 'engine.stop' })
    const started = this.#history.world.seq + 1
    say.crash(this.#history)
    const old = reportsOf(this.#history.world).filter(({ about }) => about! < started)
    assert.equal(old, [], 'no copy of the process that is gone still runs')
    this.#history.enter(say.session('again'))
  }

  #nonsense(): NewEvent {
    const request = ++this.#requests
    switch (this.#below(10)) {
      case 8:
        return say.preserve('v1', this.#below(7))
      case 9:
        return this.#below(2) === 0 ? say.drop(this.#below(12)) : say.merge(this.#below(12))
      case 0:
        return say.write(request, { at: 12, count: 9 })
      case 1:
        return say.write(request, { volume: 99 })
      case 2:
        return say.read(request, { session: 99 })
      case 3:
        return { ...say.write(request), length: 0 }
      case 4: {
        const old = this.#reported[this.#below(this.#reported.length)]
        return old ?? { kind: 'copy.report', tag: 7, volume: 1, offset: 0, length: 4096, about: 1 }
      }
      case 5: {
        const report = reportsOf(this.#history.world)[0]
        const about = report?.about ?? 1
        const tag = 1 + this.#below(4)
        return {
          kind: 'copy.report',
          tag,
          volume: this.#below(7),
          offset: report?.offset ?? 0,
          length: 1,
          about,
        }
      }
      case 6:
        return say.pair('p', 1, this.#below(7))
      default:
        return say.close(99)
    }
  }
}

function bound(history: History): { enter: (input: NewEvent) => void } {
  return { enter: (input) => void history.enter(input) }
}
