/**
 * Stories in which every kind of event happens: scripted runs, one system after the other, that the crash table cuts.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Code } from '../../src/events/code.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { tapOf } from '../../src/layers/tap-state.ts'
import { cancel, leave, pause, rebind, remove, resize, resume } from '../support/asked.ts'
import { branch, branchesEnd, branchOf } from '../support/branching.ts'
import * as say from '../support/given.ts'
import { asks, ends, fails, fence, moverFails, raise, reports, update } from '../support/given-fence.ts'
import { attach, detach } from '../support/given-tap.ts'
import { type Act, copies, copyEnds, copyFails, crashes, passes } from '../support/stage.ts'

export interface Story {
  readonly name: string
  readonly acts: readonly Act[]
  /** The clone of its pair lives outside: what it holds is known by its bytes alone. */
  readonly outside?: boolean
}

const { backup, block, close, discard, drop, flush, fracture, merge } = say
const { pair, preserve, read, restore, session, stop, sync, volume, write, zeroes } = say

const run = (kind: 'run.begin' | 'run.end'): NewEvent =>
  kind === 'run.end'
    ? { kind, detail: { scenario: 's' } }
    : { kind, detail: { scenario: 's', digest: 'd', seed: 1 } }
const two: readonly Act[] = [volume('disk'), volume('other'), session(), write(1, { count: 16 })]
/** A command with a key, which is asked again by who never saw the answer. */
const keyed: Act = (stage) =>
  stage.run
    .ask({ kind: 'volume.create', key: 'once', detail: { name: 'kept', size: 4 * block, block } })
    .then(() => undefined)
const hosts: readonly Act[] = [
  ...[run('run.begin'), say.device('ssd'), say.volumeOn('striped', [1]), ...two.slice(0, 3)],
  ...[write(1, { count: 3 }), zeroes(2, { at: 1 }), discard(3, { at: 2 }), read(4), flush(5)],
  { kind: 'mark', session: 1, volume: 1, detail: { label: 'here' } },
  ...[resize(2, 20), resize(2, 8), remove(3), read(6, { volume: 9 }), pair('p', 1, 9)],
  ...[keyed, keyed, close(), run('run.end'), { kind: 'engine.stop' } as const],
]

const backups: readonly Act[] = [
  ...[...two, backup('b', [1, 2]), write(2), write(3, { at: 1 }), write(4, { volume: 2 }), read(5)],
  ...[backup('c', [1]), stop('b'), write(6, { at: 2 }), stop('c')],
  (stage) => stage.run.ask({ kind: 'fsmeta.commit', volume: 1, detail: { n: 4 } }).then(() => undefined),
  ...[backup('d', [1], { deadlineMs: 50 }), write(7), passes(50)],
  ...[backup('e', [1], { policy: 'error-writes', maxEntries: 1 }), write(8), write(9), stop('e')],
  ...[backup('f', [1], { maxEntries: 1 }), write(10), write(11)],
  ...[session('two'), backup('g'), write(12, { session: 2 }), write(13), close(2), stop('g')],
  ...[backup('h', [1], { crash: 'requeue' }), write(14), crashes, session(), stop('h')],
]

/** Pair p is synced and fractured; extents 0 to 3 differ. */
const cloned: readonly Act[] = [...two, pair('p'), sync('p'), copies, fracture('p'), write(2, { count: 16 })]
const pairs: readonly Act[] = [
  ...[...two, pair('p'), sync('p'), write(2, { at: 1 }), read(3), copyFails, write(4, { at: 5 }), copies],
  ...[write(5, { at: 6 }), fracture('p'), write(6, { at: 7 }), write(7, { volume: 2, at: 9 })],
  ...[sync('p'), session('two'), write(8, { at: 5, session: 2 }), close(2), fracture('p')],
  ...[{ kind: 'pair.delete', detail: { name: 'p' } } as const, write(9, { at: 1 }), pair('p')],
]
const restores: readonly Act[] = [
  ...[...cloned, restore('p'), read(3), write(4, { at: 4, count: 4 }), write(5, { at: 9 }), copyFails],
  ...[pause('p'), copyEnds, resume('p'), copies],
  ...[write(6, { count: 16 }), restore('p'), copyFails, copyFails, copyFails, copyFails, resume('p')],
  ...[copyEnds, cancel('p'), copies, write(7, { at: 2 }), restore('p', false), write(8, { at: 3 })],
  ...[write(9, { at: 12, count: 4 }), copies, write(10, { at: 8 })],
]
const restoreCrashes: readonly Act[] = [
  ...[...cloned, restore('p'), write(3, { at: 1 }), read(4, { at: 5 }), copyEnds, crashes],
  ...[session(), { ...write(5, { at: 9 }), session: 2 }, crashes, copyEnds, crashes, copies],
  ...[session(), { ...read(6, { at: 8, count: 8 }), session: 3 }],
]

const views: readonly Act[] = [
  ...[...two, preserve('view'), write(2, { volume: 3, at: 1 }), write(3, { at: 1 }), read(4, { volume: 3 })],
  ...[write(5, { volume: 3, at: 3, count: 2 }), zeroes(6, { volume: 3, at: 8 }), backup('b'), write(7)],
  ...[rebind(3), write(8, { at: 10 }), stop('b'), crashes, session(), merge(3), preserve('again')],
  ...[{ ...write(9, { volume: 4 }), session: 2 }, drop(4), crashes],
]
const merges: readonly Act[] = [
  ...[...cloned, preserve('view'), write(3, { volume: 3, count: 2 }), write(4, { volume: 3, at: 9 })],
  ...[sync('p'), merge(3), copyEnds, copies],
]

const branches: readonly Act[] = [
  ...[...two, write(2, { at: 1, count: 2 }), write(3, { at: 9 }), zeroes(4, { at: 12 }), branchOf('past', 2)],
  ...[write(5, { volume: 3, at: 1 }), write(6), branchOf('then', 1, { from: 3 })],
  ...[branch('never', 1), branchesEnd, preserve('view'), write(7, { volume: 6, at: 4 })],
  ...[branchOf('seen', 0, { from: 6 }), crashes, remove(3)],
]

const fenced: readonly Act[] = [volume('disk'), session('owner'), session('other'), write(1, { count: 16 })]
const other = { session: 2 }
const fences: readonly Act[] = [
  ...[...fenced, raise(), write(2, other), update(0, 500), fence('operate'), write(3, { at: 3 })],
  ...[fence('finish'), fence('lower'), raise({ name: 'g' }), fence('abort', 1, 'g')],
  ...[
    raise({ name: 'h', advisory: true }),
    write(4, { ...other, at: 5 }),
    close(1),
    fence('takeover', 2, 'h'),
  ],
  ...[fence('operate', 2, 'h'), write(5, { ...other, at: 2 }), fails('E_IO', 2, 'h')],
  ...[fence('abort', 2, 'h'), fence('force', 2, 'h'), write(6, other)],
]
const movers: readonly Act[] = [
  ...[...fenced, raise(), asks(), reports(0, 4, 50_000), moverFails(), asks(), crashes, session('owner')],
  ...[
    fence('takeover', 3),
    asks(3),
    reports(4, 12, 60_000),
    reports(0, 4, 50_000),
    ends(),
    fence('lower', 3),
  ],
  ...[raise({ name: 'f', session: 3, metaFirst: true }), asks(3), reportsOfTwo(0, 2, 70_000)],
  ...[reportsOfTwo(8, 1, 80_000), reportsOfTwo(2, 6, 90_000), reportsOfTwo(9, 7, 95_000)],
  ...[{ ...ends(2) }, fence('lower', 3)],
]

function reportsOfTwo(at: number, count: number, place: number): NewEvent {
  return reports(at, count, place, 2)
}

/** The far server answers the oldest request that waits for it; a read gets bytes. */
const answered = (code: Code = 'ok'): Act => {
  return async (stage) => {
    const [request] = tapOf(stage.run.engine.world, 1)!.waiting.values()
    const { io, op, length } = request!
    const data = op === 'read' && code === 'ok' ? { data: new Uint8Array(length).fill(io) } : {}
    void stage.run.ask({ kind: 'tap.report', volume: 1, about: io, code, ...data })
  }
}
const taps: readonly Act[] = [
  ...[
    ...two.slice(0, 3),
    attach(),
    write(1),
    read(2, { at: 5 }),
    flush(3),
    answered(),
    answered(),
    answered(),
  ],
  ...[write(4, { at: 3 }), answered('E_IO'), zeroes(5, { at: 1 }), detach(), crashes],
]

/** All stories. `home` is a folder for the clone that lives outside. */
export function stories(home: string): readonly Story[] {
  mkdirSync(home)
  const path = join(home, 'clone.raw')
  const size = 16 * block
  writeFileSync(
    path,
    Uint8Array.from({ length: size }, (_, k) => Math.floor(k / 512) % 250),
  )
  const detail = { name: 'p', source: 1, clone: 0, extent: 4 * block, path, size }
  const wait: Act = async (stage) => {
    for (let k = 0; k < 200 && stage.run.copies.length === 0; k++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      await stage.settled()
    }
  }
  const outside: readonly Act[] = [
    ...[...two, { kind: 'pair.create', detail } as const, restore('p'), wait, write(2, { at: 5 })],
    ...[copyEnds, wait, read(3, { at: 12 }), crashes, wait, copies],
  ]
  return [
    { name: 'hosts', acts: hosts },
    { name: 'backups', acts: backups },
    { name: 'pairs', acts: pairs },
    { name: 'restores', acts: restores },
    { name: 'restores that crash', acts: restoreCrashes },
    { name: 'views', acts: views },
    { name: 'merges', acts: merges },
    { name: 'branches', acts: branches },
    { name: 'fences', acts: fences },
    { name: 'movers', acts: movers },
    { name: 'taps', acts: taps },
    { name: 'a session that leaves', acts: [...two, backup('b'), write(2), leave(), stop('b')] },
    { name: 'a clone outside', acts: outside, outside: true },
  ]
}
