/**
 * The plain way to keep events in LevelDB, as a peer: one key an event, its value a MessagePack map of the fields that
 * say something. No chain and no state hash, but the same reducers.
 */

import { Packr, Unpackr } from 'msgpackr'
import { Columns, type Event, type Row } from '../../src/events/columns.ts'
import { noDetail } from '../../src/events/detail.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { from, key } from '../../src/journal/keys.ts'
import { type KvStore, levelStore, readAheadBytes, readAheadFrames } from '../../src/journal/store.ts'
import { evolve, newWorld } from '../../src/volume.ts'

const table = 0x65
const numbers = [
  'flags',
  'session',
  'request',
  'volume',
  'offset',
  'length',
  'payload',
  'about',
  'tag',
  'digestHigh',
  'digestLow',
  'at',
] as const

/** Stores the first `events` events of a journal in a new database in folder `path`. */
export async function storeOnePerKey(path: string, journal: Journal, events: number): Promise<void> {
  const store = levelStore(path)
  await store.open()
  const packr = new Packr({ useRecords: false })
  const columns = new Columns()
  for await (const frame of journal.read(1, events)) {
    const batch = store.batch()
    const row = frame.open(columns)
    for (row.index = 0; row.index < frame.count && row.seq <= events; row.index++) {
      batch.put(key(table, row.seq), packr.pack(plain(row)))
    }
    await batch.write({ sync: false })
  }
  await store.close()
}

/** Reads all of them and folds them; returns how many there were. */
export async function replayOnePerKey(store: KvStore): Promise<number> {
  const unpackr = new Unpackr({ useRecords: false })
  const world = newWorld()
  const cursor = store.values({ ...from(table, 1), highWaterMarkBytes: readAheadBytes })
  const event = new MapEvent()
  let coming = cursor.nextv(readAheadFrames)
  for (let values = await coming; values.length > 0; values = await coming) {
    coming = cursor.nextv(readAheadFrames)
    for (const value of values) {
      event.map = unpackr.unpack(value)
      evolve(world, event)
    }
  }
  await cursor.close()
  return world.seq
}

function plain(row: Row): Record<string, unknown> {
  const map: Record<string, unknown> = { seq: row.seq, kind: row.kind }
  if (row.fate !== 'none') map.fate = row.fate
  if (row.op !== 'none') map.op = row.op
  if (row.code !== 'ok') map.code = row.code
  for (const name of numbers) if (row[name] !== 0) map[name] = row[name]
  if (row.detail !== noDetail) map.detail = row.detail
  return map
}

/** An unpacked map as reducers read it: what it does not say is zero, none or empty. */
class MapEvent implements Event {
  map: Partial<Event> & Pick<Event, 'seq' | 'kind'> = { seq: 0, kind: 'mark' }

  get seq() {
    return this.map.seq
  }
  get kind() {
    return this.map.kind
  }
  get fate() {
    return this.map.fate ?? 'none'
  }
  get op() {
    return this.map.op ?? 'none'
  }
  get code() {
    return this.map.code ?? 'ok'
  }
  get flags() {
    return this.map.flags ?? 0
  }
  get session() {
    return this.map.session ?? 0
  }
  get request() {
    return this.map.request ?? 0
  }
  get volume() {
    return this.map.volume ?? 0
  }
  get offset() {
    return this.map.offset ?? 0
  }
  get length() {
    return this.map.length ?? 0
  }
  get payload() {
    return this.map.payload ?? 0
  }
  get about() {
    return this.map.about ?? 0
  }
  get tag() {
    return this.map.tag ?? 0
  }
  get digestHigh() {
    return this.map.digestHigh ?? 0
  }
  get digestLow() {
    return this.map.digestLow ?? 0
  }
  get at() {
    return this.map.at ?? 0
  }
  get detail() {
    return this.map.detail ?? noDetail
  }
}
