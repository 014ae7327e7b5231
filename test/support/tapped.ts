/** A tap between hosts and a disk in memory, all in one process: opened, used, closed. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checks } from '../../src/check/all.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import type { Code } from '../../src/events/code.ts'
import { Columns } from '../../src/events/columns.ts'
import type { Detail } from '../../src/events/detail.ts'
import type { Fate, Kind } from '../../src/events/kind.ts'
import { readContent } from '../../src/images/content.ts'
import type { KvStore } from '../../src/journal/store.ts'
import { volumeOf } from '../../src/layers/layer.ts'
import { type NbdClient, openClient } from '../../src/nbd/client/client.ts'
import { VolumeCatalog } from '../../src/nbd/server/catalog.ts'
import { NbdServer } from '../../src/nbd/server/server.ts'
import { openFarDisk } from '../../src/nbd/tap/far-disk.ts'
import { Tap } from '../../src/nbd/tap/tap.ts'
import { worldAt } from '../../src/replay/at.ts'
import { type ReplayVerdict, replay } from '../../src/replay/replay.ts'
import { MemoryDisk, type MemoryDiskOptions } from './memory-disk.ts'
import { memoryStore, openMemory } from './store.ts'

export interface TappedOptions extends MemoryDiskOptions {
  readonly ack?: 'durable' | 'buffered'
  readonly block?: number
  readonly logFirst?: boolean
  /** Where the journal lies. */
  readonly store?: KvStore
  /** No host of the tap may write. */
  readonly nobodyWrites?: boolean
  readonly deadlineMs?: number
  /** A server that listens on the socket of the far side, in place of the disk's. */
  readonly far?: (socket: string) => Promise<{ close(): unknown }>
}

export async function openTapped(options: TappedOptions = {}) {
  const { ack = 'durable', block = 4096, logFirst = false, store = memoryStore(), deadlineMs } = options
  const folder = mkdtempSync(join(tmpdir(), 'blockbox-tap-'))
  const [farSocket, socket] = [join(folder, 'far'), join(folder, 'tap')]
  const disk = new MemoryDisk(options)
  const farServer = await (options.far ?? serveDisk(disk))(farSocket)
  const far = await openFarDisk(`nbd+unix:///far?socket=${farSocket}`, deadlineMs)
  const tap = new Tap(far, { readOnly: options.nobodyWrites === true })
  const { journal, payload } = await openMemory({ store })
  const engine = await openEngine({
    clock: systemClock(),
    journal,
    payload,
    worldAt,
    ack,
    tap: { forward: tap.forward, logFirst },
  })
  const { made } = await engine.submit({
    kind: 'volume.create',
    detail: { name: 'disk0', size: far.size, block },
  })
  await tap.attach(engine, made, 'disk0', false)
  const catalog = new VolumeCatalog({ engine, journal, payload, tapped: tap })
  const server = new NbdServer({ catalog, drainMs: 2000 })
  await server.listen({ socket })
  const clients: NbdClient[] = []
  return {
    ...{ disk, tap, engine, journal, payload, server, farServer, volume: made, socket },
    async client(): Promise<NbdClient> {
      const client = await openClient({ socket }, 'disk0', { limitMs: 5000 })
      clients.push(client)
      return client
    },
    /** What the record says that the disk holds, as the engine has it. */
    recorded: () => readContent(engine.world, volumeOf(engine.world, made)!, payload, 0, far.size),
    /** Ends the tap as the program does; the journal stays open to be looked at. */
    async stop(): Promise<void> {
      for (const client of clients) client.destroy()
      await server.close()
      await tap.stop()
    },
    /** What replay, its checks and the contents of reads find in the record. */
    async replayed(): Promise<ReplayVerdict> {
      await engine.settled()
      return replay(journal, { checks, payload })
    },
    async close(): Promise<void> {
      for (const client of clients) client.destroy()
      await server.close()
      await tap.stop()
      catalog.close()
      await engine.close().catch(() => undefined)
      await farServer.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type Tapped = Awaited<ReturnType<typeof openTapped>>

/** Runs `use` with a tap, which is closed whatever happens. */
export async function withTap(options: TappedOptions, use: (tapped: Tapped) => Promise<void>): Promise<void> {
  const tapped = await openTapped(options)
  try {
    await use(tapped)
  } finally {
    await tapped.close()
  }
}

function serveDisk(disk: MemoryDisk) {
  return async (socket: string) => {
    const server = new NbdServer({ catalog: disk, drainMs: 0 })
    await server.listen({ socket })
    return server
  }
}

/** An event of the record as tests look at it. */
export interface SeenEvent {
  readonly seq: number
  readonly kind: Kind
  readonly fate: Fate
  readonly code: Code
  readonly about: number
  readonly digest: string
  readonly detail: Detail
  readonly atNs: bigint
}

/** All events of the record so far. */
export async function eventsOf({
  engine,
  journal,
}: Pick<Tapped, 'engine' | 'journal'>): Promise<SeenEvent[]> {
  await engine.settled()
  const seen: SeenEvent[] = []
  const columns = new Columns()
  for await (const frame of journal.read(1)) {
    const row = frame.open(columns)
    for (row.index = 0; row.index < frame.count; row.index++) {
      const { seq, kind, fate, code, about, digestHigh, digestLow, detail } = row
      const digest = `${digestHigh} ${digestLow}`
      seen.push({ seq, kind, fate, code, about, digest, detail, atNs: frame.instantNs + BigInt(row.at) })
    }
  }
  return seen
}
