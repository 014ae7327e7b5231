/** Planted faults of taps: what ends that never was forwarded, and who changes what a far server has. */

import { block, flush, read, session, volume, write, zeroes } from '../support/given.ts'
import { answers, attach, detach, forwarded, freedAfar, tapped } from '../support/given-tap.ts'
import { type Canary, plant } from './canary.ts'

const range = { offset: 0, length: block, volume: 1 }

export const tapCanaries: readonly Canary[] = [
  {
    rule: 'T-I1',
    what: 'a request is released that was never forwarded',
    past: tapped,
    fault: [plant({ ...freedAfar(write(1)), ...range, payload: 1000, about: 5 })],
    sound: [write(1), answers()],
  },
  {
    rule: 'T-I1',
    what: 'a request is released twice',
    past: [...tapped, write(1), answers()],
    fault: [plant({ ...freedAfar(write(1)), ...range, payload: 1000, about: 7 })],
    sound: [write(2), answers()],
  },
  {
    rule: 'T-I1',
    what: 'a request is forwarded though no tap is attached',
    past: [volume('disk'), session()],
    fault: [plant(forwarded(read(1)))],
    sound: [attach(), read(1)],
  },
  {
    rule: 'T-I1',
    what: 'a tap ends and leaves a request behind',
    past: [...tapped, flush(1)],
    fault: [plant({ kind: 'tap.detached', volume: 1 })],
    sound: [detach()],
  },
  {
    rule: 'T-I1',
    what: 'a volume is tapped twice',
    past: tapped,
    fault: [plant({ kind: 'tap.attached', volume: 1, detail: { uri: 'nbd://other', copied: false } })],
    sound: [detach()],
  },
  {
    rule: 'T-I2',
    what: 'a host changes a tapped volume and no far server was asked',
    past: tapped,
    fault: [plant({ ...write(1), fate: 'passed' })],
    sound: [write(1), answers()],
  },
  {
    rule: 'T-I2',
    what: 'zeros take effect on a tapped volume and no far server was asked',
    past: tapped,
    fault: [plant({ ...zeroes(1), fate: 'passed' })],
    sound: [zeroes(1), answers()],
  },
  {
    rule: 'G-I5',
    what: 'a far server answers a write before an older one that it overlaps',
    past: [...tapped, write(1), write(2)],
    fault: [
      (history) => {
        for (const about of [8, 7]) history.enter({ kind: 'tap.report', volume: 1, about })
      },
    ],
    sound: [answers(), answers()],
  },
]
