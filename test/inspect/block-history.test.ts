/**
 * Block histories against the naive way: fold everything, look at every block after every event. Histories by chance
 * with backups, clones, restores, views, fences, volumes that come and go.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Check } from '../../src/check/check.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import {
  type BlockStep,
  type BlockTouch,
  blockSteps,
  relatedVolumes,
} from '../../src/inspect/block-history.ts'
import { entryOf, Roster } from '../../src/inspect/roster.ts'
import { marks, Touches } from '../../src/inspect/touch.ts'
import type { World } from '../../src/layers/layer.ts'
import { contentRuns } from '../../src/volume/content.ts'
import { Chance } from '../support/chance.ts'
import { block, cloned, copied, read, restore, write, zeroes } from '../support/given.ts'
import { History } from '../support/history.ts'

const test = suite('block history')

interface Told extends BlockTouch {
  readonly first: number
  readonly count: number
}

/** Listens to a history as an index does. */
class Listener implements Check {
  readonly rules = []
  readonly roster = new Roster()
  readonly told: Told[] = []
  /** After each event, what readers of each block of each volume get: a place, or undefined where nobody knows. */
  readonly seen: (readonly (number | undefined)[])[][] = [[]]
  /** How many blocks each volume had last. */
  readonly blocks: number[] = []
  readonly #touches = new Touches((seq, volume, first, count, place) => {
    this.told.push({ seq, volume, first, count, place })
  })

  before: NonNullable<Check['before']> = (event, world) => this.#touches.before(event, world)

  after: NonNullable<Check['after']> = (event, world) => {
    this.#touches.after(event, world)
    const entry = entryOf(event, world)
    if (entry !== undefined) this.roster.add(entry)
    for (const { id, size, block, gone } of world.volumes)
      if (gone !== true) this.blocks[id - 1] = size / block
    this.seen.push(world.volumes.map(({ id }) => looked(world, id)))
  }

  /** The touches of one block, as an index finds them. */
  of(volume: number, at: number): BlockTouch[] {
    const wanted = relatedVolumes(this.roster, volume)
    return this.told.flatMap(({ seq, volume: id, first, count, place }) => {
      if (!wanted.includes(id) || at < first || at >= first + count) return []
      return [{ seq, volume: id, place: place > 0 ? place + (at - first) * 8 : place }]
    })
  }
}

/** No volume is larger. */
const most = 16

/** Every block of a volume as a reader finds it now, zeros beyond its end; nothing of a volume that is gone. */
function looked(world: World, id: number): (number | undefined)[] {
  const volume = world.volumes[id - 1]!
  if (volume.gone === true) return []
  return Array.from({ length: most }, (_, at) => {
    if (at >= volume.size / volume.block) return 0
    try {
      return contentRuns(world, volume, at, 1)[0]!.place
    } catch (error) {
      if (error instanceof BlockboxError) return undefined
      throw error
    }
  })
}

/** Compares the steps of every block with what was seen; returns how many steps were compared. */
function compare(listener: Listener): number {
  const { seen, roster } = listener
  let compared = 0
  const volumes = seen.at(-1)!.length
  for (let volume = 1; volume <= volumes; volume++) {
    for (let at = 0; at < most; at++) {
      const steps = blockSteps(roster, volume, listener.of(volume, at))
      compared += steps.length
      let next = 0
      for (let seq = 1; seq < seen.length; seq++) {
        const was = seen[seq - 1]![volume - 1]?.[at]
        const is = seen[seq]![volume - 1]?.[at]
        const step: BlockStep | undefined = steps[next]?.seq === seq ? steps[next++] : undefined
        const born = seen[seq - 1]![volume - 1]?.[at] === undefined
        const where = `block ${at} of volume ${volume} at event ${seq}`
        if (step === undefined) {
          const beyond = is === undefined && at >= listener.blocks[volume - 1]!
          if (!born && !beyond && is !== was)
            assert.unreachable(`${where} changed from ${was} to ${is} without a step`)
          continue
        }
        assert.is(step.after.place, is, `${where}, after ${step.what}`)
        if (!born) assert.is(step.before.place, was, `${where}, before ${step.what}`)
      }
      assert.is(next, steps.length)
    }
  }
  return compared
}

test('by chance: every change of every block, and nothing else', () => {
  const histories = Number(process.env.BLOCKBOX_HISTORIES ?? 300)
  const firstSeed = Number(process.env.BLOCKBOX_SEED ?? 1)
  const kinds = new Map<string, number>()
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    const listener = new Listener()
    const history = new History(listener)
    const chance = new Chance(seed, history)
    chance.begin()
    for (let step = 0; step < 60; step++) chance.step()
    chance.settle()
    history.end()
    try {
      assert.ok(compare(listener) > 0)
    } catch (error) {
      ;(error as Error).message = `BLOCKBOX_SEED=${seed} BLOCKBOX_HISTORIES=1: ${(error as Error).message}`
      throw error
    }
    for (let at = 0; at < 13; at++) {
      for (const { what, after } of blockSteps(listener.roster, 1, listener.of(1, at))) {
        kinds.set(what, (kinds.get(what) ?? 0) + 1)
        kinds.set(after.image, (kinds.get(after.image) ?? 0) + 1)
      }
    }
  }
  if (histories < 100) return
  for (const what of ['changed', 'copied', 'shown', 'reverted', 'read', 'own', 'clone']) {
    assert.ok((kinds.get(what) ?? 0) > 0, `${what} came about`)
  }
})

test('a restore is told as readers see it: shown at once, copied later, written over', () => {
  const listener = new Listener()
  const history = new History(listener)
  for (const step of [
    ...cloned,
    write(1, { at: 0 }),
    write(2, { at: 5 }),
    restore('p'),
    copied,
    zeroes(3, { at: 0 }),
    read(4, { at: 0 }),
  ]) {
    if (typeof step === 'function') step(history)
    else history.enter(step)
  }
  const steps = blockSteps(listener.roster, 1, listener.of(1, 0))
  assert.equal(
    steps.map(({ what, before, after }) => [what, before.place, after.place, after.image]),
    [
      ['changed', 0, 1000, 'own'],
      ['shown', 1000, 0, 'clone'],
      ['copied', 0, 0, 'own'],
      ['changed', 0, 0, 'own'],
      ['read', 0, 0, 'own'],
    ],
  )
  assert.is(block, 4096)
  assert.ok(listener.told.some(({ place }) => place === marks.copied))
})

test.run()
