/** What somebody's code wrote to a volume, by what it saw and by the record: a small log and the waits it forgets. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hex, sha256 } from '../../src/core/digest.ts'
import type { EngineOptions } from '../../src/engine/engine.ts'
import { crashHistory } from '../../src/sim/crash-history.ts'
import { crashStates } from '../../src/sim/crash-states.ts'
import type { DiskOperation } from '../../src/sim/disk-operation.ts'
import { openOnDisk } from '../../src/sim/open-on-disk.ts'
import { WatchedVolume, watchVolume } from '../../src/sim/watched-volume.ts'

const test = suite('crash history')
const size = 4096

type Way = 'no flush' | 'flush too early' | 'waits'

/** A record, then a header that says it counts. */
async function append(volume: WatchedVolume, way: Way): Promise<void> {
  const record = new Uint8Array(1024).fill(5)
  const header = new Uint8Array(512)
  header.set(sha256(record), 0)
  const written = volume.write(1024, record)
  if (way !== 'flush too early') await written
  if (way !== 'no flush') await volume.flush()
  await written
  await volume.write(0, header, { fua: true })
}

/** The histories of it: as it saw it, and as the record has it. */
async function histories(way: Way, options: Partial<EngineOptions> = {}) {
  const { engine, journal, payload } = await openOnDisk(options)
  const volume = await watchVolume(engine, { size })
  await append(volume, way)
  await engine.settled()
  const recorded = await crashHistory(journal, payload, volume.volume)
  await engine.close()
  return { seen: volume.history, recorded }
}

/** True when a header that is there names the record that is there. */
function isSound(image: Uint8Array): boolean {
  const header = image.subarray(0, 32)
  return header.every((byte) => byte === 0) || hex(header) === hex(sha256(image.subarray(1024, 2048)))
}

const unsound = (history: readonly DiskOperation[]) =>
  [...crashStates(history)].filter((state) => !isSound(state.image(size))).length

for (const ack of ['durable', 'buffered'] as const) {
  test(`a log that does not wait is found out, with ${ack} answers, from either history`, async () => {
    for (const way of ['no flush', 'flush too early', 'waits'] as const) {
      const { seen, recorded } = await histories(way, { ack })
      assert.is(unsound(seen) > 0, way !== 'waits', `seen, ${way}`)
      assert.is(unsound(recorded) > 0, way !== 'waits', `recorded, ${way}`)
    }
  })
}

test('a history says what had been asked when each answer came', async () => {
  const told = (history: readonly DiskOperation[]) => history.map(({ op, answered }) => `${op} ${answered}`)
  const waits = await histories('waits')
  assert.equal(told(waits.seen), ['write 1', 'flush 2', 'write 3'])
  assert.equal(told(waits.recorded).slice(0, 2), ['write 1', 'flush 2'])
  const early = await histories('flush too early')
  assert.equal(told(early.seen), ['write 2', 'flush 2', 'write 3'])
  assert.equal(told(early.recorded).slice(0, 2), ['write 2', 'flush 2'])
})

test('with a clock that stands still the record takes nothing for answered, who watched knows better', async () => {
  const { seen, recorded } = await histories('waits', {
    clock: { nowNs: () => 1n, after: () => () => undefined },
  })
  assert.is(unsound(seen), 0)
  assert.ok(unsound(recorded) > 0)
})

test('what is refused is in no history, and the answers before it are counted without it', async () => {
  const { engine } = await openOnDisk()
  const volume = await watchVolume(engine, { size })
  const refused = volume.write(size, new Uint8Array(512))
  const data = Buffer.alloc(512, 1)
  const written = volume.write(0, data)
  data.fill(2)
  await refused.then(
    () => assert.unreachable(),
    ({ message }: Error) => assert.match(message, /io.write is refused: E_RANGE/),
  )
  await written
  assert.is((await volume.read(0, 512))[0], 1)
  assert.is([...crashStates(volume.history)].at(-1)!.image(512)[0], 1)
  await volume.zeroes(0, 512)
  assert.equal(
    volume.history.map(({ op, answered }) => `${op} ${answered}`),
    ['write 1', 'zeroes 2'],
  )
  assert.equal(await volume.read(0, 512), new Uint8Array(512))
  await engine.close()
})

test('a recorder over a disk under test is opened again after a power cut', async () => {
  const { engine, disk, head, cut } = await openOnDisk()
  const volume = await watchVolume(engine, { size })
  await volume.write(512, new Uint8Array(512).fill(9))
  cut()
  disk.powerLoss(0)
  head.powerLoss(0)
  const again = await openOnDisk({ disk, head })
  const { code, made: session } = await again.engine.submit({
    kind: 'session.open',
    detail: { name: 'again' },
  })
  assert.is(code, 'ok')
  const reopened = new WatchedVolume(again.engine, { volume: volume.volume, session, size })
  assert.equal(await reopened.read(512, 512), new Uint8Array(512).fill(9))
  await again.engine.close()
})

test.run()
