/** Planted faults of fences: S0. */

import type { NewEvent } from '../../src/events/columns.ts'
import { block, crash, passed, read, refused, type Step, session, write } from '../support/given.ts'
import {
  asks,
  durable,
  fence,
  fenceIn,
  hosts,
  patternPlace,
  raise,
  reports,
  update,
} from '../support/given-fence.ts'
import { type Canary, overwrite, plant } from './canary.ts'

const filled: readonly Step[] = [...hosts, write(1, { count: 16 })]
const saved: readonly Step[] = [...filled, raise()]
const fenced: readonly Step[] = [...saved, durable]
const advisory: readonly Step[] = [...filled, raise({ advisory: true }), durable]
const partial: readonly Step[] = [...filled, raise({ meta: [8], covered: [9] }), durable]
const operating: readonly Step[] = [...fenced, fence('operate')]
const other = { session: 2 }

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

export const fenceCanaries: readonly Canary[] = [
  {
    rule: 'S0-I1',
    what: 'the pattern is written before what it overwrites is durable',
    past: saved,
    fault: [plant(internal('fence.pattern_written', 0, patternPlace))],
    sound: [durable],
  },
  {
    rule: 'S0-I1',
    what: 'metadata is saved twice',
    past: fenced,
    fault: [plant(about('fence.saved', { detail: { hash: '' } }))],
    sound: [],
  },
  {
    rule: 'S0-I2',
    what: 'the operation starts before the pattern is in',
    past: saved,
    fault: [plant(about('op.started'))],
    sound: [durable, fence('operate')],
  },
  {
    rule: 'S0-I2',
    what: 'a fence is raised with metadata in the open',
    past: saved,
    fault: [plant(about('fence.raised'))],
    sound: [durable],
  },
  {
    rule: 'S0-I2',
    what: 'the owner writes data before its operation',
    past: fenced,
    fault: [plant(passed(write(2, { at: 5 })))],
    sound: [fence('operate'), write(2, { at: 5 })],
  },
  {
    rule: 'S0-I2',
    what: 'the owner writes data while the fence is raised',
    past: saved,
    fault: [plant(passed(write(2, { at: 5 })))],
    sound: [],
  },
  {
    rule: 'S0-I3',
    what: 'valid metadata comes during the operation',
    past: operating,
    fault: [plant(internal('fence.meta_written', 1, 1008))],
    sound: [],
  },
  {
    rule: 'S0-I3',
    what: 'the mountable block is written first',
    past: [...fenced],
    fault: [
      plant(about('fence.lowering', { detail: { kind: 'saved' } }), internal('fence.meta_written', 0, 1000)),
    ],
    sound: [fence('lower'), durable],
  },
  {
    rule: 'S0-I3',
    what: 'the mountable block is written before the rest is durable',
    past: [...fenced, fence('lower')],
    fault: [plant(internal('fence.meta_written', 0, 1000))],
    sound: [durable],
  },
  {
    rule: 'S0-I3',
    what: 'the fence is gone before its metadata is back',
    past: [...fenced, fence('lower')],
    fault: [plant(about('fence.lowered', { detail: { kind: 'saved' } }))],
    sound: [durable],
  },
  {
    rule: 'S0-I3',
    what: 'the owner writes data while metadata comes back',
    past: [...operating, fence('finish'), fence('lower')],
    fault: [plant(passed(write(2, { at: 5 })))],
    sound: [durable],
  },
  {
    rule: 'S0-I4',
    what: 'the owner writes metadata on the device',
    past: operating,
    fault: [plant(passed(write(2)))],
    sound: [update(0, 5000)],
  },
  {
    rule: 'S0-I4',
    what: 'metadata on the device is not the pattern any more',
    past: fenced,
    fault: [overwrite(1, 8, 5), fence('lower')],
    sound: [fence('lower'), durable],
  },
  {
    rule: 'S0-I4',
    what: 'something else than the pattern is written',
    past: [
      ...saved,
      (history) => {
        fenceIn(history).phase = 'raising'
      },
    ],
    fault: [plant(internal('fence.pattern_written', 0, 5))],
    sound: [
      (history) => {
        fenceIn(history).phase = 'saving'
      },
    ],
  },
  {
    rule: 'S0-I4',
    what: 'image metadata goes to the device',
    past: [...fenced, asks()],
    fault: [
      (history) => fenceIn(history).mover!.pending.push({ seq: 1, offset: 0, length: block, place: 50_000 }),
      plant(internal('mover.copied', 0, 50_000)),
    ],
    sound: [reports(0, 1, 50_000)],
  },
  {
    rule: 'S0-I5',
    what: 'another host writes behind the fence',
    past: fenced,
    fault: [plant(passed(write(2, { ...other, at: 5 })))],
    sound: [write(2, { ...other, at: 5 })],
  },
  {
    rule: 'S0-I5',
    what: 'another host reads behind the fence',
    past: fenced,
    fault: [plant(passed(read(2, { ...other, at: 5 })))],
    sound: [read(2, other)],
  },
  {
    rule: 'S0-I5',
    what: 'a request behind an advisory fence is not recorded',
    past: advisory,
    fault: [
      plant(passed(read(2, { ...other, at: 5 }))),
      (history) => {
        fenceIn(history).trespasses = []
      },
      read(3, other),
    ],
    sound: [read(2, { ...other, at: 5 }), read(3, other)],
  },
  {
    rule: 'S0-I5',
    what: 'a violation is recorded that never was',
    past: advisory,
    fault: [plant(about('fence.violation', { session: 2, request: 1, about: 1 }))],
    sound: [],
  },
  {
    rule: 'S0-I6',
    what: 'a request beside the fence is refused',
    past: partial,
    fault: [plant(refused(write(2, other), 'E_FENCED'))],
    sound: [write(2, other)],
  },
  {
    rule: 'S0-I7',
    what: 'other metadata comes back than was saved',
    past: [...fenced],
    fault: [
      plant(about('fence.lowering', { detail: { kind: 'saved' } }), internal('fence.meta_written', 1, 5)),
    ],
    sound: [fence('lower'), durable],
  },
  {
    rule: 'S0-I7',
    what: 'something is saved that is not there',
    past: [...hosts],
    fault: [plant(requested(1, 'f', [0]), about('fence.saved', { detail: { hash: '' } }))],
    sound: [raise(), durable],
  },
  {
    rule: 'S0-I7',
    what: 'metadata changes between its writing and the end',
    past: [...fenced, fence('lower')],
    fault: [overwrite(1, 8, 5), durable],
    sound: [durable],
  },
  {
    rule: 'S0-I7',
    what: 'metadata changes unseen behind an advisory fence that is lowered',
    past: [...advisory, fence('lower')],
    fault: [overwrite(1, 8, 5), durable],
    sound: [durable],
  },
  {
    rule: 'S0-I8',
    what: 'old metadata comes back over new data',
    past: [...operating, write(2, { at: 5 }), fence('finish')],
    fault: [plant(about('fence.aborted'))],
    sound: [fence('lower'), durable],
  },
  {
    rule: 'S0-I8',
    what: 'a host finds neither metadata nor the pattern after a crash',
    past: fenced,
    fault: [crash, overwrite(1, 8, 5), session('again')],
    sound: [crash, session('again')],
  },
  {
    rule: 'S0-I8',
    what: 'a host finds old metadata over new data after a crash',
    past: [...operating, write(2, { at: 5 })],
    fault: [crash, overwrite(1, 8, 1064), session('again')],
    sound: [crash, session('again')],
  },
]
