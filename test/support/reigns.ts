/** Engines in memory that take over from each other on one simulated disk, which fails when it is told to. */

import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import type { Answer } from '../../src/engine/ask.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { openEngine, recoverWorld } from '../../src/engine/open-engine.ts'
import { type Reign, Succession, type SuccessionTerms } from '../../src/engine/succession.ts'
import { readContent } from '../../src/images/content.ts'
import { memoryHead } from '../../src/journal/head.ts'
import type { KvStore } from '../../src/journal/store.ts'
import { verify } from '../../src/replay/verify.ts'
import { Disk } from '../../src/sim/disk.ts'
import { type Fault, FaultyLevel } from '../../src/sim/faulty-level.ts'
import { type ManualClock, manualClock } from './clock.ts'
import { type Opened, openMemory } from './store.ts'

export interface ReignOptions extends Partial<Pick<SuccessionTerms, 'hasRoom' | 'look'>> {
  readonly ack?: 'durable' | 'buffered'
}

export interface Reigns {
  readonly disk: Disk
  readonly clock: ManualClock
  readonly succession: Succession
  /** What every write meets, while it is set. */
  readonly ill: { fault: Fault | undefined; opening: Error | undefined }
  /** Everything that was opened to be written, in order. */
  readonly opened: Opened[]
  /** The journal as it is on the disk now, opened to be looked at. */
  look(): Promise<Opened>
}

/** Begins with a volume `disk` of 16 blocks and session 1. */
export async function reigns(options: ReignOptions = {}): Promise<Reigns> {
  const { ack = 'durable', hasRoom = () => true } = options
  const disk = new Disk()
  const head = memoryHead()
  const clock = manualClock()
  const ill: Reigns['ill'] = { fault: undefined, opening: undefined }
  const opened: Opened[] = []
  const store = () =>
    new FaultyLevel(disk, {
      fault: ({ kind }) => (kind === 'put' || kind === 'batch' ? ill.fault : undefined),
    }) as unknown as KvStore
  const reopen = async (): Promise<Reign> => {
    if (ill.opening !== undefined) throw ill.opening
    const one = await openMemory({ store: store(), head })
    opened.push(one)
    return { engine: await openEngine({ ...one, clock, ack }), ...one }
  }
  const look = () => openMemory({ store: store(), head, readOnly: true })
  const first = await reopen()
  await first.engine.submit({ kind: 'volume.create', detail: { name: 'disk', size: 65_536, block: 4096 } })
  await first.engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  const succession = new Succession(first, { clock, reopen, look: options.look ?? look, hasRoom })
  return { disk, clock, succession, ill, opened, look }
}

/** A takeover that goes on when it is let on: `reopened` is what it comes to. */
export async function heldTakeover(succession: Succession) {
  let letOn: () => void = () => undefined
  const isLetOn = new Promise<void>((resolve) => {
    letOn = resolve
  })
  let reopened: Promise<void> = isLetOn
  await new Promise<void>((paused) => {
    succession.add({
      pause() {
        paused()
        return isLetOn
      },
      goOn: async () => undefined,
    })
    reopened = succession.reopen()
  })
  return { reopened, letOn }
}

/** A block full of one byte. */
export function filled(fill: number, blocks = 1): Uint8Array {
  return new Uint8Array(blocks * 4096).fill(fill)
}

/** Fills a block of volume 1. */
export function write(engine: Engine, block: number, fill: number, session = 1): Promise<Answer> {
  return engine.submit({ kind: 'io.write', session, volume: 1, offset: block * 4096, data: filled(fill) })
}

/** The error that what was asked ends with; it has to. */
export async function failed(asked: Promise<unknown>): Promise<BlockboxError> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.instance(error, BlockboxError)
  return error as BlockboxError
}

/** The first byte of each block of volume 1 as the journal on the disk says now, and the state; it has to verify. */
export async function onDisk({ look }: Reigns) {
  const { journal, payload } = await look()
  const world = await recoverWorld(journal)
  const { findings } = await verify(journal, payload)
  assert.equal(findings, [])
  const volume = world.volumes[0]!
  const bytes = Array.from({ length: 16 }, (_, k) => readContent(world, volume, payload, k * 4096, 1)[0])
  return { bytes, world }
}
