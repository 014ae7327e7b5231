/** What one says of a tapped volume: its tap, what the far server answers, and how the tap ends. */

import type { Code } from '../../src/events/code.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { tapOf } from '../../src/layers/tap-state.ts'
import { block, session, volume, volumeBlocks } from './given.ts'
import type { History } from './history.ts'

/** Puts a tap before a volume of the usual size. */
export function attach(of = 1, copied = false): NewEvent {
  const detail = { uri: 'nbd://far/disk', size: volumeBlocks * block, copied }
  return { kind: 'tap.attach', volume: of, detail }
}

/** The far server answers the request that was forwarded as event `about`. */
export function report(about: number, code: Code = 'ok'): NewEvent {
  return { kind: 'tap.report', volume: 1, about, code }
}

/** It answers the oldest one that waits. */
export function answers(code: Code = 'ok'): (history: History) => void {
  return (history) => {
    const [io] = tapOf(history.world, 1)!.waiting.keys()
    history.enter(report(io!, code))
  }
}

export function detach(code: Code = 'ok'): NewEvent {
  return { kind: 'tap.detach', volume: 1, code }
}

export function forwarded(asked: NewEvent): NewEvent {
  return { ...asked, fate: 'forwarded' }
}

export function freedAfar(asked: NewEvent): NewEvent {
  const { session: host = 1, request = 0, op = 'none' } = asked
  return { kind: 'tap.released', fate: 'passed', session: host, request, op }
}

/** Volume 1 is tapped, and a host is there. */
export const tapped: readonly NewEvent[] = [volume('disk'), session(), attach()]
