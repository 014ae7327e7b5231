/**
 * Block histories against the naive way: fold everything, look at every block after every event. Histories by chance
 * with backups, clones, restores, views, fences, volumes that come and go.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type BlockStep, blockSteps } from '../../src/inspect/block-history.ts'
import { marks } from '../../src/inspect/touch.ts'
import { cancel } from '../support/asked.ts'
import { Chance } from '../support/chance.ts'
import { cloned, copied, copyEnds, read, restore, write, zeroes } from '../support/given.ts'
import { History } from '../support/history.ts'
import { Listener, most } from '../support/listener.ts'

const test = suite('block history')

/** Compares the steps of every block with what was seen; counts them by kind, returns how many were compared. */
function compare(listener: Listener, kinds: Map<string, number>): number {
  const { seen, roster } = listener
  let compared = 0
  const volumes = seen.at(-1)!.length
  for (let volume = 1; volume <= volumes; volume++) {
    for (let at = 0; at < most; at++) {
      const steps = blockSteps(roster, volume, listener.of(volume, at))
      compared += steps.length
      for (const { what, after } of steps) {
        for (const kind of [what, after.image]) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      }
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
  const histories = Number(process.env.BLOCKBOX_HISTORIES ?? 200)
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
      assert.ok(compare(listener, kinds) > 0)
    } catch (error) {
      ;(error as Error).message = `BLOCKBOX_SEED=${seed} BLOCKBOX_HISTORIES=1: ${(error as Error).message}`
      throw error
    }
  }
  if (histories < 200) return
  for (const what of [
    'changed',
    'copied',
    'shown',
    'based',
    'gone',
    'read',
    'own',
    'clone',
    'outside',
    'image-2',
    'base',
  ]) {
    assert.ok((kinds.get(what) ?? 0) > 0, `${what} came about`)
  }
})

test('a cancelled restore shows the old content again where nothing was copied', () => {
  const listener = new Listener()
  const history = new History(listener)
  const past = [...cloned, write(1, { at: 0 }), write(2, { at: 5 }), restore('p'), cancel('p')]
  for (const step of [...past, copyEnds(1, 1), copyEnds(1, 0, 'E_IO')]) {
    if (typeof step === 'function') step(history)
    else history.enter(step)
  }
  const told = blockSteps(listener.roster, 1, listener.of(1, 0))
  assert.equal(
    told.map(({ what, after }) => [what, after.place, after.image]),
    [
      ['changed', 1000, 'own'],
      ['shown', 0, 'clone'],
      ['reverted', 1000, 'own'],
    ],
  )
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
  assert.ok(listener.told.some(({ place }) => place === marks.copied))
})

test.run()
