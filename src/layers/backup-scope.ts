/**
 * The scope of a backup: which volumes it covers, and which writes to them it asks to be held (seed S1 claims 1, 10
 * and 11).
 *
 *     scope      asks for
 *     all        every write to a covered volume
 *     metadata   a write marked as metadata, or one that touches the layout given with the backup
 *     blocks     a write that touches the ranges given for the volume, or a stripe of it on a device under backup; of
 *                a volume that has neither, every write
 *
 * A write that touches what is under backup is held whole. A write to a source in sync is one to its clone too, so
 * what covers the clone covers the source (SPEC 7.2).
 */

import { overlap, type Range } from '../core/range.ts'
import type { Code } from '../events/code.ts'
import { counts, countsIfAny, type Detail } from '../events/detail.ts'
import { flag } from '../events/kind.ts'
import type { Backup, Cover } from './backup.ts'
import { devicesOf, liesOn, volumesOn } from './device.ts'
import { volumeOf, type World } from './layer.ts'
import { pairsOf, pairsOn } from './pair-state.ts'
import { heldTogether, preservesOf, viewsOf } from './preserve-state.ts'

/** More numbers than this fit no detail. */
const maxList = 4096

type Asked = Range & { readonly volume: number; readonly flags: number }

/** True when a backup asks for a write to be held: for its volume, a clone that follows it, or a view that shows it. */
export function asksFor(backup: Backup, write: Asked, world: World): boolean {
  if (isSubject(backup, write.volume, write, write.flags, world)) return true
  const views = viewsOf(preservesOf(world), write.volume).map(({ view }) => view)
  const shown = [...clonesOf(world, write.volume), ...views]
  return shown.some((volume) => isSubject(backup, volume, write, write.flags, world))
}

/** True when a range of a volume is under backup; with the flag of metadata, also what a write so marked changes. */
export function isSubject(
  backup: Backup,
  volume: number,
  range: Range,
  flags: number,
  world: World,
): boolean {
  if (!backup.volumes.includes(volume)) return false
  const touches = (ranges: readonly Range[]) => ranges.some((one) => overlap(one, range))
  switch (backup.scope) {
    case 'all':
      return true
    case 'metadata':
      return (flags & flag.meta) !== 0 || touches(backup.layout.get(volume) ?? [])
    case 'blocks': {
      const ranges = backup.ranges.get(volume)
      const layout = devicesOf(world).layouts.get(volume)
      const on = layout?.devices.some((one) => backup.devices.includes(one)) ? layout : undefined
      if (ranges === undefined && on === undefined) return true
      if (ranges !== undefined && touches(ranges)) return true
      return on !== undefined && liesOn(on, backup.devices, range.offset, range.length)
    }
  }
}

/** The clones that a write to a volume takes effect on besides. */
export function clonesOf(world: World, volume: number): number[] {
  const inSync = pairsOn(pairsOf(world), volume).filter(
    (pair) => pair.source === volume && pair.phase === 'in-sync',
  )
  return inSync.map((pair) => pair.clone)
}

/** The sources whose writes take effect on a volume too. */
export function sourcesOf(world: World, volume: number): number[] {
  const inSync = pairsOn(pairsOf(world), volume).filter(
    (pair) => pair.clone === volume && pair.phase === 'in-sync',
  )
  return inSync.map((pair) => pair.source)
}

/** The volumes that a start command reaches, each once: named, named by a range, on a device; sources and bases of these. */
export function reached(detail: Detail, world: World): number[] {
  const named = namedBy(detail)
  const direct = [...named, ...volumesOn(world, countsIfAny(detail, 'devices'))]
  return heldTogether(world, [...direct, ...direct.flatMap((volume) => sourcesOf(world, volume))])
}

/** The volumes a start command names, alone or with a range. */
export function namedBy(detail: Detail): number[] {
  const ranges = countsIfAny(detail, 'ranges')
  return [...new Set([...counts(detail, 'volumes'), ...ranges.filter((_, k) => k % 3 === 0)])]
}

/** What a start command covers, its ranges in whole blocks; or the code of its refusal. */
export function coverOf(detail: Detail, world: World): Cover | Code {
  const devices = countsIfAny(detail, 'devices')
  for (const list of [counts(detail, 'volumes'), devices]) {
    if (new Set(list).size !== list.length) return 'E_NO_VOLUME'
  }
  if (devices.some((one) => devicesOf(world).names[one - 1] === undefined)) return 'E_NO_VOLUME'
  const volumes = reached(detail, world)
  if (volumes.length === 0) return 'E_NO_VOLUME'
  if (volumes.length > maxList) return 'E_BOUND'
  if (volumes.some((volume) => volumeOf(world, volume) === undefined)) return 'E_NO_VOLUME'
  const ranges = widened(countsIfAny(detail, 'ranges'), world)
  const layout = widened(countsIfAny(detail, 'layout'), world)
  if (typeof ranges === 'string') return ranges
  if (typeof layout === 'string') return layout
  return { volumes, devices, ranges, layout }
}

/** Triples of volume, offset and length, made whole blocks; or what is wrong with them. */
function widened(triples: readonly number[], world: World): number[] | Code {
  if (triples.length % 3 !== 0) return 'E_RANGE'
  const wide: number[] = []
  for (let k = 0; k < triples.length; k += 3) {
    const [id, offset, length] = [triples[k]!, triples[k + 1]!, triples[k + 2]!]
    const volume = volumeOf(world, id)
    if (volume === undefined) return 'E_NO_VOLUME'
    if (length === 0 || offset > volume.size - length) return 'E_RANGE'
    const first = Math.floor(offset / volume.block) * volume.block
    const end = Math.ceil((offset + length) / volume.block) * volume.block
    wide.push(id, first, end - first)
  }
  return wide
}
