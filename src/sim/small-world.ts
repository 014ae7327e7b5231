/**
 * The smallest world in which all five systems can meet, and about thirty things that can be done in it: what bounded
 * exhaustive testing enumerates (ACE, OSDI 2018: nearly all known crash bugs need at most three operations).
 *
 *     volume 1 and its clone 2 (pair p, fractured, one extent apart), volume 3 with a clone outside (pair s)
 */

import type { Ask, CommandAsk, IoAsk } from '../engine/ask.ts'
import { flag } from '../events/kind.ts'
import { fencesOf } from '../layers/fence-state.ts'
import type { World } from '../layers/layer.ts'
import { preservesOf } from '../layers/preserve-state.ts'
import { stamped } from './io-chance.ts'

export const block = 512
export const outsideBlocks = 4
const extent = 2 * block

/** What can be done next: an ask, given the state and a number for the request, or something of the machine's. */
export type Deed =
  | { readonly name: string; readonly ask: (world: World, request: number) => Ask }
  | { readonly name: string; readonly machine: 'copy' | 'failed-copy' | 'time' }

function command(
  kind: CommandAsk['kind'],
  detail: CommandAsk['detail'] = {},
  more: Partial<CommandAsk> = {},
): Ask {
  return { kind, detail, ...more }
}

function write(
  volume: number,
  at: number,
  count: number,
  flags = 0,
): (world: World | undefined, request: number) => IoAsk {
  return (world, request) => {
    const data = stamped(request, at * block, count * block)
    return { kind: 'io.write', session: host(world), volume, request, flags, offset: at * block, data }
  }
}

function io(kind: 'io.zeroes' | 'io.discard' | 'io.read', volume: number, at: number, count: number) {
  return (world: World, request: number): IoAsk => {
    return { kind, session: host(world), volume, request, offset: at * block, length: count * block }
  }
}

/** The host that is there: sessions end with the process they are of. */
const host = (world: World | undefined) => [...(world?.sessions.keys() ?? [])][0] ?? 1

/** The newest view, or a volume that is none. */
const view = (world: World) => [...preservesOf(world).byView.keys()].at(-1) ?? 1

/** The whole of volume 1 behind a fence, its metadata the first block. */
const raised = { name: 'f', meta: [0, block], covered: [], full: true, advisory: false, metaFirst: false }

export const beginning: readonly Ask[] = [
  command('volume.create', { name: 'v1', size: 4 * block, block }),
  command('volume.create', { name: 'v2', size: 4 * block, block }),
  command('volume.create', { name: 'v3', size: outsideBlocks * block, block }),
  command('session.open', { name: 'one' }),
  command('session.open', { name: 'two' }),
  command('pair.create', { name: 'p', source: 1, clone: 2, extent }),
  command('pair.create', {
    ...{ name: 's', source: 3, clone: 0, extent, path: '/outside.raw' },
    ...{ size: outsideBlocks * block, sha256: '' },
  }),
  write(2, 0, 4)(undefined, 1),
  write(1, 1, 2)(undefined, 2),
]

/** What is asked first of a world that goes on: hosts that come again. */
export const returning: readonly Ask[] = [
  command('session.open', { name: 'one' }),
  command('session.open', { name: 'two' }),
]

const fence = (verb: 'operate' | 'finish' | 'lower' | 'abort' | 'force') =>
  ({
    name: `fence.${verb}`,
    ask: (world: World) => command(`fence.${verb}`, { name: 'f' }, { session: host(world) }),
  }) as const

export const deeds: readonly Deed[] = [
  { name: 'write one block', ask: write(1, 0, 1) },
  { name: 'write over two extents', ask: write(1, 1, 2) },
  { name: 'write metadata with FUA', ask: write(1, 0, 1, flag.fua | flag.meta) },
  { name: 'write the clone', ask: write(2, 3, 1) },
  { name: 'write volume 3', ask: write(3, 0, 2) },
  { name: 'write the view', ask: (world, request) => write(view(world), 1, 1)(world, request) },
  { name: 'zero all', ask: io('io.zeroes', 1, 0, 4) },
  { name: 'discard a block', ask: io('io.discard', 1, 2, 1) },
  { name: 'read all', ask: io('io.read', 1, 0, 4) },
  {
    name: 'flush',
    ask: (world, request) => ({ kind: 'io.flush', session: host(world), volume: 1, request }),
  },
  {
    name: 'backup.start',
    ask: () =>
      command('backup.start', { name: 'a', volumes: [1], deadlineMs: 5, maxEntries: 0, maxBytes: 0 }),
  },
  { name: 'backup.stop', ask: () => command('backup.stop', { name: 'a' }) },
  { name: 'pair.sync', ask: () => command('pair.sync', { name: 'p' }) },
  { name: 'pair.fracture', ask: () => command('pair.fracture', { name: 'p', force: true }) },
  { name: 'restore.start', ask: () => command('restore.start', { pair: 'p', protected: true }) },
  { name: 'restore.start unprotected', ask: () => command('restore.start', { pair: 'p', protected: false }) },
  { name: 'restore.start from outside', ask: () => command('restore.start', { pair: 's', protected: true }) },
  { name: 'restore.pause', ask: () => command('restore.pause', { pair: 'p' }) },
  { name: 'restore.cancel', ask: () => command('restore.cancel', { pair: 'p', force: true }) },
  {
    name: 'preserve.create',
    ask: (world) => command('preserve.create', { name: `w${world.volumes.length}`, base: 1 }),
  },
  { name: 'preserve.drop', ask: (world) => command('preserve.drop', { view: view(world) }) },
  { name: 'preserve.merge', ask: (world) => command('preserve.merge', { view: view(world) }) },
  {
    name: 'session.rebind',
    ask: (world) => command('session.rebind', { from: 1, to: view(world) }, { session: host(world) }),
  },
  {
    name: 'session.close',
    ask: (world) => command('session.close', { orderly: false }, { session: host(world) }),
  },
  {
    name: 'fence.raise',
    ask: (world) =>
      command('fence.raise', { ...raised, last: 0, deadlineMs: 0 }, { session: host(world), volume: 1 }),
  },
  fence('operate'),
  fence('finish'),
  fence('lower'),
  fence('abort'),
  {
    name: 'fence.update',
    ask: (world, request) => {
      const offset = [...fencesOf(world).byTag.values()][0]?.meta.ranges[0]?.offset ?? 0
      const data = stamped(request, offset, block)
      return { kind: 'fence.update', session: host(world), offset, data, detail: { name: 'f' } }
    },
  },
  { name: 'a copy ends', machine: 'copy' },
  { name: 'a copy fails', machine: 'failed-copy' },
  { name: 'time passes', machine: 'time' },
]
