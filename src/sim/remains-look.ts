/**
 * A look at what remains of an engine that the disk made fail, before its process goes: reads on no record, held against
 * what was durable last.
 */

import { BlockboxError } from '../core/errors.ts'
import type { IoAsk } from '../engine/ask.ts'
import type { Remains } from '../engine/remains.ts'
import type { Dice } from './dice.ts'
import { ioByChance } from './io-chance.ts'
import type { Machine } from './machine.ts'
import type { Witness } from './witness.ts'

/** Asks for the state and for some bytes. What is wrong with them the witness is told. */
export async function lookAtRemains(
  remains: Remains,
  { machine, witness }: { readonly machine: Machine; readonly witness: Witness },
  dice: Dice,
): Promise<void> {
  try {
    const world = await machine.until(remains.world())
    const durable = witness.world.seq
    if (world.seq !== durable)
      return witness.find('remains', `event ${world.seq} is the last that remains, ${durable} was durable`)
    witness.agrees(durable, world)
    for (let reads = 0; reads < 3; reads++) {
      const ask = readByChance(dice, witness)
      const { code, data } = await machine.until(remains.read(ask))
      if (data === undefined || witness.holds(ask, data)) continue
      witness.find(
        'remains',
        `a read of volume ${ask.volume} answered ${code} with bytes that were not durable`,
      )
    }
  } catch (error) {
    const outside = error instanceof BlockboxError && error.code === 'NO_SUCH_POINT'
    if (outside || machine.harm.excuses(error as Error)) return
    witness.find('remains', `what remains of the engine cannot be read: ${(error as Error).message}`)
  }
}

function readByChance(dice: Dice, { world }: Witness): IoAsk {
  const { data, length, ...ask } = ioByChance(dice, world, 0)
  return { ...ask, kind: 'io.read', length: length ?? data?.length ?? 512 }
}
