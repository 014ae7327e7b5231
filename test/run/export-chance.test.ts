/**
 * Histories by chance, exported: whatever layers, copies, fences and merges did to a volume, replaying its trace gives
 * the content of its medium, at the end and from any point on.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { noDigest } from '../../src/core/digest.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { Prng } from '../../src/core/prng.ts'
import { encodeFrame } from '../../src/journal/frame.ts'
import type { Journal } from '../../src/journal/journal.ts'
import type { Volume } from '../../src/layers/layer.ts'
import { overlayOf } from '../../src/layers/preserve-state.ts'
import type { PayloadStore } from '../../src/payload/payload.ts'
import { exportEvents, exportTally } from '../../src/run/export-run.ts'
import { Chance } from '../support/chance.ts'
import { partsOf } from '../support/frames.ts'
import { History } from '../support/history.ts'

const test = suite('export-chance')

const histories = 150
const steps = 60

/** Payload whose bytes are made from their place: of a block that was changed in part all of them are new. */
const payload: PayloadStore = {
  put: () => assert.unreachable('nothing is put') as never,
  read(place, length) {
    const words = new Float64Array(length / 8)
    for (let unit = 0; unit < length / 512; unit++) words.fill(place + unit, unit * 64, unit * 64 + 64)
    return new Uint8Array(words.buffer)
  },
  sync: async () => undefined,
}

/** A journal of one frame, which holds the whole history. */
function journalOf({ ledger }: History): Pick<Journal, 'bounds' | 'read' | 'checkpoint'> {
  const events = Array.from({ length: ledger.last }, (_, k) => ({ ...copied(ledger, k + 1) }))
  const withPayload = events.filter((event) => (event.payload ?? 0) > 0)
  const frame = encodeFrame(partsOf(1, events, { digests: withPayload.map(() => noDigest) }), 1, noDigest)
  return {
    bounds: () => ({ first: 1, last: ledger.last, epoch: 1, head: noDigest }),
    async *read() {
      yield frame
    },
    checkpoint: async () => undefined,
  }
}

function copied(ledger: History['ledger'], seq: number) {
  const { kind, fate, op, flags, code, session, request, volume, offset, length } = ledger.at(seq)
  const { payload: place, about, tag, digestHigh, digestLow, at, detail } = ledger.at(seq)
  return {
    ...{ kind, fate, op, flags, code, session, request, volume, offset, length },
    ...{ payload: place, about, tag, digestHigh, digestLow, at, detail },
  }
}

/** The content of a volume's medium. */
function medium({ map, size, block }: Volume): Buffer {
  const image = Buffer.alloc(size)
  for (const { block: first, count, place } of map.runs(0, size / block)) {
    if (place !== 0) image.set(payload.read(place, count * block), first * block)
  }
  return image
}

async function replayed(
  journal: ReturnType<typeof journalOf>,
  ask: { volume: number; from?: number; to?: number },
  onto: Buffer,
): Promise<{ image: Buffer; internal: number }> {
  const image = Buffer.alloc(2 ** 18)
  image.set(onto)
  const tally = exportTally()
  for await (const { events } of exportEvents(
    { journal: journal as Journal, payload },
    { ...ask, sector: 4096 },
    tally,
  )) {
    for (const { op, offset, length, data } of events) {
      if (op === 'write') image.set(data!, offset!)
      else if (op === 'zero' || op === 'discard') image.fill(0, offset!, offset! + length!)
    }
  }
  return { image, internal: tally.internal }
}

test('replaying the trace of a volume gives its medium', async () => {
  let volumes = 0
  let internal = 0
  let views = 0
  for (let seed = 1; seed <= histories; seed++) {
    const history = new History()
    const chance = new Chance(seed, history)
    chance.begin()
    const middle = new Prng(seed).below(steps)
    let cut = 0
    let before: Buffer[] = []
    for (let step = 0; step < steps; step++) {
      chance.step()
      if (step !== middle) continue
      cut = history.world.seq
      before = history.world.volumes.map((volume) => (volume.gone ? Buffer.alloc(0) : medium(volume)))
    }
    const journal = journalOf(history)
    for (const volume of history.world.volumes) {
      if (volume.gone === true) continue
      const what = `seed ${seed}, volume ${volume.id}`
      if (overlayOf(history.world, volume.id) !== undefined) {
        views++
        try {
          await replayed(journal, { volume: volume.id }, Buffer.alloc(0))
          assert.unreachable(`${what}: a view was exported`)
        } catch (error) {
          assert.instance(error, BlockboxError, `${what}: ${error}`)
        }
        continue
      }
      const expected = medium(volume)
      const whole = await replayed(journal, { volume: volume.id }, Buffer.alloc(0))
      assert.ok(whole.image.subarray(0, volume.size).equals(expected), what)
      const onto = before[volume.id - 1] ?? Buffer.alloc(0)
      const rest = await replayed(journal, { volume: volume.id, from: cut + 1 }, onto)
      assert.ok(rest.image.subarray(0, volume.size).equals(expected), `${what}, from ${cut + 1}`)
      volumes++
      internal += whole.internal
    }
  }
  assert.ok(volumes > histories * 5, `${volumes} volumes`)
  assert.ok(internal > histories, `${internal} internal writes`)
  assert.ok(views > 10, `${views} views`)
})

test.run()
