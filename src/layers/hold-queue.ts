/**
 * Hold queue (seed S1). While a backup covers a volume the writes it asks for wait in order of arrival; when the last
 * covering backup ends they go down to the layers below in that same order. Reads, flushes, other volumes, and writes
 * out of every scope that overlap nothing held never wait.
 *
 *     idle ── flag_set ──▶ quiescing ── started ──▶ holding ── stopping ──▶ draining ── flag_cleared ──▶ idle
 *                             └──────────────── expired, aborted ──────────────▶┘
 *
 * The flag is set for all covered volumes in one event, so that there is one point in time: `backup.started`,
 * when no write that passed the gate still waits below it. Backups nest: the flag stays until the last one ends, and
 * the scope in force is the union. A backup has a deadline, counted from the flag, and bounds for its queue (SPEC
 * 3.6); what reaching one does is its policy:
 *
 *     abort-backup   every backup of the volume is aborted, and what is held is released in order
 *     error-writes   what is held fails, oldest first, the backup goes on; past the deadline what it asks for is refused
 *     backpressure   a full queue refuses new writes, E_AGAIN; past the deadline as abort-backup
 *
 * Beside it: backup (its terms), backup-scope (what it covers), hold-gate (what becomes of a write), request-log.
 * Claims: 1-23.
 */

import { must } from '../core/assert.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { count, counts, countsIfAny, text } from '../events/detail.ts'
import { aborted, type Backup, backupOf } from './backup.ts'
import { decideBackup, targetsOf } from './backup-command.ts'
import { sourcesOf } from './backup-scope.ts'
import { volumesOn } from './device.ts'
import { admit, failed, released, submitted, tookEffect } from './hold-gate.ts'
import {
  coveringBackups,
  emptyQueue,
  forget,
  type HoldQueue,
  hashQueue,
  isBroken,
  isCovered,
  left,
  loadQueue,
  nothingHeld,
  outlivesCrash,
  saveQueue,
} from './hold-queue-state.ts'
import { admittedWrites } from './in-flight.ts'
import { type Due, type Layer, volumeOf, type World } from './layer.ts'
import { pairsOf } from './pair-state.ts'
import { reached } from './preserve-state.ts'
import { endOf } from './request.ts'
import { committed } from './request-log.ts'
import { restoresOf } from './restore-state.ts'

export const holdQueue: Layer<HoldQueue> = {
  name: 'hold-queue',
  hears: [
    'io.write',
    'io.zeroes',
    'io.discard',
    'io.flush',
    'hold.released',
    'hold.dropped',
    'hold.failed',
    'backup.flag_set',
    'backup.started',
    'backup.stopping',
    'backup.stopped',
    'backup.expired',
    'backup.aborted',
    'backup.flag_cleared',
    'deadline.reached',
    'fsmeta.committed',
    'copy.started',
    'copy.report',
    'session.closed',
    'engine.started',
    'engine.recovered',
    'session.rebound',
  ],
  commands: ['backup.start', 'backup.stop', 'deadline.reached', 'fsmeta.commit'],
  start: emptyQueue,
  active: (state, volume) =>
    state.flagged.has(volume) || [...state.broken.values()].some((one) => one.volumes.includes(volume)),

  forbids: (state, request) =>
    request.op === 'read' && isBroken(state, request.session, request.volume) ? 'E_BROKEN' : undefined,

  admit,
  effect: tookEffect,

  evolve(state, event, world) {
    switch (event.kind) {
      case 'io.write':
      case 'io.zeroes':
      case 'io.discard':
        return submitted(state, event, world)
      case 'io.flush':
        return must(event.fate !== 'held', 'S1-I11', `flush ${event.seq} is held`)
      case 'hold.released':
        return released(state, event, world)
      case 'hold.failed':
        return failed(state, event)
      case 'hold.dropped': {
        const held = state.flagged.get(event.volume)
        const write = held?.writes.take(event.about)
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
      case 'backup.aborted': {
        const { session, volumes } = known(state, event)
        if (session !== 0) state.broken.set(event.tag, { session, volumes })
        state.backups.delete(event.tag)
        return
      }
      case 'deadline.reached': {
        const late = state.backups.get(event.tag)
        if (late?.policy === 'error-writes') late.overdue = true
        return
      }
      case 'fsmeta.committed':
        return committed(state, event, world)
      case 'copy.started':
      case 'copy.report':
        return copied(state, event, world)
      case 'session.closed':
        return forget(state, event.session)
      case 'engine.started':
        return state.broken.clear()
      case 'engine.recovered':
        for (const [volume, held] of state.flagged) {
          const kept = held.writes.length === 0 || outlivesCrash(state, volume)
          must(kept, 'S1-I9', `writes of volume ${volume} are still held after a crash`)
        }
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
    if (state.backups.size + state.flagged.size === 0) return undefined
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

  targets: (_state, command, world) => targetsOf(command, world),
  marks(state, volume) {
    const held = state.flagged.get(volume)
    if (held === undefined) return []
    return held.writes.length === 0 ? ['held'] : ['held', 'held-writes']
  },

  abandon(state, code, session) {
    const ends: NewEvent[] = []
    for (const [volume, held] of state.flagged) {
      if (code === 'E_CRASH' && outlivesCrash(state, volume)) continue
      for (const write of held.writes) {
        if (session === undefined || write.session === session) ends.push(endOf('hold.dropped', write, code))
      }
    }
    if (session !== undefined) return ends
    const unfinished = [...state.backups.values()].filter((backup) => backup.phase === 'quiescing')
    return [...ends, ...unfinished.map((backup) => aborted(backup, code))]
  },
  resume: () => [],

  hash: hashQueue,
  save: saveQueue,
  load: loadQueue,
}

function begin(state: HoldQueue, event: Event, world: World): void {
  const name = text(event.detail, 'name')
  must(event.tag === state.begun + 1, 'S1-I12', `backup ${name} has number ${event.tag}`)
  for (const backup of state.backups.values()) {
    must(backup.name !== name, 'S1-I12', `backup ${name} is already running`)
  }
  state.begun = event.tag
  if (event.session !== 0) forget(state, event.session)
  state.backups.set(event.tag, backupOf(event))
  const volumes = counts(event.detail, 'volumes')
  for (const volume of [
    ...volumesOn(world, countsIfAny(event.detail, 'devices')),
    ...volumes.flatMap((one) => sourcesOf(world, one)),
  ]) {
    const covered = volumes.includes(volume)
    must(covered, 'S1-I2', `backup ${name} leaves out volume ${volume}, which it reaches`)
  }
  for (const volume of volumes) {
    const exists = volumeOf(world, volume) !== undefined
    must(exists, 'S1-I12', `backup ${name} is of volume ${volume}, which does not exist`)
    if (!state.flagged.has(volume)) state.flagged.set(volume, nothingHeld())
  }
}

/** Nobody writes the media of a physically held volume, the copier included (X-I3). */
function copied(state: HoldQueue, event: Event, world: World): void {
  const held = coveringBackups(state, event.volume).some((backup) => backup.mode === 'physical')
  if (!held) return
  const pair = pairsOf(world).byTag.get(event.tag)
  const gate = event.volume === pair?.clone ? pair.gate : restoresOf(world).byTag.get(event.tag)?.gate
  const effective = event.kind === 'copy.started' || (event.code === 'ok' && gate?.isOf(event) === true)
  must(!effective, 'X-I3', `a copy writes volume ${event.volume} while a physical backup covers it`)
}

function known(state: HoldQueue, event: Event): Backup {
  const backup = state.backups.get(event.tag)
  must(backup !== undefined, 'S1-I12', `${event.kind} names backup ${event.tag}, which is not active`)
  return backup
}

/** True when a backup of one of these devices is active: no volume may come to lie on it meanwhile. */
export function isHeld(world: World, devices: readonly number[]): boolean {
  const backups = [...holdQueueOf(world).backups.values()]
  return backups.some((backup) => backup.devices.some((one) => devices.includes(one)))
}

/** This layer's state in the world. */
export function holdQueueOf(world: World): HoldQueue {
  return world.own['hold-queue'] as HoldQueue
}
