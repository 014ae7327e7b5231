/** Backups by chance: what they cover and ask for, their bounds and policies, commits of metadata, odd terms. */

import type { Prng } from '../../src/core/prng.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { commit } from './asked.ts'
import { backup, blocks } from './given.ts'

/** A start command of that name; volumes have so many blocks, devices are 1 and 2. */
export function anyBackup(
  random: Prng,
  name: string,
  sizes: readonly number[],
  views: readonly number[] = [],
): NewEvent {
  const some = (of: number) => random.below(of) === 0
  const volumes = [...sizes.map((_, k) => k + 1), ...views].filter(() => some(3))
  const terms = some(4) ? { maxEntries: 1 + random.below(3) } : {}
  if (some(2)) return backup(name, volumes, terms)
  const pick = <Value>(values: readonly Value[]) => values[random.below(values.length)]!
  const range = () => {
    const volume = 1 + random.below(sizes.length)
    const at = random.below(sizes[volume - 1]!)
    const [id, offset, length] = blocks(volume, at, 1 + random.below(sizes[volume - 1]! - at))
    return some(5) ? [id!, offset! + 100, 200] : [id!, offset!, length!]
  }
  const scope = pick(['all', 'metadata', 'blocks', 'blocks'])
  return backup(name, some(2) ? [] : volumes, {
    ...terms,
    ...(some(3) && { devices: pick([[1], [2], [1, 2], [3]]) }),
    ...(some(2) && { ranges: some(2) ? range() : [...range(), ...range()] }),
    ...(scope === 'metadata' && some(2) && { layout: range() }),
    ...(some(3) && { mode: pick(['logical', 'physical', 'physical', 'else']) }),
    ...(scope !== 'all' && { scope }),
    ...(some(2) && { policy: pick(['abort-backup', 'error-writes', 'backpressure', 'error-writes']) }),
    ...(some(3) && { crash: pick(['drop', 'requeue', 'requeue']) }),
    ...(some(3) && { session: 1 + random.below(3) }),
  })
}

/** A commit of metadata, up to an entry that is likely to be there. */
export function anyCommit(random: Prng, seq: number, volumes: number): NewEvent {
  return commit(Math.max(0, seq - random.below(40) + 1), 1 + random.below(volumes))
}
