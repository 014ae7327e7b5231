/** The room that background copies from outside have: by bytes while nobody writes, one at a time beside hosts. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CopyWindow } from '../../src/engine/copy-window.ts'
import { turn } from '../support/run.ts'

const test = suite('copy window')

const extent = 2 ** 16
const at = (k: number, length = extent) => ({ offset: k * extent, length })

/** A window whose copies end when they are told to, and writes that are counted. */
function opened() {
  const began: string[] = []
  const ends = new Map<string, () => void>()
  const host = { writes: 0 }
  const copy = (name: string) => () => {
    began.push(name)
    return new Promise<void>((resolve) => ends.set(name, resolve))
  }
  const end = async (name: string) => {
    ends.get(name)!()
    await turn()
  }
  return { window: new CopyWindow(() => host.writes), began, copy, end, host }
}

test('alone, as many go as their bytes allow, in order; one always does', async () => {
  const { window, began, copy, end } = opened()
  for (let k = 0; k < 6; k++) window.take(1, at(k), copy(`${k}`))
  assert.equal(began, ['0', '1', '2', '3'])
  await end('2')
  assert.equal(began, ['0', '1', '2', '3', '4'])
  const { window: wide, ...other } = opened()
  wide.take(1, at(0, 2 ** 22), other.copy('a'))
  wide.take(1, at(100, 512), other.copy('b'))
  assert.equal(other.began, ['a'])
  await other.end('a')
  assert.equal(other.began, ['a', 'b'])
})

test('beside hosts that write, one at a time', async () => {
  const { window, began, copy, end, host } = opened()
  for (let k = 0; k < 5; k++) {
    host.writes++
    window.take(1, at(k), copy(`${k}`))
  }
  assert.equal(began, ['0'])
  host.writes++
  await end('0')
  assert.equal(began, ['0', '1'])
  await end('1')
  assert.equal(began, ['0', '1', '2', '3', '4'], 'nobody wrote meanwhile')
})

test('what a host waits for goes at once, and before the rest', async () => {
  const { window, began, copy, end } = opened()
  window.demand(copy('needed'))
  for (let k = 0; k < 3; k++) window.take(1, at(k), copy(`${k}`))
  assert.equal(began, ['needed', '0'], 'the background stands still for nobody')
  window.hurry([2], at(2, 1))
  assert.is(began.length, 2, 'another pair')
  window.hurry([1], at(2, 1))
  assert.equal(began, ['needed', '0', '2'])
  await end('needed')
  await end('0')
  assert.equal(began, ['needed', '0', '2', '1'], 'one host still waits, and one goes beside it')
})

test('stopped, nothing begins any more', async () => {
  const { window, began, copy, end } = opened()
  window.demand(copy('needed'))
  for (let k = 0; k < 3; k++) window.take(1, at(k), copy(`${k}`))
  window.stop()
  await end('needed')
  await end('0')
  assert.equal(began, ['needed', '0'])
})

test.run()
