/**
 * What a write costs in processor time on its way through the stack when no layer is at work: judged, put on the record
 * of a frame in memory, folded. Payload, digests, encoding and the disk are apart.
 */

import { FrameBuilder } from '../../src/engine/frame-builder.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { enterCommand, enterIo, judgeNext } from '../../src/volume/entry.ts'
import { stateHash } from '../../src/volume/snapshot.ts'
import { newWorld } from '../../src/volume.ts'
import type { Line } from './line.ts'
import { median } from './rounds.ts'

const block = 4096
const blocks = 2 ** 20
const perFrame = 256

export interface IdleOptions {
  readonly rounds: number
  readonly writes: number
}

export function idleLines({ rounds, writes }: IdleOptions): Line[] {
  const world = newWorld()
  const builder = new FrameBuilder(1)
  const record = (event: NewEvent) => builder.record(event)
  enterCommand(world, { kind: 'session.open', detail: { name: 'host' } }, 0, record)
  const detail = { name: 'v', size: blocks * block, block }
  enterCommand(world, { kind: 'volume.create', detail }, 0, record)
  let request = 0
  const write = () => {
    request++
    const offset = ((request * 40_503) % blocks) * block
    const asked = {
      session: 1,
      volume: 1,
      request: request % 2 ** 32,
      offset,
      length: block,
      payload: request * 8,
    }
    const io: NewEvent = { kind: 'io.write', op: 'write', ...asked }
    enterIo(world, io, judgeNext(world, io), record)
    if (builder.count < perFrame) return
    stateHash(world)
    builder.restart()
  }
  const go = () => {
    const before = process.cpuUsage()
    for (let k = 0; k < writes; k++) write()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / writes
  }
  go()
  const value = median(Array.from({ length: rounds }, go))
  const target = { valueBelow: 3 }
  return [{ group: 'write, idle stack', name: 'CPU time', value, unit: 'us', target }]
}
