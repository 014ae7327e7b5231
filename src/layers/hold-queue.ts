/**
 * Hold queue (seed S1). While a backup covers a volume its writes wait in order of arrival; when the last
 * covering backup ends they go down to the layers below in that same order. Reads, flushes and other volumes
 * never wait.
 *
 *     idle ── flag_set ──▶ quiescing ── started ──▶ holding ── stopping ──▶ draining ── flag_cleared ──▶ idle
 *                             └──────────────── expired, aborted ──────────────▶┘
 *
 * The flag is set for all covered volumes in one event, so that there is one point in time: `backup.started`,
 * when no write that passed the gate still waits below it. Backups nest: the flag stays until the last one ends.
 * A backup has a deadline, counted from the flag, and bounds for its queue; reaching one aborts every backup of
 * the volume and releases in order (policy abort-backup, SPEC 3.6). Claims: 1-8, 12-19, 23.
 */

import { must } from '../core/assert.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { count, counts, text } from '../events/detail.ts'
import { changes } from '../events/kind.ts'
import { aborted, type Backup, backupOf } from './backup.ts'
import { decideBackup } from './backup-command.ts'
import {
  coveringBackups,
  type Held,
  type HoldQueue,
  isCovered,
  joined,
  left,
  nothingHeld,
} from './hold-queue-state.ts'
import { admittedWrites, inFlightOf } from './in-flight.ts'
import { type Due, type Layer, pass, type Verdict, volumeOf, type World } from './layer.ts'
import { heldTogether, reached } from './preserve-state.ts'
import { endOf, type Request, requestOf } from './request.ts'

export const holdQueue: Layer<HoldQueue> = {
  name: 'hold-queue',
  hears: [
    'io.write',
    'io.zeroes',
    'io.discard',
    'io.flush',
    'hold.released',
    'hold.dropped',
    'backup.flag_set',
    'backup.started',
    'backup.stopping',
    'backup.stopped',
    'backup.expired',
    'backup.aborted',
    'backup.flag_cleared',
    'session.rebound',
  ],
  commands: ['backup.start', 'backup.stop', 'deadline.reached'],
  start: () => ({ begun: 0, backups: new Map(), flagged: new Map() }),
  active: (state, volume) => state.flagged.has(volume),

  forbids: () => undefined,

  admit(state, request): Verdict {
    if (!changes(request.op)) return pass
    const held = state.flagged.get(request.volume)!
    const covering = coveringBackups(state, request.volume)
    const full = covering.some(
      (backup) => held.writes.length >= backup.maxEntries || held.bytes + request.length > backup.maxBytes,
    )
    const outcomes = full ? covering.map((backup) => aborted(backup, 'E_BOUND')) : []
    return { fate: 'held', code: 'ok', outcomes }
  },

  effect(state, event) {
    const released = event.kind === 'hold.released' || event.kind === 'cod.released'
    must(
      released,
      'S1-I2',
      `write ${event.seq} passed the gate of volume ${event.volume} while its flag is set`,
    )
    const image = coveringBackups(state, event.volume).find((backup) => backup.phase === 'holding')
    must(image === undefined, 'S1-I3', `event ${event.seq} changes volume ${event.volume} during a backup`)
  },

  evolve(state, event, world) {
    switch (event.kind) {
      case 'io.write':
      case 'io.zeroes':
      case 'io.discard':
        return hold(state, event)
      case 'io.flush':
        return must(event.fate !== 'held', 'S1-I11', `flush ${event.seq} is held`)
      case 'hold.released':
        return release(state, event, world)
      case 'hold.dropped': {
        const held = state.flagged.get(event.volume)
        const write = held?.writes.remove((request) => request.io === event.about)
        must(held !== undefined && write !== undefined, 'S1-I9', `write ${event.about} is dropped, not held`)
        return left(held, write)
      }
      case 'backup.flag_set':
        return begin(state, event, world)
      case 'backup.started': {
        const backup = known(state, event)
        must(backup.phase === 'quiescing', 'S1-I12', `backup ${backup.name} starts twice`)
        backup.phase = 'holding'
        return
      }
      case 'backup.stopping':
        known(state, event).phase = 'stopping'
        return
      case 'backup.stopped':
        must(known(state, event).phase === 'stopping', 'S1-I12', `backup ${event.tag} stops without a stop`)
        state.backups.delete(event.tag)
        return
      case 'backup.expired':
      case 'backup.aborted':
        known(state, event)
        state.backups.delete(event.tag)
        return
      case 'backup.flag_cleared': {
        const held = state.flagged.get(event.volume)
        const done = held?.writes.length === 0 && !isCovered(state, event.volume)
        must(done, 'S1-I9', `the flag of volume ${event.volume} is cleared too early`)
        state.flagged.delete(event.volume)
        return
      }
      case 'session.rebound': {
        const held = state.flagged.get(count(event.detail, 'from'))
        for (const write of held?.writes ?? []) if (write.session === event.session) held!.leaving.push(write)
        return
      }
      default:
    }
  },

  decide: decideBackup,

  due(state, world): Due | undefined {
    for (const backup of state.backups.values()) {
      if (backup.phase !== 'quiescing') continue
      const quiet = backup.volumes.every((volume) => admittedWrites(world, volume) === 0)
      if (quiet) return { outcome: { kind: 'backup.started', tag: backup.tag } }
    }
    for (const [volume, held] of state.flagged) {
      const leaving = held.leaving.peek()
      if (leaving !== undefined) {
        const to = reached(world, leaving.session, volume)
        return { release: { ...leaving, volume: to }, as: 'hold.released' }
      }
      if (isCovered(state, volume)) continue
      const oldest = held.writes.peek()
      if (oldest !== undefined) return { release: oldest, as: 'hold.released' }
      return { outcome: { kind: 'backup.flag_cleared', volume } }
    }
    for (const backup of state.backups.values()) {
      if (backup.phase === 'stopping') return { outcome: { kind: 'backup.stopped', tag: backup.tag } }
    }
    return undefined
  },

  targets(_state, command, world) {
    if (command.kind !== 'backup.start') return []
    const volumes = heldTogether(world, counts(command.detail, 'volumes'))
    return volumes.map((volume) => ({ role: 'backup', volume }))
  },
  marks(state, volume) {
    const held = state.flagged.get(volume)
    if (held === undefined) return []
    return held.writes.length === 0 ? ['held'] : ['held', 'held-writes']
  },

  abandon(state, code, session) {
    const ends: NewEvent[] = []
    for (const held of state.flagged.values()) {
      for (const write of held.writes) {
        if (session === undefined || write.session === session) ends.push(endOf('hold.dropped', write, code))
      }
    }
    if (session !== undefined) return ends
    const unfinished = [...state.backups.values()].filter((backup) => backup.phase === 'quiescing')
    return [...ends, ...unfinished.map((backup) => aborted(backup, code))]
  },
  resume: () => [],

  hash(state, lanes) {
    lanes.add(state.begun, 3)
    for (const backup of state.backups.values()) {
      lanes.add(backup.tag, { quiescing: 1, holding: 2, stopping: 3 }[backup.phase])
    }
    for (const [volume, held] of state.flagged) {
      lanes.add(volume, 2 ** 40 + held.writes.length)
      lanes.add(volume, 2 ** 41 + held.bytes)
      lanes.include(volume + 2 ** 42, held.lanes.low, held.lanes.high)
    }
  },
  save: (state) => [
    state.begun,
    [...state.backups.values()].map((backup) => ({ ...backup, volumes: [...backup.volumes] })),
    [...state.flagged].map(([volume, held]) => [volume, [...held.writes]]),
  ],
  load(saved) {
    const [begun, backups, flagged] = saved as [number, Backup[], [number, Request[]][]]
    const state: HoldQueue = { begun, backups: new Map(), flagged: new Map() }
    for (const backup of backups) state.backups.set(backup.tag, backup)
    for (const [volume, writes] of flagged) {
      const held = nothingHeld()
      for (const write of writes) joined(held, write)
      state.flagged.set(volume, held)
    }
    return state
  },
}

function hold(state: HoldQueue, event: Event): void {
  const held = state.flagged.get(event.volume)
  if (event.fate === 'queued') {
    must(held === undefined, 'S1-I2', `write ${event.seq} is queued below the gate while its flag is set`)
  }
  if (event.fate !== 'held') return
  must(
    held !== undefined,
    'S1-I6',
    `write ${event.seq} is held though no backup covers volume ${event.volume}`,
  )
  const write = requestOf(event)
  const before = held.writes.last()
  must(before === undefined || before.io < write.io, 'S1-I1', `write ${write.io} is held out of order`)
  joined(held, write)
}

function release(state: HoldQueue, event: Event, world: World): void {
  const from = inFlightOf(world).held.get(event.about)?.volume ?? event.volume
  if (from !== event.volume && reached(world, event.session, from) === event.volume) {
    return redirect(state.flagged.get(from), event)
  }
  const held = state.flagged.get(event.volume)
  must(!isCovered(state, event.volume), 'S1-I9', `write ${event.about} is released during a backup`)
  const oldest = held?.writes.peek()
  must(
    held !== undefined && oldest !== undefined,
    'S1-I4',
    `write ${event.about} is released, nothing is held`,
  )
  must(oldest.io === event.about, 'S1-I4', `write ${event.about} is released before write ${oldest.io}`)
  held.writes.shift()
  left(held, oldest)
}

/** A write held on a base leaves for the view its session was rebound to, in order, while the base stays held. */
function redirect(held: Held | undefined, event: Event): void {
  const next = held?.leaving.shift()
  must(
    next?.io === event.about,
    'S1-I4',
    `write ${event.about} leaves for volume ${event.volume} out of turn`,
  )
  if (held!.writes.peek()?.io === next.io) held!.writes.shift()
  else held!.writes.remove((write) => write.io === next.io)
  left(held!, next)
}

function begin(state: HoldQueue, event: Event, world: World): void {
  const name = text(event.detail, 'name')
  must(event.tag === state.begun + 1, 'S1-I12', `backup ${name} has number ${event.tag}`)
  for (const backup of state.backups.values()) {
    must(backup.name !== name, 'S1-I12', `backup ${name} is already running`)
  }
  state.begun = event.tag
  state.backups.set(event.tag, backupOf(event))
  for (const volume of counts(event.detail, 'volumes')) {
    const exists = volumeOf(world, volume) !== undefined
    must(exists, 'S1-I12', `backup ${name} is of volume ${volume}, which does not exist`)
    if (!state.flagged.has(volume)) state.flagged.set(volume, nothingHeld())
  }
}

function known(state: HoldQueue, event: Event): Backup {
  const backup = state.backups.get(event.tag)
  must(backup !== undefined, 'S1-I12', `${event.kind} names backup ${event.tag}, which is not active`)
  return backup
}

/** This layer's state in the world. */
export function holdQueueOf(world: World): HoldQueue {
  return world.own['hold-queue'] as HoldQueue
}
