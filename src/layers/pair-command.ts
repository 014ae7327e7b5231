/** The commands of pairs, decided: create, sync, fracture. */

import { count, isName, text } from '../events/detail.ts'
import { type Command, type Decision, volumeOf, type World } from './layer.ts'
import { isPair, named, type Pairs, pairsOn } from './pair-state.ts'

/** What a command about pairs gets: outcomes, or the code of its refusal. */
export function decidePair(state: Pairs, command: Command, world: World): Decision {
  const name = text(command.detail, 'name')
  const one = named(state, name)
  if (command.kind !== 'pair.create') {
    if (one === undefined) return 'E_NO_PAIR'
    if (command.kind === 'pair.sync') {
      return one.phase === 'fractured' ? [{ kind: 'sync.started', tag: one.tag }] : 'E_STATE'
    }
    const follows = one.phase === 'syncing' || one.phase === 'in-sync'
    return follows ? [{ kind: 'pair.fractured', tag: one.tag }] : 'E_STATE'
  }
  if (!isName(name)) return 'E_NAME'
  if (one !== undefined) return 'E_ALREADY'
  const source = volumeOf(world, count(command.detail, 'source'))
  const clone = volumeOf(world, count(command.detail, 'clone'))
  if (source === undefined || clone === undefined) return 'E_NO_VOLUME'
  const extent = count(command.detail, 'extent')
  if (!isPair(source, clone, extent)) return 'E_SIZE'
  const isSource = pairsOn(state, clone.id).length > 0
  const isClone = pairsOn(state, source.id).some((other) => other.clone === source.id)
  if (isSource || isClone) return 'E_STATE'
  const detail = { name, source: source.id, clone: clone.id, extent }
  return [{ kind: 'pair.created', tag: state.created + 1, detail }]
}
