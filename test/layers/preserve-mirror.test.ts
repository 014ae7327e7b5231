/**
 * Tables against mirrors: half a million random operations on a base and its views, each read compared block by block
 * with what a full second image would hold that gets the writes to the base too. Seeded; BLOCKBOX_SEED tells another.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Prng } from '../../src/core/prng.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { volumeOf } from '../../src/layers/layer.ts'
import { overlayOf, preservesOf } from '../../src/layers/preserve-state.ts'
import { loadWorld, saveWorld, stateHashText } from '../../src/volume/snapshot.ts'
import { evolve, newWorld } from '../../src/volume.ts'
import { checked } from '../support/checked.ts'
import { discard, drop, merge, preserve, read, session, volume, write, zeroes } from '../support/given.ts'
import { History } from '../support/history.ts'
import { placesOf } from '../support/witness.ts'

const test = suite('tables and mirrors')

const blocks = 64
const operations = 100_000
const seeds = 5
const firstSeed = Number(process.env.BLOCKBOX_SEED ?? 1)

interface Tally {
  reads: number
  created: number
  dropped: number
  merged: number
}

/** The mirror form: one full image a volume, nothing else. */
class Mirrors {
  readonly images = new Map<number, number[]>([[1, new Array(blocks).fill(0)]])

  write({ volume: id = 1, op, offset = 0, length = 0, payload = 0 }: NewEvent): void {
    const first = offset / 4096
    for (const [image, places] of this.images) {
      if (id !== 1 && image !== id) continue
      for (let k = 0; k < length / 4096; k++) places[first + k] = op === 'write' ? payload + k * 8 : 0
    }
  }
}

/** One entry by chance; the tally says what it came to. */
function step(history: History, mirrors: Mirrors, random: Prng, request: number, tally: Tally): void {
  const { images } = mirrors
  const views = [...images.keys()].filter((id) => id !== 1)
  const dice = random.below(2000)
  const view = views[random.below(views.length)]
  if (dice < 4 && views.length < 4) {
    history.enter(preserve(`v${request}`))
    images.set(history.world.volumes.length, [...images.get(1)!])
    tally.created++
  } else if (dice < 6 && view !== undefined) {
    history.enter(drop(view))
    images.delete(view)
    tally.dropped++
  } else if (dice < 8 && view !== undefined) {
    merged(mirrors, view, history)
    history.enter(merge(view))
    tally.merged++
  } else {
    const id = view !== undefined && random.below(5) < 3 ? view : 1
    const at = random.below(blocks)
    const count = 1 + random.below(Math.min(blocks - at, random.below(8) === 0 ? blocks : 4))
    const kind = [read, read, read, write, write, write, zeroes, discard][random.below(8)]!
    const asked = kind(request, { at, count, volume: id })
    history.enter(asked)
    if (asked.op !== 'read') return mirrors.write(asked)
    const found = placesOf(history.world, volumeOf(history.world, id)!, at, count)
    const image = images.get(id)!
    for (let k = 0; k < count; k++) {
      if (found[k] !== image[at + k]) assert.is(found[k], image[at + k], `read ${request}, block ${at + k}`)
    }
    tally.reads++
  }
}

/** In the mirror form a merge copies the blocks in which the view differs by a write of its own. */
function merged({ images }: Mirrors, view: number, { world }: History): void {
  const { table } = overlayOf(world, view)!
  const from = images.get(view)!
  for (let block = table.next(0); block >= 0; block = table.next(block + 1)) {
    for (const places of images.values()) places[block] = from[block]!
  }
  assert.equal(images.get(1), from, 'the base becomes what the view is')
  images.delete(view)
}

for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
  test(`${operations} operations show no difference: seed ${seed}`, () => {
    const random = new Prng(seed)
    const mirrors = new Mirrors()
    const tally: Tally = { reads: 0, created: 0, dropped: 0, merged: 0 }
    const check = checked()
    let history = new History(check)
    history.enter(volume('disk', blocks))
    history.enter(session())
    const folded = newWorld()
    for (let request = 1; request <= operations; request++) {
      step(history, mirrors, random, request, tally)
      if (request % 10_000 !== 0) continue
      for (const [id, image] of mirrors.images) {
        assert.equal(placesOf(history.world, volumeOf(history.world, id)!, 0, blocks), image)
      }
      assert.equal(
        [...preservesOf(history.world).byView.keys()].sort(),
        [...mirrors.images.keys()].slice(1).sort(),
      )
      for (let seq = folded.seq + 1; seq <= history.ledger.last; seq++) evolve(folded, history.ledger.at(seq))
      assert.is(stateHashText(folded), stateHashText(history.world), 'folding gives the same state')
      const saved = saveWorld(history.world)
      const plain: unknown = JSON.parse(JSON.stringify(saved.plain))
      history = new History(check, loadWorld({ ...saved, plain }))
      assert.is(stateHashText(folded), stateHashText(history.world), 'a snapshot is the same state')
    }
    history.end()
    assert.equal(check.findings, [])
    assert.ok(tally.reads > operations / 3, `${tally.reads} reads`)
    for (const count of [tally.created, tally.dropped, tally.merged])
      assert.ok(count > 20, JSON.stringify(tally))
  })
}

test.run()
