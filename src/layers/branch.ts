/**
 * Branches: writable volumes that begin as another volume was after some event of the past. No bytes are copied: what
 * a branch holds in the beginning are the places of that moment, reported run by run by who reads the journal.
 *
 *     volume.branch ─▶ branch.started ─▶ branch.report ... ─▶ branch.end ─┬─▶ branch.finished: a volume like others
 *                        (unfinished: hosts get E_AGAIN)                  └─▶ branch.failed: it is no more
 *
 * Decisions cannot look into the past, so the record holds what was found there: runs that ascend, whole blocks with a
 * place; a report that is not the next one is refused. After a restart the reports go on where they ended: who owes
 * them is a function of this state.
 *
 *     B-I1  the source was there before, and the moment lies before the branch
 *     B-I2  a branch is finished, once, with as many runs and with the map that its end says
 *     B-I3  that map is what the source showed its readers at that moment (replay/branch-origin.ts looks again)
 *
 * A layer for its state alone: no request reaches a volume that is not finished, and later nothing of it is special.
 */

import { must } from '../core/assert.ts'
import { lanesText } from '../core/lanes.ts'
import type { Event } from '../events/columns.ts'
import { count, isName, text } from '../events/detail.ts'
import { type Branch, type Branches, comesNext, unfinished, volumeOfBranch } from './branch-state.ts'
import { type Command, type Decision, type Layer, pass, type Volume, type World } from './layer.ts'

/** Branches that are being made at once: each needs a whole state of the past. */
export const maxUnfinished = 16

const maxVolumes = 65_535
const maxVolume = 16 * 2 ** 40

export const branch: Layer<Branches> = {
  name: 'branch',
  hears: ['branch.started', 'branch.report', 'branch.finished', 'branch.failed', 'volume.deleted'],
  commands: ['volume.branch', 'branch.report', 'branch.end'],
  start: () => ({ byVolume: new Map() }),
  active: () => false,
  forbids: () => undefined,
  admit: () => pass,
  effect: () => undefined,
  evolve(state, event, world) {
    switch (event.kind) {
      case 'branch.started':
        return started(state, event, world)
      case 'branch.report':
        return reported(state, event, world)
      case 'branch.finished': {
        const one = known(state, event)
        const { runs, hash } = { runs: count(event.detail, 'runs'), hash: text(event.detail, 'mapHash') }
        const same = one.runs === runs && mapHashOf(volumeOfBranch(world, one)) === hash
        must(same, 'B-I2', `branch ${one.volume} is finished with another map than was reported`)
        one.mapHash = hash
        return
      }
      case 'branch.failed':
        state.byVolume.delete(known(state, event).volume)
        return
      default:
        state.byVolume.delete(event.volume)
    }
  },
  decide: decideBranch,
  due: () => undefined,
  targets: () => [],
  marks: () => [],
  abandon: () => [],
  resume: () => [],
  hash(state, lanes) {
    for (const { volume, from, seq, startedSeq, next, runs, mapHash } of state.byVolume.values()) {
      lanes.add(volume, from)
      lanes.add(volume + 2 ** 20, seq)
      lanes.add(volume + 2 ** 21, startedSeq)
      lanes.add(volume + 2 ** 22, next)
      lanes.add(volume + 2 ** 23, runs)
      if (mapHash !== '') lanes.text(volume + 2 ** 24, mapHash)
    }
  },
  save: (state) => [...state.byVolume.values()],
  load: (saved) => {
    const branches = ((saved ?? []) as Branch[]).map((one) => ({ ...one }))
    return { byVolume: new Map(branches.map((one) => [one.volume, one])) }
  },
}

/** The set hash of a volume's block map, as text. */
export function mapHashOf({ map }: Volume): string {
  return lanesText(map.hashLow, map.hashHigh)
}

function started(state: Branches, event: Event, world: World): void {
  const { volume, detail, seq: startedSeq } = event
  const { from, seq } = { from: count(detail, 'from'), seq: count(detail, 'seq') }
  const source = world.volumes[from - 1]
  must(source !== undefined, 'B-I1', `branch ${volume} is of volume ${from}, which never was`)
  must(seq < startedSeq, 'B-I1', `branch ${volume} is of event ${seq}, which comes after it`)
  const block = count(detail, 'block')
  must(block === source.block, 'B-I1', `branch ${volume} has blocks of ${block} bytes, its source has not`)
  state.byVolume.set(volume, { volume, from, seq, startedSeq, next: 0, runs: 0, mapHash: '' })
}

/** A run that comes next takes its place in the map; any other was refused. */
function reported(state: Branches, event: Event, world: World): void {
  const one = state.byVolume.get(event.volume)
  if (one === undefined) return
  const volume = volumeOfBranch(world, one)
  if (!comesNext(one, volume, event)) return
  const { offset, length, payload } = event
  volume.map.write(offset / volume.block, length / volume.block, payload)
  one.next = offset + length
  one.runs++
}

function known(state: Branches, { kind, volume }: Event): Branch {
  const one = state.byVolume.get(volume)
  must(one?.mapHash === '', 'B-I2', `${kind} names volume ${volume}, which is no branch in the making`)
  return one
}

function decideBranch(state: Branches, command: Command, world: World): Decision {
  if (command.kind === 'volume.branch') return start(state, command, world)
  const one = state.byVolume.get(command.volume)
  if (one === undefined || one.startedSeq !== command.about || one.mapHash !== '') return 'E_NOT_ACTIVE'
  const volume = volumeOfBranch(world, one)
  if (command.kind === 'branch.report') return comesNext(one, volume, command) ? [] : 'E_STATE'
  const { runs, mapHash } = { runs: count(command.detail, 'runs'), mapHash: text(command.detail, 'mapHash') }
  const whole = runs === one.runs && mapHash === mapHashOf(volume)
  const code = command.code === 'ok' && !whole ? 'E_IO' : command.code
  if (code !== 'ok') return [{ kind: 'branch.failed', volume: one.volume, code }]
  return [{ kind: 'branch.finished', volume: one.volume, detail: { runs, mapHash } }]
}

function start(state: Branches, { detail }: Command, world: World): Decision {
  const { name, size } = { name: text(detail, 'name'), size: count(detail, 'size') }
  const { from, seq } = { from: count(detail, 'from'), seq: count(detail, 'seq') }
  const source = world.volumes[from - 1]
  if (!isName(name)) return 'E_NAME'
  if (source === undefined) return 'E_NO_VOLUME'
  if (world.volumes.some((volume) => volume.name === name && !volume.gone)) return 'E_ALREADY'
  if (world.volumes.length >= maxVolumes || unfinished(state).length >= maxUnfinished) return 'E_BOUND'
  if (seq > world.seq) return 'E_RANGE'
  const { block } = source
  if (size === 0 || size % block !== 0 || size > maxVolume) return 'E_SIZE'
  return [
    { kind: 'branch.started', volume: world.volumes.length + 1, detail: { name, from, seq, size, block } },
  ]
}
