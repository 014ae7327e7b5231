/** Planted faults of fences in company: a second fence, the data mover, a restore behind a fence. */

import type { NewEvent } from '../../src/events/columns.ts'
import { block, cloned, copied, copyEnds, restore, type Step, session, write } from '../support/given.ts'
import { asks, durable, ends, fence, hosts, raise, reports } from '../support/given-fence.ts'
import { type Canary, overwrite, plant } from './canary.ts'

const filled: readonly Step[] = [...hosts, write(1, { count: 16 })]
const saved: readonly Step[] = [...filled, raise()]
const fenced: readonly Step[] = [...saved, durable]
const partial: readonly Step[] = [...filled, raise({ meta: [8], covered: [9] }), durable]
const operating: readonly Step[] = [...fenced, fence('operate')]
const behindClone: readonly Step[] = [...cloned, session('other'), write(1, { count: 16 }), raise(), durable]
const owned = { ...restore('p'), session: 1 }

const about = (kind: NewEvent['kind'], more: Partial<NewEvent> = {}): NewEvent => ({
  kind,
  tag: 1,
  volume: 1,
  ...more,
})
const internal = (kind: NewEvent['kind'], at: number, payload: number, cause = 1): NewEvent =>
  about(kind, { offset: at * block, length: block, payload, op: 'write', fate: 'passed', about: cause })
const requested = (tag: number, name: string, meta: number[]): NewEvent => {
  const { detail } = raise({ name, meta })
  return about('fence.requested', { tag, session: 1, detail: { ...detail, owner: 'owner', atUs: 0 } })
}
const dispatched = (image: string) => ({ image, digest: 'd', size: block, controlBytes: 1 })

export const moverCanaries: readonly Canary[] = [
  {
    rule: 'S0-I9',
    what: 'a second fence meets the first',
    past: partial,
    fault: [plant(requested(2, 'g', [2]))],
    sound: [raise({ name: 'g', meta: [2], covered: [3] }), durable],
  },
  {
    rule: 'S0-I10',
    what: 'the mover copies what nobody asked for',
    past: operating,
    fault: [plant(internal('mover.copied', 5, 50_000))],
    sound: [],
  },
  {
    rule: 'S0-I10',
    what: 'a mover is sent without a request',
    past: fenced,
    fault: [plant(about('mover.dispatched'))],
    sound: [asks()],
  },
  {
    rule: 'S0-I10',
    what: 'two movers are asked for at once',
    past: [...fenced, asks()],
    fault: [plant(about('mover.requested', { session: 1, detail: dispatched('second') }))],
    sound: [],
  },
  {
    rule: 'S0-I10',
    what: 'the mover copies something else than it reported',
    past: [...fenced, asks(), reports(0, 4, 50_000)],
    fault: [plant(internal('mover.copied', 5, 50_000))],
    sound: [reports(4, 1, 50_000)],
  },
  {
    rule: 'S0-I10',
    what: 'the mover is done before all is there',
    past: [...fenced, asks(), reports(0, 15, 50_000)],
    fault: [plant(about('mover.done', { detail: { dataBytes: 16 * block, controlBytes: 1 } }))],
    sound: [reports(15, 1, 0), ends()],
  },
  {
    rule: 'X-I4',
    what: 'a restore begins behind a partial fence',
    past: [...cloned, write(1, { count: 16 }), raise({ meta: [8], covered: [9] }), durable],
    fault: [
      plant({
        kind: 'restore.started',
        tag: 1,
        detail: { protected: true, cdmCount: 0, cdmHash: '', cloneHash: '' },
      }),
    ],
    sound: [],
  },
  {
    rule: 'X-I4',
    what: 'a copy of the restore lifts the fence',
    past: [...behindClone, owned, copyEnds(1, 0)],
    fault: [overwrite(1, 1, 5), copied, fence('lower')],
    sound: [copied, fence('lower'), durable],
  },
  {
    rule: 'X-I4',
    what: 'a restore brings metadata that the fence does not cover',
    past: [...behindClone, owned],
    fault: [plant(about('fence.meta_buffered', { offset: 5 * block, length: block, payload: 5 }))],
    sound: [copied],
  },
]
