/** What a backup covers: devices, ranges, clones that follow; physical ones; nesting of scopes; what is refused. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Code } from '../../src/events/code.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { flag } from '../../src/events/kind.ts'
import { devicesOf } from '../../src/layers/device.ts'
import { holdQueueOf } from '../../src/layers/hold-queue.ts'
import { commit } from '../support/asked.ts'
import {
  backup,
  block,
  blocks,
  cloned,
  copied,
  device,
  given,
  held,
  pair,
  passed,
  queued,
  refusal,
  released,
  restore,
  type Step,
  session,
  stop,
  sync,
  volume,
  volumeOn,
  write,
} from '../support/given.ts'
import type { History } from '../support/history.ts'

const test = suite('backup scope')

/** Devices 1 to 3; volume 1 on 1, 2 striped over 1 and 2, 3 on 3, 4 on none. */
const onDevices: readonly Step[] = [
  ...['d1', 'd2', 'd3'].map(device),
  ...[volumeOn('one', [1]), volumeOn('both', [1, 2], 4), volumeOn('three', [3]), volume('none')],
  session(),
]
const flagged = ({ world }: History) => [...holdQueueOf(world).flagged.keys()]
const answer = (history: History) => history.ledger.at(history.world.seq).code

test('devices are made once, by name', () => {
  given(device('d'))
    .then(device('d'), { kind: 'device.created', tag: 1 })
    .when(device('d'))
    .then(...refusal(device('d'), 'E_ALREADY'))
    .when(device('-'))
    .then(...refusal(device('-'), 'E_NAME'))
    .and(({ world }) => assert.equal(devicesOf(world).names, ['d']))
})

test('a volume lies on devices that are there, each once, in stripes of whole blocks when they are several', () => {
  const create = (detail: object): NewEvent => {
    const { kind, detail: usual } = volume('v')
    return { kind, detail: { ...usual, ...detail } }
  }
  const wrong: readonly [object, Code][] = [
    [{ devices: [3] }, 'E_NO_VOLUME'],
    [{ devices: [0] }, 'E_NO_VOLUME'],
    [{ devices: [1, 1], stripe: block }, 'E_NO_VOLUME'],
    [{ devices: [1, 2] }, 'E_SIZE'],
    [{ devices: [1, 2], stripe: 100 }, 'E_SIZE'],
    [{ devices: [1], stripe: block }, 'E_SIZE'],
    [{ stripe: block }, 'E_SIZE'],
  ]
  const now = given(device('d1'), device('d2'))
  for (const [detail, code] of wrong) now.when(create(detail)).then(...refusal(create(detail), code))
  const sound = create({ devices: [2, 1], stripe: 2 * block })
  now.when(sound).then(sound, { kind: 'volume.created', volume: 1 })
  now.and(({ world }) => {
    assert.equal(devicesOf(world).layouts.get(1), { devices: [2, 1], stripe: 2 * block })
  })
})

test('a backup of a device holds every volume with a part on it, and no other', () => {
  const covers: readonly [number[], number[]][] = [
    [[1], [1, 2]],
    [[2], [2]],
    [[3], [3]],
    [
      [2, 3],
      [2, 3],
    ],
  ]
  for (const [devices, volumes] of covers) {
    given(...onDevices, backup('b', [], { devices })).and((history) =>
      assert.equal(flagged(history), volumes),
    )
  }
})

test('no volume comes to lie on a device while a backup of it runs', () => {
  const late = volumeOn('late', [1])
  given(...onDevices, backup('b', [], { devices: [1] }))
    .when(late)
    .then(...refusal(late, 'E_BUSY_HOLD'))
    .when(stop('b'), late)
    .then(late, { kind: 'volume.created', volume: 5 })
})

test('a clone in sync on the device brings its source with it: a write to that is one to the clone', () => {
  const past = [...onDevices, pair('p', 4, 3), sync('p'), copied]
  for (const mode of ['logical', 'physical']) {
    const now = given(...past, backup('b', [], { devices: [3], mode }))
    now.and((history) => assert.equal(flagged(history), [3, 4]))
    now.when(write(1, { volume: 4 })).then(held(write(1, { volume: 4 })))
    now.and((history) => assert.is(history.place(3, 0), 0))
    now.when(stop('b')).and((history) => assert.is(history.place(3, 0), 1000))
  }
  const named = backup('b', [3])
  given(...past)
    .when(named)
    .then(...refusal(named, 'E_BUSY_SYNC'))
})

test('while a clone is being made no backup of its device starts', () => {
  const asked = backup('b', [], { devices: [3] })
  given(...onDevices, write(1, { volume: 4, count: 16 }), pair('p', 4, 3), sync('p'))
    .when(asked)
    .then(...refusal(asked, 'E_BUSY_SYNC'))
})

test('a physical backup: no copier may begin to write its volumes', () => {
  const physical = (of: number) => backup('b', [of], { mode: 'physical' })
  given(...cloned, write(1, { count: 16 }), physical(2))
    .when(sync('p'))
    .then(...refusal(sync('p'), 'E_BUSY_HOLD'))
  given(...cloned, write(1, { count: 16 }), physical(1))
    .when(restore('p'))
    .then(...refusal(restore('p'), 'E_BUSY_HOLD'))
  given(...cloned, write(1, { count: 16 }), restore('p'))
    .when(physical(1))
    .then(...refusal(physical(1), 'E_BUSY_RESTORE'))
    .when(physical(2))
    .and(flagged)
    .when(copied)
    .and((history) => assert.is(history.ledger.at(history.world.seq).kind, 'restore.completed'))
})

test('a restore on one volume and a hold on another do not notice each other', () => {
  const past = [...cloned, volume('third'), write(1, { count: 16 }), restore('p'), backup('b', [3])]
  const partly = write(2, { at: 5 })
  given(...past, write(3, { volume: 3 }))
    .when(partly)
    .and((history) => {
      const event = history.ledger.from(1).find(({ request }) => request === 2)
      assert.is(event?.fate, queued(partly).fate)
    })
    .when(copied)
    .and((history) => {
      assert.is(history.place(1, 5), 2000)
      assert.equal([history.place(3, 0), holdQueueOf(history.world).flagged.get(3)?.writes.length], [0, 1])
    })
})

test('nested scopes: held is what any of them asks for, released when the last one ends', () => {
  const ranges = blocks(1, 8, 8)
  const now = given(...onDevices, backup('m', [1], { scope: 'metadata' }))
  now.when(backup('r', [], { scope: 'blocks', ranges }))
  const meta = write(1, { at: 0, flags: flag.meta })
  now.when(meta).then(held(meta))
  now.when(write(2, { at: 8 })).then(held(write(2, { at: 8 })))
  now.when(write(3, { at: 2 })).then(passed(write(3, { at: 2 })))
  now.when(stop('r')).and((history) => assert.is(history.place(1, 8), 0))
  now.when(write(4, { at: 9 })).then(passed(write(4, { at: 9 })))
  now.when(write(5, { at: 8 })).then(held(write(5, { at: 8 })))
  now
    .when(stop('m'))
    .then(
      stop('m'),
      { kind: 'backup.stopping', tag: 1 },
      ...[meta, write(2, { at: 8 }), write(5, { at: 8 })].map((one) => released(one)),
      { kind: 'backup.flag_cleared', volume: 1 },
      { kind: 'backup.stopped', tag: 1 },
    )
})

test('a range that begins or ends within a block counts as the whole block', () => {
  const now = given(...onDevices, backup('b', [], { scope: 'blocks', ranges: [1, 2 * block + 100, 10] }))
  now.when(write(1, { at: 2 })).then(held(write(1, { at: 2 })))
  now.when(write(2, { at: 3 })).then(passed(write(2, { at: 3 })))
})

test('terms that make no sense are refused', () => {
  const wrong: readonly [NewEvent, Code][] = [
    [backup('b', [], { devices: [4] }), 'E_NO_VOLUME'],
    [backup('b', [], { devices: [1, 1] }), 'E_NO_VOLUME'],
    [backup('b', [], { ranges: blocks(9, 0) }), 'E_NO_VOLUME'],
    [backup('b', [], { ranges: blocks(1, 16) }), 'E_RANGE'],
    [backup('b', [], { ranges: blocks(1, 0, 0) }), 'E_RANGE'],
    [backup('b', [1], { layout: [1, 0] }), 'E_RANGE'],
    [backup('b', [1], { layout: blocks(9, 0) }), 'E_NO_VOLUME'],
    [backup('b', [1], { mode: 'x' }), 'E_UNSUPPORTED'],
    [backup('b', [1], { scope: 'x' }), 'E_UNSUPPORTED'],
    [backup('b', [1], { policy: 'x' }), 'E_UNSUPPORTED'],
    [backup('b', [1], { crash: '' }), 'E_UNSUPPORTED'],
  ]
  for (const [asked, code] of wrong) given(...onDevices, asked).then(...refusal(asked, code))
  given(device('empty'), backup('b', [], { devices: [1] })).and((history) =>
    assert.is(answer(history), 'E_NO_VOLUME'),
  )
})

test('metadata is committed forward, up to what is on record, on a volume that is there', () => {
  const now = given(...onDevices, write(1), commit(1))
  for (const [asked, code] of [
    [commit(1), 'E_RANGE'],
    [commit(0), 'E_RANGE'],
    [commit(1000), 'E_RANGE'],
    [commit(1, 9), 'E_NO_VOLUME'],
  ] as const) {
    now.when(asked).then(...refusal(asked, code))
  }
  now.when(commit(2)).then(commit(2), { kind: 'fsmeta.committed', volume: 1, detail: { n: 2 } })
})

test.run()
