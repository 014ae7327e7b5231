/**
 * Where branches come from: a branch that is asked for by an address of the past, and rule B-I3, that the map it was
 * finished with is what its source showed its readers at that moment.
 */

import type { Finding } from '../check/check.ts'
import { BlockboxError } from '../core/errors.ts'
import type { Journal } from '../journal/journal.ts'
import { mapHashOf } from '../layers/branch.ts'
import { branchesOf } from '../layers/branch-state.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { imageOf } from '../volume/content.ts'
import { worldAt } from './at.ts'
import type { Point } from './point.ts'
import { volumeAt } from './volume-at.ts'

/** The command for a branch `name` of a volume at a point. Throws NO_SUCH_VOLUME, NO_SUCH_POINT, JOURNAL_TRUNCATED. */
export async function branchCommand(
  journal: Journal,
  { volume, point }: { readonly volume: string; readonly point: Point },
  name: string,
  signal?: AbortSignal,
) {
  const at = await volumeAt(journal, volume, point, signal)
  const detail = { name, from: at.volume.id, seq: at.seq, size: at.volume.size }
  return { kind: 'volume.branch', detail } as const
}

/** The branches of a state whose maps were not those of their origins. Moments that were given up are not looked at. */
export async function wrongBranches(
  journal: Journal,
  world: World,
  signal?: AbortSignal,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { volume, from, seq, startedSeq, mapHash } of branchesOf(world).byVolume.values()) {
    if (mapHash === '' || seq < journal.bounds().first - 1) continue
    const past = await worldAt(journal, seq, signal)
    const source = volumeOf(past, from)
    if (source !== undefined && hashSeen(past, source.id) === mapHash) continue
    const detail = `branch ${volume} did not begin as volume ${from} was after event ${seq}`
    findings.push({ seq: startedSeq, rule: 'B-I3', detail })
  }
  return findings
}

/** The hash of what readers saw of a volume; undefined while a part of it was not known. */
function hashSeen(world: World, id: number): string | undefined {
  try {
    return mapHashOf(imageOf(world, volumeOf(world, id)!))
  } catch (error) {
    if (error instanceof BlockboxError && error.code === 'NO_SUCH_POINT') return undefined
    throw error
  }
}
