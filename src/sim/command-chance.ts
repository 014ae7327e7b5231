/**
 * What is commanded by chance: all commands of all five systems, legal and illegal, composed as they come. Names are
 * few, so that commands meet; numbers are taken from the state, so that most of them make sense.
 */

import type { CommandAsk } from '../engine/ask.ts'
import { holdQueueOf } from '../layers/hold-queue.ts'
import type { World } from '../layers/layer.ts'
import { pairsOf } from '../layers/pair-state.ts'
import { preservesOf } from '../layers/preserve-state.ts'
import { restoresOf } from '../layers/restore-state.ts'
import type { Dice } from './dice.ts'
import { fenceByChance } from './fence-chance.ts'
import type { RunMode } from './run-mode.ts'

/** Bytes of a block unless a run's mode has others. */
const plainBlock = 512
/** Blocks of the first volumes: 1 with clones 2 and 3, 4 with clone 5, 6 with a clone outside, 7 alone. */
export const volumeBlocks = [13, 13, 13, 8, 8, 9, 4] as const
/** Blocks of the clone outside. */
export const outsideBlocks = volumeBlocks[5]
export const outsidePath = '/outside.raw'
/** Branches are of moments among so many last events. */
export const recentEvents = 128
/** Of so many volumes some are deleted before there are more: a long run costs no more a step than a short one. */
const maxVolumes = 16
/** Hosts that are there from the beginning, and come back after each restart. */
export const hosts = ['one', 'two'] as const
export const pairNames = ['p', 'q', 'r', 's'] as const
const backupNames = ['a', 'b', 'c'] as const

/** Bytes of a block of the volumes there are. */
export function blockOf(world: World): number {
  return world.volumes[0]?.block ?? plainBlock
}

/** What a run begins with: devices, volumes, hosts, pairs, and a large volume where the mode has one. */
export function beginning(dice: Dice, { block, large }: Pick<RunMode, 'block' | 'large'>): CommandAsk[] {
  const layouts = [
    {},
    { devices: [1] },
    {},
    { devices: [1, 2], stripe: block },
    { devices: [2] },
    { devices: [1] },
    {},
  ]
  const volumes = volumeBlocks.map((blocks, k): CommandAsk => {
    const detail = { name: `v${k + 1}`, size: blocks * block, block, ...layouts[k] }
    return { kind: 'volume.create', detail }
  })
  const extent = () => block * 2 ** dice.below(3)
  const pair = (name: string, source: number, clone: number, more = {}): CommandAsk => {
    return { kind: 'pair.create', detail: { name, source, clone, extent: extent(), ...more } }
  }
  const largeVolume: CommandAsk = { kind: 'volume.create', detail: { name: 'large', size: large, block } }
  const outside = { path: outsidePath, size: outsideBlocks * block, sha256: '' }
  return [
    ...['d1', 'd2'].map((name): CommandAsk => ({ kind: 'device.create', detail: { name } })),
    ...volumes,
    ...hosts.map((name): CommandAsk => ({ kind: 'session.open', detail: { name } })),
    pair('p', 1, 2),
    pair('q', 1, 3),
    pair('r', 4, 5),
    pair('s', 6, 0, outside),
    ...(large > 0 ? [largeVolume] : []),
  ]
}

/** A command, most of them sensible for the state they come in. */
export function commandByChance(dice: Dice, world: World): CommandAsk {
  const name = dice.of(...pairNames)
  if (world.sessions.size < hosts.length && dice.once(2)) return opening(dice)
  switch (dice.below(16)) {
    case 0:
    case 1:
    case 2:
      return backupStart(dice, world)
    case 3:
    case 4:
      return backupStop(dice, world)
    case 5:
      return { kind: 'pair.sync', detail: { name, ...rated(dice) } }
    case 6:
      return { kind: 'pair.fracture', detail: { name, force: dice.once(2) } }
    case 7:
    case 8:
      return { kind: 'restore.start', detail: { pair: name, protected: !dice.once(3), ...rated(dice) } }
    case 9:
      return restoreCommand(dice, world)
    case 10:
    case 11:
      return viewCommand(dice, world)
    case 12:
      return dice.once(2) ? volumeCommand(dice, world) : sessionCommand(dice, world)
    case 13:
      return dice.once(3) ? commit(dice, world) : { kind: 'mark', detail: { label: `m${dice.below(5)}` } }
    default:
      return fenceByChance(dice, world)
  }
}

/** Now and then copies go at a pace: bytes a second. */
function rated(dice: Dice): { rate?: number } {
  return dice.once(4) ? { rate: 2 ** (18 + dice.below(4)) } : {}
}

function backupStart(dice: Dice, world: World): CommandAsk {
  const volumes = world.volumes.filter(({ gone }) => dice.once(gone ? 64 : 4)).map(({ id }) => id)
  const block = blockOf(world)
  const maxBytes = dice.of(0, 0, 4 * block)
  const bounds = { deadlineMs: dice.of(0, 2, 5), maxEntries: dice.of(0, 0, 2), maxBytes }
  const plain = { name: dice.of(...backupNames), volumes, ...bounds }
  if (dice.once(2)) return { kind: 'backup.start', detail: plain }
  const scope = dice.of('all', 'metadata', 'blocks')
  const range = [1 + dice.below(7), dice.below(4) * block, (1 + dice.below(4)) * block]
  const detail = {
    ...plain,
    ...(dice.once(3) && { devices: dice.of([1], [2], [1, 2], [3]) }),
    ...(scope === 'blocks' && { ranges: range }),
    ...(scope === 'metadata' && dice.once(2) && { layout: range }),
    ...(dice.once(3) && { mode: dice.of('logical', 'physical', 'else') }),
    scope,
    policy: dice.of('abort-backup', 'error-writes', 'backpressure'),
    crash: dice.of('drop', 'requeue'),
  }
  return { kind: 'backup.start', ...(dice.once(3) && { session: 1 + dice.below(3) }), detail }
}

function backupStop(dice: Dice, world: World): CommandAsk {
  const running = dice.pick([...holdQueueOf(world).backups.values()])
  const name = dice.once(3) || running === undefined ? dice.of(...backupNames) : running.name
  return { kind: 'backup.stop', detail: { name } }
}

function restoreCommand(dice: Dice, world: World): CommandAsk {
  const running = [...restoresOf(world).byTag.keys()]
  const pair = pairsOf(world).byTag.get(dice.pick(running) ?? 0)?.name ?? dice.of(...pairNames)
  const kind = dice.of('restore.pause', 'restore.resume', 'restore.resume', 'restore.cancel')
  if (kind !== 'restore.cancel') return { kind, detail: { pair } }
  return { kind, detail: { pair, force: dice.once(2) } }
}

function viewCommand(dice: Dice, world: World): CommandAsk {
  const views = [...preservesOf(world).byView.keys()]
  const view = dice.pick(views) ?? 1 + dice.below(world.volumes.length)
  const what = dice.below(10)
  if (what < 3 && views.length < 4) {
    const base = 1 + dice.below(world.volumes.length)
    const detail = {
      name: `w${world.volumes.length}`,
      base,
      ...(dice.once(3) && { maxBytes: 2 * blockOf(world) }),
    }
    return { kind: 'preserve.create', detail }
  }
  if (what < 5) return { kind: 'preserve.drop', detail: { view } }
  if (what < 8) return { kind: 'preserve.merge', detail: { view } }
  const from = preservesOf(world).byView.get(view)?.base ?? 1
  const session = dice.pick([...world.sessions.keys()]) ?? 1
  return { kind: 'session.rebind', session, detail: { from, to: dice.of(view, from) } }
}

function volumeCommand(dice: Dice, world: World): CommandAsk {
  const there = world.volumes.filter(({ gone }) => !gone)
  const volume = dice.pick(there)?.id ?? 1
  const what = dice.below(3)
  const block = blockOf(world)
  if (what === 0 || there.length >= maxVolumes) return { kind: 'volume.delete', volume }
  if (what === 1) return { kind: 'volume.resize', volume, detail: { size: (1 + dice.below(6)) * block } }
  if (dice.once(2)) return branchCommand(dice, world)
  const detail = { name: dice.of('v7', `v${world.volumes.length + 1}`), size: 4 * block, block }
  return { kind: 'volume.create', detail }
}

/** A branch of a moment that is not long ago, or is yet to come; the size is that of now, which it need not have been. */
function branchCommand(dice: Dice, world: World): CommandAsk {
  const from = 1 + dice.below(world.volumes.length)
  const size = world.volumes[from - 1]?.size ?? blockOf(world)
  const seq = Math.max(0, world.seq + 2 - dice.below(recentEvents / 2))
  return { kind: 'volume.branch', detail: { name: `b${world.volumes.length + 1}`, from, seq, size } }
}

function sessionCommand(dice: Dice, world: World): CommandAsk {
  const sessions = [...world.sessions.keys()]
  if (sessions.length < 2 || dice.once(3)) return opening(dice)
  return { kind: 'session.close', session: dice.pick(sessions)!, detail: { orderly: dice.once(2) } }
}

function opening(dice: Dice): CommandAsk {
  return { kind: 'session.open', detail: { name: dice.of('more', ...hosts) } }
}

function commit(dice: Dice, world: World): CommandAsk {
  const n = Math.max(0, world.seq - dice.below(40))
  return { kind: 'fsmeta.commit', volume: 1 + dice.below(volumeBlocks.length), detail: { n } }
}
