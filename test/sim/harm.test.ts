/** What opening must say of a disk that broke a promise: a wrong reason is a finding, and silence too. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { numberOf, tables } from '../../src/journal/keys.ts'
import type { Disk } from '../../src/sim/disk.ts'
import type { FaultyHead } from '../../src/sim/faulty-head.ts'
import { Harm } from '../../src/sim/harm.ts'
import { openOnDisk } from '../../src/sim/open-on-disk.ts'

const test = suite('harm')

/** A journal of two frames more than `on` has, of its own. */
async function journalOn(on?: { readonly disk: Disk; readonly head: FaultyHead }) {
  const { engine, journal, disk, head, cut } = await openOnDisk(on)
  await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  await engine.submit({ kind: 'session.open', detail: { name: 'other' } })
  await engine.settled()
  cut()
  const end = journal.bounds()
  return { disk, head, bounds: () => end }
}

function booted(disk: Disk, head: FaultyHead, isBroken: boolean): Harm {
  const harm = new Harm(disk, head)
  harm.powerCut(isBroken)
  harm.boot()
  return harm
}

const damaged = (seq: number) => new BlockboxError('JOURNAL_CORRUPT', 'planted', { seq })

test('a frame that is not the one the head remembers: opening says so, and names it', async () => {
  const before = await journalOn()
  const fork = () => ({ disk: before.disk.fork(), head: before.head.fork() })
  const [one, two] = [await journalOn(fork()), await journalOn(fork())]
  const error = await openOnDisk({ disk: one.disk.fork(), head: two.head.fork() }).then(
    () => assert.unreachable('it opens'),
    (reason: BlockboxError) => reason,
  )
  const harm = () => booted(one.disk, two.head, true)
  assert.is(harm().refused(error!), undefined)
  assert.ok(harm().isLost)
  assert.match(harm().refused(damaged(error!.seq! - 1)) ?? '', 'the disk did not harm it')
  assert.match(harm().opened(one) ?? '', 'was replaced')
  assert.match(
    booted(one.disk, two.head, false).refused(error!) ?? '',
    'did not harm it',
    'no promise broken',
  )
  const sound = booted(one.disk, one.head, true)
  assert.is(sound.opened(one), undefined)
})

test('a torn frame behind the first that is missing may be named, one that is whole may not', async () => {
  const { disk, head } = await journalOn()
  const frames = [...disk.content.keys()].filter(([table]) => table === tables.frame)
  const [missing, torn] = frames.slice(-2) as [Uint8Array, Uint8Array]
  const value = disk.content.get(torn)!
  disk.sync(disk.write([missing, torn].map((key) => ({ key, value: undefined }))))
  disk.write([{ key: torn, value }])
  disk.powerLoss(0, { changes: 0, bytes: 40 })
  const [inFront, behind] = [numberOf(missing), numberOf(torn)]
  const harm = booted(disk, head, true)
  for (const seq of [inFront, behind]) assert.is(harm.refused(damaged(seq)), undefined)
  assert.match(harm.refused(damaged(inFront - 1)) ?? '', 'the disk did not harm it')
  assert.match(
    booted(disk, head, false).refused(damaged(behind)) ?? '',
    'did not harm it',
    'no promise broken',
  )
})

test.run()
