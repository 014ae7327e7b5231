/** The commands of pairs, decided: create, sync, fracture, delete. */

import { count, countOr0, type Detail, isName, text } from '../events/detail.ts'
import { type Command, type Decision, volumeOf, type World } from './layer.ts'
import { externalOf, isExtent, isPair, named, type Pair, type Pairs, pairsOn } from './pair-state.ts'
import { decideCancel } from './restore-command.ts'

/** What a command about pairs gets: outcomes, or the code of its refusal. */
export function decidePair(state: Pairs, command: Command, world: World): Decision {
  const name = text(command.detail, 'name')
  const one = named(state, name)
  if (command.kind === 'pair.create') return one === undefined ? create(state, command, world) : 'E_ALREADY'
  if (one === undefined) return 'E_NO_PAIR'
  if (command.kind === 'pair.fracture') {
    if (one.phase === 'restoring') return decideCancel(one, command, world)
    return one.phase === 'fractured' ? 'E_STATE' : [{ kind: 'pair.fractured', tag: one.tag }]
  }
  if (command.kind === 'pair.delete') return remove(one)
  if (one.phase !== 'fractured') return 'E_STATE'
  if (one.external !== null) return 'E_READ_ONLY'
  return [{ kind: 'sync.started', tag: one.tag, ...paced(command.detail) }]
}

/** A pair is given up while nothing runs on it; both volumes stay as they are. */
function remove({ phase, tag, gate }: Pair): Decision {
  if (phase === 'restoring') return 'E_BUSY_RESTORE'
  if (phase !== 'fractured') return 'E_BUSY_SYNC'
  return gate.length === 0 ? [{ kind: 'pair.deleted', tag }] : 'E_AGAIN'
}

/** The rate of copying that a command asked for, for the record of its start. */
function paced(detail: Detail): { readonly detail?: Detail } {
  const rate = countOr0(detail, 'rate')
  return rate === 0 ? {} : { detail: { rate } }
}

function create(state: Pairs, { detail }: Command, world: World): Decision {
  const name = text(detail, 'name')
  if (!isName(name)) return 'E_NAME'
  const source = volumeOf(world, count(detail, 'source'))
  const clone = volumeOf(world, count(detail, 'clone'))
  const extent = count(detail, 'extent')
  const external = externalOf(detail)
  if (source === undefined || (external === null) === (clone === undefined)) return 'E_NO_VOLUME'
  const fits =
    clone === undefined
      ? isExtent(source, extent) && countOr0(detail, 'size') === source.size
      : isPair(source, clone, extent)
  if (!fits) return 'E_SIZE'
  const isSource = clone !== undefined && pairsOn(state, clone.id).length > 0
  const isClone = pairsOn(state, source.id).some((other) => other.clone === source.id)
  if (isSource || isClone) return 'E_STATE'
  return [{ kind: 'pair.created', tag: state.created + 1, detail: { ...detail } }]
}
