/**
 * What is the matter with the disk of a run, by seed. Half the disks are honest: they fail as disks may (simulator.ts),
 * and what they say is true. The others each have a vice of their own, and what must hold then is told in harm.ts.
 *
 *     honest   what is synced is durable; of the rest a first part survives a power cut
 *     slow     a write now and then takes up to 10 ms of simulated time: what is asked meanwhile piles up
 *     tearing  the power cut tears the first write that does not survive: some of its changes, part of a value
 *     lying    a sync says yes and the write may be gone after a power cut, that of the head file too; tears as well
 *     rotting  a read brings a flipped bit, once; at a crash a bit flips for good, in any value or in the head file
 *     astray   a read brings the value of another key
 *
 * The reads of the others fail now and then (EIO), those of the head file too.
 */

import { Dice } from './dice.ts'

export const natures = ['honest', 'slow', 'tearing', 'lying', 'rotting', 'astray'] as const
export type Nature = (typeof natures)[number]

/** Once in how many occasions; 0: never. */
export interface Rates {
  /** Of writes, one is slow. */
  readonly slow: number
  /** Of power cuts, one tears. */
  readonly tear: number
  /** Of syncs, one lies. */
  readonly lie: number
  /** Of reads, one brings a flipped bit. */
  readonly rot: number
  /** Of reads, one brings another value. */
  readonly astray: number
  /** Of reads, one fails. */
  readonly eio: number
  /** Of crashes, one finds a bit flipped for good. */
  readonly decay: number
}

export const rateNames = ['slow', 'tear', 'lie', 'rot', 'astray', 'eio', 'decay'] as const

const never: Rates = { slow: 0, tear: 0, lie: 0, rot: 0, astray: 0, eio: 0, decay: 0 }

/** A read now and then fails: disks that do not lie about what they read. */
const failing: Rates = { ...never, eio: 2000 }

const ratesOfNatures: Readonly<Record<Nature, Rates>> = {
  honest: failing,
  slow: { ...failing, slow: 8 },
  tearing: { ...failing, tear: 1 },
  lying: { ...failing, lie: 3, tear: 2 },
  rotting: { ...never, rot: 150, decay: 2 },
  astray: { ...never, astray: 150 },
}

/** The nature of a seed's disk. */
export function natureOf(seed: number): Nature {
  const which = new Dice(seed, -3).below(10)
  return natures[which - 4] ?? 'honest'
}

/** The rates of a nature, but for those that are given. */
export function ratesOf(nature: Nature, given: Partial<Rates> = {}): Rates {
  return { ...ratesOfNatures[nature], ...given }
}
