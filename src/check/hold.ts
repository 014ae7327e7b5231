/**
 * The hold of a backup: what it reads does not change between start and stop, be it what readers of the volumes see
 * (S1-I3) or, of a physical backup, the media (X-I3); when the last covering backup ended nothing is held any more in
 * the same entry (S1-I9); no read finds what is held (S1-I10).
 */

import { Lanes, lanesText } from '../core/lanes.ts'
import { overlap } from '../core/range.ts'
import type { Event } from '../events/columns.ts'
import { isInput } from '../events/kind.ts'
import type { Backup } from '../layers/backup.ts'
import { isSubject } from '../layers/backup-scope.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import { isCovered } from '../layers/hold-queue-state.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { blocksOf } from '../layers/pair-state.ts'
import { imageOf, isKnown } from '../volume/content.ts'
import type { MakeCheck } from './check.ts'

export const hold: MakeCheck = (report) => {
  /** By backup, the hash of each of its volumes when it started. */
  const images = new Map<number, ReadonlyMap<number, string>>()

  const finished = (seq: number, world: World) => {
    const state = holdQueueOf(world)
    for (const volume of state.flagged.keys()) {
      if (isCovered(state, volume)) continue
      const detail = `volume ${volume} is still held though no backup covers it any more`
      report({ seq: seq - 1, rule: 'S1-I9', detail })
    }
  }

  const compare = (event: Event, world: World) => {
    const backup = holdQueueOf(world).backups.get(event.tag)
    if (backup === undefined) return
    const rule = backup.mode === 'physical' ? 'X-I3' : 'S1-I3'
    for (const [volume, hash] of images.get(event.tag) ?? []) {
      if (hash === hashOf(backup, volume, world)) continue
      const detail = `volume ${volume} is not what it was when backup ${event.tag} started`
      report({ seq: event.seq, rule, detail })
    }
    images.delete(event.tag)
  }

  const read = (event: Event, world: World) => {
    const held = holdQueueOf(world).flagged.get(event.volume)
    const volume = volumeOf(world, event.volume)
    if (held === undefined || held.writes.length === 0 || volume === undefined) return
    for (const write of held.writes) {
      if (write.op !== 'write' || !overlap(write, event)) continue
      const { first } = blocksOf(write, volume)
      const own = Math.max(1, Math.floor(write.length / volume.block))
      for (let k = 0; k < own; k++) {
        const range = { offset: (first + k) * volume.block, length: volume.block }
        const seen = volume.map.get(first + k) === write.payload + k * volume.map.step
        if (!seen || !overlap(range, event)) continue
        const detail = `read ${event.request} finds write ${write.io}, which is held`
        report({ seq: event.seq, rule: 'S1-I10', detail })
        return
      }
    }
  }

  return {
    rules: ['S1-I3', 'S1-I9', 'S1-I10', 'X-I3'],
    before(event, world) {
      if (isInput(event.kind) && holdQueueOf(world).flagged.size > 0) finished(event.seq, world)
      if (event.kind === 'backup.stopping') compare(event, world)
      if (event.kind === 'backup.expired' || event.kind === 'backup.aborted') images.delete(event.tag)
      if (event.fate === 'passed' && event.op === 'read') read(event, world)
    },
    after(event, world) {
      if (event.kind !== 'backup.started') return
      const backup = holdQueueOf(world).backups.get(event.tag)!
      const known = backup.volumes.filter((volume) => backup.mode === 'physical' || isKnown(world, volume))
      images.set(event.tag, new Map(known.map((volume) => [volume, hashOf(backup, volume, world)])))
    },
    end(world) {
      if (holdQueueOf(world).flagged.size > 0 && world.recovered) finished(world.seq + 1, world)
    },
  }
}

/** What a backup reads of a volume: its content as readers see it, or its media; only what is under backup. */
function hashOf(backup: Backup, id: number, world: World): string {
  const volume = volumeOf(world, id)!
  const { map } = backup.mode === 'physical' ? volume : imageOf(world, volume)
  if (backup.scope === 'all') return lanesText(map.hashLow, map.hashHigh)
  const lanes = new Lanes()
  const { block, size } = volume
  map.eachMapped(0, size / block, (k, place) => {
    if (isSubject(backup, id, { offset: k * block, length: block }, 0, world)) lanes.add(k, place)
  })
  return lanesText(lanes.low, lanes.high)
}
