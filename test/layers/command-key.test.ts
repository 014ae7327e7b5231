/** Idempotency keys: a command that comes twice is done once, and its answer is the first one's. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NewEvent } from '../../src/events/columns.ts'
import { commandKeysOf, maxKeys } from '../../src/layers/command-key.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { loadWorld, saveWorld, stateHashText } from '../../src/volume/snapshot.ts'
import { keyed, rebind } from '../support/asked.ts'
import {
  backup,
  crash,
  given,
  pair,
  preserve,
  refusal,
  restore,
  type Step,
  session,
  stop,
  volume,
} from '../support/given.ts'
import type { History } from '../support/history.ts'

const test = suite('command key')

const base: readonly Step[] = [volume('disk'), volume('clone'), session()]
const marked = (label: string): NewEvent => ({ kind: 'mark', volume: 1, detail: { label } })
const keys = ({ world }: History) => [...commandKeysOf(world).byKey.keys()]

test('a command with a key is done once, and what it made is told again', () => {
  const asked = keyed(pair('p'), 'k1')
  let before = ''
  given(...base, asked)
    .and(({ world, ledger }) => {
      const { kind, about, detail } = ledger.from(world.seq)[0]!
      assert.equal([kind, about, detail?.made], ['command.keyed', 4 + 3, 1])
      before = stateHashText(world)
    })
    .when(asked)
    .then(asked, { kind: 'command.repeated', about: 7, detail: { key: 'k1', made: 1 } })
    .and(({ world }) => {
      assert.is(pairsOf(world).byTag.size, 1)
      assert.is(stateHashText(world), before)
    })
})

test('the key of one command is refused to another, and to the same with other arguments', () => {
  const same = keyed(backup('b', [1]), 'k')
  const others = [keyed(backup('b', [2]), 'k'), keyed(backup('c', [1]), 'k'), keyed(stop('b'), 'k')]
  for (const other of others) {
    given(...base, same)
      .when(other)
      .then(...refusal(other, 'E_KEY_USED'))
      .and((history) => assert.equal(keys(history), ['k']))
  }
})

test('who asks is no argument, but a session that a command is about is one', () => {
  const from = (session: number) => ({ ...keyed(backup('b', [1]), 'k'), session })
  given(...base, session('two'), from(1))
    .when(from(2))
    .and(({ ledger, world }) => assert.is(ledger.from(world.seq)[0]!.kind, 'command.repeated'))
  const sent = (session: number) => keyed(rebind(3, { session }), 'k')
  given(...base, session('two'), preserve('view'), sent(1))
    .when(sent(2))
    .then(...refusal(sent(2), 'E_KEY_USED'))
})

test('a refused command did nothing, so its key is free', () => {
  const early = keyed(restore('p'), 'k')
  given(...base)
    .when(early)
    .then(...refusal(early, 'E_NO_PAIR'))
    .and((history) => assert.equal(keys(history), []))
    .when(pair('p'), early)
    .and((history) => assert.equal(keys(history), ['k']))
})

test('a command that has no outcome keeps its key too', () => {
  const asked = keyed(marked('here'), 'k')
  given(...base, asked)
    .and((history) => assert.equal(keys(history), ['k']))
    .when(asked)
    .then(asked, { kind: 'command.repeated', about: 7, detail: { key: 'k', made: 0 } })
})

test('keys outlive a restart and a checkpoint, and a state without any hashes as it always did', () => {
  const asked = keyed(marked('here'), 'k')
  given(...base, asked, crash)
    .when(asked)
    .and(({ ledger, world }) => {
      assert.is(ledger.from(world.seq)[0]!.kind, 'command.repeated')
      const again = loadWorld(saveWorld(world))
      assert.is(stateHashText(again), stateHashText(world))
      assert.equal([...commandKeysOf(again).byKey], [...commandKeysOf(world).byKey])
    })
  given(...base).and(({ world }) => {
    const { plain, ...rest } = saveWorld(world)
    const layers = (plain as { layers: [string, unknown][] }).layers.filter(
      ([name]) => name !== 'command-key',
    )
    const older = loadWorld({ ...rest, plain: { ...(plain as object), layers } })
    assert.is(stateHashText(older), stateHashText(world))
  })
})

test('the newest 1024 keys are remembered; the oldest goes first', () => {
  const many = Array.from({ length: maxKeys + 2 }, (_, k) => keyed(marked('m'), `k${k}`))
  given(...base, ...many).and((history) => {
    assert.is(keys(history).length, maxKeys)
    assert.equal([keys(history)[0], keys(history).at(-1)], ['k2', `k${maxKeys + 1}`])
    assert.is(stateHashText(loadWorld(saveWorld(history.world))), stateHashText(history.world))
  })
  given(...base, ...many)
    .when(many[0]!)
    .and(({ ledger, world }) => assert.is(ledger.from(world.seq)[0]!.kind, 'command.keyed'))
})

test.run()
