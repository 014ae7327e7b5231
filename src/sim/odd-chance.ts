/**
 * What is commanded less often: pairs that go and come again, names and sizes that are none, pairs and volumes that
 * nobody knows, the marks of a driven scenario.
 */

import type { CommandAsk } from '../engine/ask.ts'
import type { World } from '../layers/layer.ts'
import { pairsOf } from '../layers/pair-state.ts'
import { blockOf, outsidePath, pairNames, volumeBlocks } from './command-chance.ts'
import type { Dice } from './dice.ts'

const noNames = ['', ' ', 'a/b', '-', 'x'.repeat(300), 'line\nbreak'] as const
/** Source and clone of the pairs a run begins with; 0: the one outside. */
const couples = { p: [1, 2], q: [1, 3], r: [4, 5], s: [6, 0] } as const

/** A command of the rarer kinds. */
export function oddByChance(dice: Dice, world: World): CommandAsk {
  switch (dice.below(8)) {
    case 0:
    case 1:
    case 2:
      return pairCommand(dice, world)
    case 3: {
      const detail = { scenario: 'chance', digest: '00', seed: dice.below(9) }
      return dice.once(2)
        ? { kind: 'run.begin', detail }
        : { kind: 'run.end', detail: { scenario: 'chance' } }
    }
    case 4:
      return named(dice, dice.of(...noNames), blockOf(world))
    case 5:
      return sized(dice, world)
    default:
      return unknown(dice)
  }
}

/** A pair is deleted where it may be; one that is not there comes again, of the same volumes or of others. */
function pairCommand(dice: Dice, world: World): CommandAsk {
  const there = new Set([...pairsOf(world).byTag.values()].map(({ name }) => name))
  const missing = dice.pick(pairNames.filter((name) => !there.has(name)))
  if (missing === undefined && dice.once(2))
    return { kind: 'pair.sync', detail: { name: dice.of(...pairNames) } }
  if (missing === undefined || dice.once(6)) {
    const fit = [...pairsOf(world).byTag.values()].filter(({ phase }) => phase !== 'syncing')
    return { kind: 'pair.delete', detail: { name: dice.pick(fit)?.name ?? dice.of(...pairNames) } }
  }
  const block = blockOf(world)
  const any = [1 + dice.below(world.volumes.length), 1 + dice.below(world.volumes.length)] as const
  const [source, clone] = dice.once(4) ? any : couples[missing]
  const outside = { path: outsidePath, size: volumeBlocks[5] * block, sha256: '' }
  const extent = block * 2 ** dice.below(3)
  const detail = { name: missing, source, clone, extent, ...(clone === 0 && outside) }
  return { kind: 'pair.create', detail }
}

function named(dice: Dice, name: string, block: number): CommandAsk {
  switch (dice.below(5)) {
    case 0:
      return { kind: 'volume.create', detail: { name, size: block, block } }
    case 1:
      return { kind: 'session.open', detail: { name } }
    case 2:
      return { kind: 'device.create', detail: { name: dice.of(name, 'd1') } }
    case 3:
      return { kind: 'preserve.create', detail: { name, base: 1 } }
    default:
      return { kind: 'pair.create', detail: { name, source: 7, clone: 1, extent: block } }
  }
}

function sized(dice: Dice, world: World): CommandAsk {
  const block = blockOf(world)
  const size = dice.of(0, 1, block - 1, block + 1, 2 ** 52)
  const volume = dice.pick(world.volumes.filter(({ gone }) => !gone))?.id ?? 1
  if (dice.once(3)) return { kind: 'volume.resize', volume, detail: { size } }
  const name = `o${world.volumes.length + 1}`
  if (dice.once(2)) return { kind: 'volume.create', detail: { name, size, block } }
  return { kind: 'volume.create', detail: { name, size: 2 * block, block: dice.of(0, 500, 256, 2 ** 20) } }
}

function unknown(dice: Dice): CommandAsk {
  const [pair, name] = ['nobody', 'nobody']
  return dice.of<CommandAsk>(
    { kind: 'pair.sync', detail: { name } },
    { kind: 'pair.delete', detail: { name } },
    { kind: 'restore.start', detail: { pair, protected: true } },
    { kind: 'restore.resume', detail: { pair } },
    { kind: 'preserve.drop', detail: { view: 999 } },
    { kind: 'volume.delete', volume: 999 },
    { kind: 'session.close', session: 999, detail: { orderly: true } },
  )
}
