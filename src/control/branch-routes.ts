/** Branches: a command, answered when the branch is whole or was given up. */

import { advice } from '../events/code.ts'
import { branchesOf } from '../layers/branch-state.ts'
import { volumeOf, type World } from '../layers/layer.ts'
import { branchCommand } from '../replay/branch-origin.ts'
import { parseAddress } from '../replay/point.ts'
import { until } from './rest.ts'
import { ask, type Controlled, commandRoute } from './route.ts'
import { name, text } from './schema.ts'
import { newName } from './volume-routes.ts'

export const createBranch = commandRoute({
  method: 'POST',
  path: '/branches',
  summary: 'Make a writable volume of any moment of the past; no bytes are copied',
  input: { address: text, name },
  async act(controlled, input, call) {
    const { engine, journal } = controlled
    const command = await branchCommand(
      journal,
      parseAddress(input.address),
      newName(input.name),
      call.signal,
    )
    const done = await ask(controlled, call, command)
    const { code, made } = done.answer
    if (code !== 'ok') return done
    await until(engine, (world) => branchesOf(world).byVolume.get(made)?.mapHash !== '', call.signal)
    const branch = await engine.look((world) => branchRecord(world, made))
    if (branch !== null) return { ...done, about: { branch } }
    return { ...done, about: { branch, failed: await failureOf(journal, made, done.answer.seq) } }
  },
})

/** Why a branch was given up, and the event that says so. */
async function failureOf(journal: Controlled['journal'], made: number, since: number) {
  for await (const frame of journal.read(since)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) {
      const { kind, volume, code, seq } = row
      if (kind === 'branch.failed' && volume === made) return { code, seq, advice: advice[code] }
    }
  }
  return null
}

/** A branch as it began; null when it was given up. */
function branchRecord(world: World, id: number) {
  const [volume, one] = [volumeOf(world, id), branchesOf(world).byVolume.get(id)]
  if (volume === undefined || one === undefined) return null
  const { name: called, size, block, map } = volume
  const of = world.volumes[one.from - 1]!.name
  return { name: called, of, at: one.seq, size, mapped_bytes: map.mapped * block, runs: one.runs }
}
