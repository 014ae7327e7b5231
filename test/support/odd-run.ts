/**
 * A time of odd changes: hosts ask for any bytes of two volumes that make a pair, of a third, and of views, while
 * backups, syncs, restores and merges come and go. What each write brought is kept. The same numbers are the same run.
 */

import { pairsOf } from '../../src/layers/pair-state.ts'
import { preservesOf } from '../../src/layers/preserve-state.ts'
import { blockBytes, type Run, startRun } from './run.ts'

const blocks = 12
const size = blocks * blockBytes
const extent = 2 * blockBytes

export class OddRun {
  readonly run: Run
  /** By the number of a request, the bytes it brought. */
  readonly sent = new Map<number, Uint8Array>()
  #requests = 0
  #views = 0

  constructor(run: Run) {
    this.run = run
  }

  /** Two volumes with content that differs, their pair, another volume, two sessions. */
  static async start(): Promise<OddRun> {
    const odd = new OddRun(await startRun({ readDigests: 'always' }))
    const { run } = odd
    for (const name of ['disk', 'clone', 'other']) await run.volume(name, blocks)
    for (const name of ['one', 'two']) await run.must('session.open', { name })
    for (const volume of [1, 2]) odd.#write(volume, 100, size - 300)
    await run.settled()
    await run.must('pair.create', { name: 'p', source: 1, clone: 2, extent })
    return odd
  }

  /** Does what a number says. */
  async act(number: number): Promise<void> {
    const { run } = this
    const rest = Math.floor(number / 32)
    switch (number % 32) {
      case 0:
        return this.#command('backup.start', { name: 'b', volumes: [1 + (rest % 3)], ...bounds })
      case 1:
      case 2:
        return this.#command('backup.stop', { name: 'b' })
      case 3:
        return this.#command('restore.start', { pair: 'p', protected: rest % 2 === 0 })
      case 4:
        return this.#command('pair.sync', { name: 'p' })
      case 5:
        if (pairsOf(run.engine.world).byTag.get(1)!.phase !== 'in-sync') return
        return this.#command('pair.fracture', { name: 'p' })
      case 6:
        if (preservesOf(run.engine.world).byView.size > 0) return
        return this.#command('preserve.create', { name: `w${++this.#views}`, base: rest % 3 === 0 ? 3 : 1 })
      case 7:
        return this.#command(rest % 2 === 0 ? 'preserve.merge' : 'preserve.drop', { view: this.#view() })
      case 8:
      case 9:
      case 10:
      case 11:
        await run.settled()
        return run.endCopy('ok', rest)
      case 12:
      case 13:
        return run.settled()
      default:
        return this.#io(number % 32, rest)
    }
  }

  #io(kind: number, rest: number): void {
    const volume = [1, 1, 1, 2, 3, this.#view(), this.#view(), this.#view()][rest % 8]!
    const offset = Math.floor(rest / 8) % (size - 1)
    const most = [40, 600, blockBytes, 3 * blockBytes, 5 * blockBytes][Math.floor(rest / 977) % 5]!
    const length = 1 + (Math.floor(rest / 13) % Math.min(most, size - offset))
    if (kind < 25) return this.#write(volume, offset, length)
    const session = 1 + (rest % 2)
    const asked = { session, volume, request: ++this.#requests, offset, length }
    const kinds = ['io.zeroes', 'io.zeroes', 'io.discard'] as const
    void this.run.ask({ ...asked, kind: kinds[kind - 25] ?? 'io.read' })
  }

  #write(volume: number, offset: number, length: number): void {
    const request = ++this.#requests
    const data = Uint8Array.from({ length }, (_, k) => 1 + ((request * 31 + k) % 255))
    this.sent.set(request, data.slice())
    void this.run.ask({ kind: 'io.write', session: 1 + (request % 2), volume, request, offset, data })
  }

  #command(kind: Parameters<Run['must']>[0], detail: Parameters<Run['must']>[1]): void {
    void this.run.ask({ kind, detail })
  }

  /** The view there is, else the third volume. */
  #view(): number {
    const [view] = preservesOf(this.run.engine.world).byView.keys()
    return view ?? 3
  }
}

const bounds = { deadlineMs: 1000, maxEntries: 0, maxBytes: 0 }
