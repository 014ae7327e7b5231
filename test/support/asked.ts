/** Commands that only few histories give: restores under control, volumes that change, sessions sent elsewhere. */

import type { NewEvent } from '../../src/events/columns.ts'
import { block, extentBlocks, type Step, volumeBlocks } from './given.ts'

export function pause(name: string): NewEvent {
  return { kind: 'restore.pause', detail: { pair: name } }
}

export function resume(name: string): NewEvent {
  return { kind: 'restore.resume', detail: { pair: name } }
}

export function cancel(name: string, force = true): NewEvent {
  return { kind: 'restore.cancel', detail: { pair: name, force } }
}

export function remove(volume: number): NewEvent {
  return { kind: 'volume.delete', volume }
}

export function resize(volume: number, blocks: number): NewEvent {
  return { kind: 'volume.resize', volume, detail: { size: blocks * block } }
}

/** A pair whose clone lives outside; its content is `outside(block)`. */
export function outsidePair(
  name: string,
  source = 1,
  blocks = volumeBlocks,
  extent = extentBlocks,
): NewEvent {
  const file = { path: '/clone.raw', size: blocks * block, sha256: '' }
  return { kind: 'pair.create', detail: { name, source, clone: 0, extent: extent * block, ...file } }
}

/** The pair is given up; both volumes stay. */
export function unpair(name: string): NewEvent {
  return { kind: 'pair.delete', detail: { name } }
}

/** The same command with an idempotency key. */
export function keyed(asked: NewEvent, key: string): NewEvent {
  return { ...asked, detail: { ...asked.detail, key } }
}

export function rebind(to: number, { from = 1, session = 1 } = {}): NewEvent {
  return { kind: 'session.rebind', session, detail: { from, to } }
}

/** The session ends in an orderly way: what it submitted is still handled. */
export function leave(session = 1): NewEvent {
  return { kind: 'session.close', session, detail: { orderly: true } }
}

/** The file system brings its metadata up to the write of that number, or to a log entry. */
export function commitTo(request: number, volume = 1): Step {
  return (history) => {
    const logged = history.ledger
      .from(1)
      .find((event) => event.request === request && event.volume === volume)
    history.enter(commit(logged!.seq, volume))
  }
}

export function commit(n: number, volume = 1): NewEvent {
  return { kind: 'fsmeta.commit', volume, detail: { n } }
}
