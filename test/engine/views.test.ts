/**
 * Views: after each durable frame they show what a separate fold of the journal makes of it, once for each change; who
 * comes late sees the present first, and nobody sees what is not durable yet.
 */

import { Subject } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Glance, type Views, views } from '../../src/engine/views.ts'
import { Columns } from '../../src/events/columns.ts'
import type { Frame } from '../../src/journal/frame.ts'
import type { World } from '../../src/layers/layer.ts'
import { foldFrame } from '../../src/volume/snapshot.ts'
import { newWorld } from '../../src/volume.ts'
import { act, prepare, restoring } from '../support/busy.ts'
import { type Run, startRun, turn } from '../support/run.ts'
import { framesOf, hooked, memoryStore } from '../support/store.ts'

const test = suite('views')

/** Every view there is of three volumes and two pairs. */
function everyView(of: Views): Record<string, () => ReturnType<Views['inFlight$'] | Views['deltaMap$']>> {
  const all: Record<string, () => never> = {}
  const put = (name: string, open: () => unknown) => Object.assign(all, { [name]: open })
  for (const volume of [1, 2, 3]) {
    put(`blockMap ${volume}`, () => of.blockMap$(volume))
    put(`holdQueue ${volume}`, () => of.holdQueue$(volume))
  }
  for (const pair of [1, 2]) {
    put(`deltaMap ${pair}`, () => of.deltaMap$(pair))
    put(`copyOnDemandMap ${pair}`, () => of.copyOnDemandMap$(pair))
    put(`protectedMap ${pair}`, () => of.protectedMap$(pair))
    put(`copyQueue ${pair}`, () => of.copyQueue$(pair))
  }
  put('inFlight', () => of.inFlight$())
  return all
}

/** What a glance says but for the maps that are lent. */
function plain(glance: Glance): Record<string, unknown> {
  const { map: _, bits: __, ...rest } = glance as Glance & { map?: unknown; bits?: unknown }
  return rest
}

/** Everything a view shows. */
function watch(open: () => { subscribe(observer: object): unknown }) {
  const seen: Record<string, unknown>[] = []
  const ends: string[] = []
  open().subscribe({
    next: (glance: Glance) => seen.push(plain(glance)),
    error: () => ends.push('error'),
    complete: () => ends.push('complete'),
  })
  return { seen, ends }
}

/** The views of a world that is folded apart from any engine, frame by frame. */
function foldedViews(frames: readonly Frame[]): Record<string, Record<string, unknown>[]> {
  const world: World = newWorld()
  const columns = new Columns()
  let seq = 0
  const sealed$ = new Subject<number>()
  const frames$ = new Subject<Frame>()
  const engine = { world, durableSeq: undefined, sealedSeq: undefined, sealed$, frames$ }
  const all = everyView(views(engine as unknown as Run['engine']))
  const shown = Object.entries(all).map(([name, open]) => [name, watch(open as never).seen] as const)
  for (const frame of frames) {
    foldFrame(world, frame.open(columns))
    seq = frame.last
    sealed$.next(seq)
    frames$.next(frame)
  }
  assert.is(world.seq, seq)
  return Object.fromEntries(shown)
}

test('after every frame each view shows what a separate fold makes of it', async () => {
  const run = await startRun()
  const all = everyView(views(run.engine))
  const watched = Object.entries(all).map(([name, open]) => [name, watch(open as never)] as const)
  const begun = run.opened.journal.bounds().last
  await prepare(run)
  for (const volume of [1, 2, 3]) {
    await run.must('backup.start', {
      name: 'b',
      volumes: [volume],
      deadlineMs: 0,
      maxEntries: 0,
      maxBytes: 0,
    })
    run.post('io.write', { volume, at: 7 })
    await run.settled()
    await run.must('backup.stop', { name: 'b' })
  }
  await restoring(run)
  while (run.copies.length > 0) {
    run.endCopy()
    await run.settled()
  }
  await run.must('restore.start', { pair: 'q', protected: true })
  run.post('io.write', { at: 8 })
  await run.settled()
  for (let k = 0; k < 150; k++) await act(run, (k * 104_729) % 99_991)
  await run.settled()
  const folded = foldedViews(await framesOf(run.opened.store))
  for (const [name, { seen }] of watched) {
    const later = (glances: typeof seen) => glances.filter(({ seq }) => (seq as number) > begun)
    const live = later(seen)
    assert.equal(live, later(folded[name]!), name)
    assert.ok(new Set(live.map(({ hash }) => hash)).size > 1, `${name} never changed`)
    for (const [k, { hash }] of live.entries()) assert.is.not(hash, live[k - 1]?.hash, name)
  }
  await run.engine.close()
  for (const [, { ends }] of watched) assert.equal(ends, ['complete'])
})

test('who comes late sees the present first, then what changes', async () => {
  const run = await startRun()
  await prepare(run)
  await run.io('io.read')
  const { last } = run.opened.journal.bounds()
  const { seen } = watch(() => views(run.engine).blockMap$(1))
  assert.equal([seen.length, seen[0]!.seq, seen[0]!.mapped], [1, last, 4])
  await run.io('io.write', { at: 2 })
  assert.equal([seen.length, seen[1]!.mapped], [2, 5])
  await run.io('io.flush')
  await run.must('session.open', { name: 'other' })
  assert.is(seen.length, 2)
})

test('a volume or a pair that is not there yet is shown when it is', async () => {
  const run = await startRun()
  const of = views(run.engine)
  const volume = watch(() => of.blockMap$(1))
  const pair = watch(() => of.deltaMap$(1))
  assert.equal([volume.seen, pair.seen], [[], []])
  await prepare(run)
  assert.is(volume.seen[0]!.mapped, 0)
  assert.is(pair.seen[0]!.count, 4)
})

test('nobody sees what is not durable yet, and all learn of the end', async () => {
  let open: () => void = () => undefined
  let closed = false
  let failure: Error | undefined
  const store = hooked(memoryStore(), async () => {
    if (closed) await new Promise<void>((resolve) => (open = resolve))
    if (failure !== undefined) throw failure
  })
  const run = await startRun({ on: { store } })
  await prepare(run)
  const early = watch(() => views(run.engine).blockMap$(1))
  closed = true
  run.post('io.write', { at: 2 })
  await turn()
  const late = watch(() => views(run.engine).blockMap$(1))
  assert.equal([early.seen.length, late.seen.length], [1, 0])
  closed = false
  open()
  await turn()
  assert.equal([early.seen.at(-1), late.seen], [late.seen[0], [late.seen[0]]])
  assert.is(late.seen[0]!.mapped, 5)
  failure = new Error('no medium')
  run.post('io.write', { at: 3 })
  await turn()
  await turn()
  assert.equal([early.ends, late.ends, late.seen.length], [['error'], ['error'], 1])
})

test.run()
