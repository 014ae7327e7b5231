/**
 * Thousands of short histories by chance. After every entry: every volume holds what logic says, no check finds
 * anything, and the world made by folding the record is the same. At the end: everything that waited came to its
 * end, and deciding again from the inputs alone, or going on from a snapshot, gives the same record.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { NewEvent } from '../../src/events/columns.ts'
import { inFlightOf } from '../../src/layers/in-flight.ts'
import { restoresOf } from '../../src/layers/restore-state.ts'
import { loadWorld, saveWorld, stateHashText } from '../../src/volume/snapshot.ts'
import { evolve, newWorld } from '../../src/volume.ts'
import { Chance } from '../support/chance.ts'
import { checked } from '../support/checked.ts'
import { Contents } from '../support/contents.ts'
import { History } from '../support/history.ts'
import type { Ledger } from '../support/ledger.ts'

const test = suite('random histories')

const histories = Number(process.env.BLOCKBOX_HISTORIES ?? 2000)
const firstSeed = Number(process.env.BLOCKBOX_SEED ?? 1)
const steps = 60

test('they hold what logic says, break no rule, and are made again from their inputs', () => {
  let reads = 0
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    try {
      reads += live(seed)
    } catch (error) {
      ;(error as Error).message = `BLOCKBOX_SEED=${seed} BLOCKBOX_HISTORIES=1: ${(error as Error).message}`
      throw error
    }
  }
  assert.ok(reads > histories, `${reads} reads were compared`)
  if (histories < 100) return
  for (const [what, times] of Object.entries(lived)) assert.ok(times > histories / 100, `${what}: ${times}`)
})

/** How often something happened in all histories. */
const lived = {
  ...{ completed: 0, unprotected: 0, cancelled: 0, paused: 0, outside: 0, resized: 0, deleted: 0 },
  ...{ unpaired: 0, repeated: 0 },
}

function note({ kind, detail, digestHigh = 0 }: NewEvent): void {
  if (kind === 'restore.completed' && detail?.protected === true) lived.completed++
  if (kind === 'restore.completed' && detail?.protected === false) lived.unprotected++
  if (kind === 'restore.cancelled') lived.cancelled++
  if (kind === 'restore.paused') lived.paused++
  if (kind === 'copy.report' && digestHigh > 0) lived.outside++
  if (kind === 'pair.deleted') lived.unpaired++
  if (kind === 'command.repeated') lived.repeated++
  if (kind === 'volume.resized') lived.resized++
  if (kind === 'volume.deleted') lived.deleted++
}

/** Lives one history; returns how many reads were compared. */
function live(seed: number): number {
  const contents = new Contents()
  const check = checked(undefined, contents)
  const history = new History(check)
  const { world, ledger } = history
  const chance = new Chance(seed, history)
  const folded = newWorld()
  chance.begin()
  const middle = steps / 2
  let snapshot: { seq: number; inputs: number; bytes: string } | undefined
  for (let step = 0; step < steps; step++) {
    chance.step()
    contents.compare(world)
    for (let seq = folded.seq + 1; seq <= ledger.last; seq++) evolve(folded, ledger.at(seq))
    assert.is(stateHashText(folded), stateHashText(world), `folding gives the same state at step ${step}`)
    assert.equal(check.findings, [], `step ${step}`)
    if (step === middle) snapshot = { seq: world.seq, inputs: history.inputs.length, bytes: saved(world) }
  }
  chance.settle()
  contents.compare(world)
  history.end()
  assert.equal(check.findings, [])
  const { held, queued } = inFlightOf(world)
  assert.is(held.size + queued.size, 0, 'nothing waits for ever')
  for (const { background } of restoresOf(world).byTag.values()) assert.not(background, 'restores end')

  for (let seq = 1; seq <= ledger.last; seq++) note(ledger.at(seq))

  const again = new History()
  for (const { input } of history.inputs) again.enter(input)
  assert.ok(bytesOf(again.ledger).equals(bytesOf(ledger)), 'the same inputs make the same record')

  const resumed = new History({ rules: [] }, revived(snapshot!.seq, snapshot!.bytes))
  for (const { input } of history.inputs.slice(snapshot!.inputs)) resumed.enter(input)
  assert.equal(resumed.ledger.from(snapshot!.seq + 1), ledger.from(snapshot!.seq + 1), 'a snapshot goes on')
  assert.is(stateHashText(resumed.world), stateHashText(world))
  return contents.reads
}

function bytesOf({ columns }: Ledger): Buffer {
  const bytes = Buffer.alloc(columns.count * 64)
  return bytes.subarray(0, columns.store(bytes, 0))
}

function saved(world: Parameters<typeof saveWorld>[0]): string {
  const { plain, pages } = saveWorld(world)
  const cells = [...pages].map((page) => ({
    ...page,
    cells: [...page.cells.entries()].filter(([, place]) => place !== 0),
  }))
  return JSON.stringify({ plain, cells })
}

function revived(seq: number, bytes: string): ReturnType<typeof loadWorld> {
  const { plain, cells } = JSON.parse(bytes) as {
    plain: unknown
    cells: { volume: number; page: number; cells: [number, number][] }[]
  }
  const pages = cells.map((page) => {
    const filled = new Float64Array(4096)
    for (const [cell, place] of page.cells) filled[cell] = place
    return { ...page, cells: filled }
  })
  return loadWorld({ seq, plain, pages })
}

test.run()
