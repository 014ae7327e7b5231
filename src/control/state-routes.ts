/** What a journal holds now: its lists, its queues, its marks. */

import { BlockboxError } from '../core/errors.ts'
import { contentsOf } from '../inspect/contents.ts'
import { isoNs } from '../inspect/event-record.ts'
import { inFlightOf } from '../layers/in-flight.ts'
import type { World } from '../layers/layer.ts'
import type { Request } from '../layers/request.ts'
import { marksOf } from '../replay/marks.ts'
import {
  infoAnswer,
  listAnswer,
  type listed,
  marksAnswer,
  queuesAnswer,
  sessionsAnswer,
  stateAnswer,
} from './contents-schema.ts'
import { journalInfo } from './journal-info.ts'
import { type Controlled, readRoute } from './route.ts'

export type Listed = keyof typeof listed

export const info = readRoute({
  method: 'GET',
  path: '/info',
  summary: 'What the journal is and holds',
  input: {},
  output: infoAnswer,
  async act({ journal, folder, engine }) {
    const { remains } = engine
    const told = await journalInfo(journal, folder, (await remains?.world()) ?? engine.world)
    if (remains === undefined) return { version: 1, ...told }
    const failed = `nothing is recorded any more, what is durable can be read: ${remains.reason.message}`
    return { version: 1, ...told, remarks: [...told.remarks, failed] }
  },
})

export const state = readRoute({
  method: 'GET',
  path: '/state',
  summary:
    'Whether the engine records, or why it cannot any more and since when; whether it went on after a failure',
  input: {},
  output: stateAnswer,
  act: async (controlled) => stateOf(controlled),
})

function stateOf({ journal, engine: { remains }, succession }: Controlled) {
  const { seq, failedNs, atNs } = succession?.lastTakeover ?? { seq: 0, failedNs: 0n, atNs: 0n }
  const failure = remains && { ...problem(remains.reason), since: isoNs(remains.sinceNs) }
  return {
    version: 1,
    state: succession?.state ?? (remains === undefined ? 'recording' : 'failed'),
    durable_seq: journal.bounds().last,
    failure: failure ?? null,
    awaits_room: succession?.awaitsRoom ?? false,
    takeovers: succession?.takeovers ?? 0,
    last_takeover: seq === 0 ? null : { seq, failed: isoNs(failedNs), at: isoNs(atNs) },
  }
}

function problem({ code, message }: BlockboxError) {
  return { code, message }
}

export const reopen = readRoute({
  method: 'POST',
  path: '/reopen',
  summary: 'After a failure: open the journal anew, now, and go on recording; hosts keep their connections',
  input: {},
  output: stateAnswer,
  async act(controlled) {
    const { succession, engine: before } = controlled
    if (before.remains === undefined) return stateOf(controlled)
    if (succession === undefined) {
      throw new BlockboxError(
        'USAGE',
        'this server does not open its journal anew: stop it and start it again',
      )
    }
    await succession.reopen()
    const { engine, journal, payload } = succession
    return stateOf({ ...controlled, engine, journal, payload })
  },
})

/** Where each list is found. */
const paths: { readonly [L in Listed]: readonly [string, string] } = {
  volumes: ['/volumes', 'The volumes, views among them'],
  devices: ['/devices', 'The devices and the volumes on them'],
  pairs: ['/clones', 'The clone pairs'],
  backups: ['/backups', 'The backups that run'],
  restores: ['/restores', 'The restores that run'],
  views: ['/views', 'The views'],
  fences: ['/fences', 'The fences that stand'],
}

function listRoute(list: Listed) {
  const [path, summary] = paths[list]
  return readRoute({
    method: 'GET',
    path,
    summary,
    input: {},
    output: listAnswer(list),
    async act({ engine }) {
      return { version: 1, [list]: await engine.look((world) => contentsOf(world)[list]) }
    },
  })
}

export const lists = {
  volumes: listRoute('volumes'),
  devices: listRoute('devices'),
  pairs: listRoute('pairs'),
  backups: listRoute('backups'),
  restores: listRoute('restores'),
  views: listRoute('views'),
  fences: listRoute('fences'),
}

export const sessions = readRoute({
  method: 'GET',
  path: '/sessions',
  summary: 'The sessions that are open',
  input: {},
  output: sessionsAnswer,
  async act({ engine }) {
    const open = (world: World) => [...world.sessions].map(([session, name]) => ({ session, name }))
    return { version: 1, sessions: await engine.look(open) }
  },
})

export const queues = readRoute({
  method: 'GET',
  path: '/queues',
  summary: 'The requests that wait, and for how long',
  input: {},
  output: queuesAnswer,
  async act(controlled) {
    const { engine } = controlled
    const world = (await engine.remains?.world()) ?? engine.world
    const { held, queued } = inFlightOf(world)
    const of = (volume: number, waiting: ReadonlyMap<number, Request>) =>
      [...waiting.values()].filter((request) => request.volume === volume).length
    const volumes = world.volumes
      .map(({ id, name }) => ({ name, held: of(id, held), queued: of(id, queued) }))
      .filter((one) => one.held + one.queued > 0)
    const [before, below] = [queueOf(controlled, held), queueOf(controlled, queued)]
    return { version: 1, held: await before, queued: await below, volumes }
  },
})

async function queueOf({ journal }: Controlled, waiting: ReadonlyMap<number, Request>) {
  let bytes = 0
  let first = Number.POSITIVE_INFINITY
  for (const { io, length } of waiting.values()) {
    bytes += length
    first = Math.min(first, io)
  }
  const atNs = waiting.size === 0 ? undefined : await instantOf(journal, first)
  const waitedMs = atNs === undefined ? 0 : Math.max(0, Date.now() - Number(atNs / 1_000_000n))
  const oldest = atNs === undefined ? null : { seq: first, instant: isoNs(atNs), waited_ms: waitedMs }
  return { requests: waiting.size, bytes, oldest }
}

/** When an event was; undefined when it is not durable yet, or was given up. */
async function instantOf(journal: Controlled['journal'], seq: number): Promise<bigint | undefined> {
  const { first, last } = journal.bounds()
  if (seq < first || seq > last) return undefined
  for await (const frame of journal.read(seq, seq)) {
    const row = frame.open()
    row.index = seq - frame.first
    return frame.instantNs + BigInt(Math.trunc(row.at))
  }
  return undefined
}

/** More marks are not told at once. */
const maxMarks = 100_000

export const marks = readRoute({
  method: 'GET',
  path: '/marks',
  summary: 'The marks, oldest first',
  input: {},
  output: marksAnswer,
  async act({ journal, engine }, _, { signal }) {
    const { volumes } = engine.world
    const found = []
    for await (const some of marksOf(journal, signal)) {
      for (const { seq, atNs, volume, label } of some) {
        found.push({ seq, instant: isoNs(atNs), volume: volumes[volume - 1]?.name ?? '', label })
      }
      if (found.length > maxMarks) {
        throw new BlockboxError('USAGE', `the journal has more than ${maxMarks} marks: read them from /log`)
      }
    }
    return { version: 1, marks: found }
  },
})
