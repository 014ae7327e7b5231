/**
 * A busy time: three volumes, two pairs, backups, restores, hosts at work, copies that end well or not. Made from a
 * list of numbers, so that a property test can shorten it; the same numbers are the same run.
 */

import type { Run } from './run.ts'

export const volumeBlocks = 16
const extent = 4 * 4096

/** Three volumes with content, two pairs of the first with the others, a session. */
export async function prepare(run: Run): Promise<void> {
  for (const name of ['disk', 'clone', 'other']) await run.volume(name, volumeBlocks)
  await run.must('session.open', { name: 'host' })
  await Promise.all([0, 5, 9, 15].map((at) => run.io('io.write', { at })))
  await Promise.all([3, 9].map((at) => run.io('io.write', { at, volume: 2 })))
  await run.must('pair.create', { name: 'p', source: 1, clone: 2, extent })
  await run.must('pair.create', { name: 'q', source: 1, clone: 3, extent: extent / 2 })
}

/** Pair p synced and fractured, both sides changed, and a restore of it under way with hosts that wait for it. */
export async function restoring(run: Run): Promise<void> {
  await run.must('pair.sync', { name: 'p' })
  run.post('io.write', { at: 1 })
  for (await run.settled(); run.copies.length > 0; await run.settled()) run.endCopy()
  await run.must('pair.fracture', { name: 'p' })
  for (const at of [0, 4, 8, 12]) run.post('io.write', { at, count: 2 })
  await run.must('restore.start', { pair: 'p', protected: true })
  for (const at of [1, 5, 9]) run.post('io.write', { at })
  run.post('io.read', { at: 13 })
  await run.settled()
  run.endCopy('E_IO')
  run.endCopy()
  await run.settled()
}

/** Does what a number says. Numbers are whole and not negative; any will do. */
export async function act(run: Run, number: number): Promise<void> {
  const kind = number % 23
  const rest = Math.floor(number / 23)
  const volume = 1 + (rest % 3)
  const at = Math.floor(rest / 3) % volumeBlocks
  const count = 1 + (Math.floor(rest / 48) % Math.min(6, volumeBlocks - at))
  const place = { volume: kind < 6 ? 1 : volume, at, count }
  switch (kind) {
    case 0:
    case 1:
    case 2:
    case 6:
    case 7:
      return begin(run.io('io.write', place))
    case 3:
    case 8:
      return begin(run.io('io.read', place))
    case 4:
      return begin(run.io('io.zeroes', place))
    case 9:
      return begin(run.io('io.discard', place))
    case 5:
      return begin(run.io('io.flush', place))
    case 10:
      return begin(run.ask({ kind: 'backup.start', detail: terms(rest) }))
    case 11:
      return begin(run.ask({ kind: 'backup.stop', detail: { name: `b${rest % 2}` } }))
    case 12:
      return begin(run.ask({ kind: 'pair.sync', detail: { name: pairName(rest) } }))
    case 13:
      return begin(run.ask({ kind: 'pair.fracture', detail: { name: pairName(rest) } }))
    case 14:
    case 15:
      return begin(run.ask({ kind: 'restore.start', detail: { pair: pairName(rest), protected: true } }))
    case 16:
    case 17:
      return run.endCopy('ok', rest)
    case 18:
      return run.endCopy(rest % 3 === 0 ? 'E_IO' : 'ok', rest)
    case 19:
      return run.clock.advance(rest % 700)
    case 20:
      return session(run, rest)
    default:
      return run.settled()
  }
}

/** Not waited for: a held request is answered later, or never. */
function begin(_answer: Promise<unknown>): void {}

function pairName(rest: number): string {
  return rest % 2 === 0 ? 'p' : 'q'
}

function terms(rest: number) {
  const volumes = [[1], [1, 2], [2], [3, 1]][rest % 4]!
  const maxEntries = rest % 3 === 0 ? 3 : 0
  const ranges = [volumes[0]!, 0, 8 * 4096]
  const options = [
    {},
    {},
    { policy: 'error-writes' },
    { policy: 'backpressure' },
    { scope: 'blocks', ranges },
  ]
  const bounds = { deadlineMs: 1000, maxEntries, maxBytes: 0 }
  return { name: `b${rest % 2}`, volumes, ...bounds, ...options[rest % 5] }
}

function session(run: Run, rest: number): void {
  if (rest % 4 !== 0) return begin(run.ask({ kind: 'session.open', detail: { name: 'more' } }))
  return begin(run.ask({ kind: 'session.close', session: 2 }))
}
