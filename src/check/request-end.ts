/**
 * What must have ended: of a session that broke off nothing waits any more (G-I2), and of the writes up to a commit of
 * metadata none does (S1-I8).
 */

import { count } from '../events/detail.ts'
import { changes, isInput } from '../events/kind.ts'
import { inFlightOf } from '../layers/in-flight.ts'
import type { World } from '../layers/layer.ts'
import type { MakeCheck } from './check.ts'

export const requestEnd: MakeCheck = (report) => {
  /** The session that broke off in the present entry, and the input that says so. */
  let broken = { session: 0, seq: 0 }

  const finished = (world: World) => {
    const { session, seq } = broken
    broken = { session: 0, seq: 0 }
    const { held, queued } = inFlightOf(world)
    for (const waiting of [held, queued]) {
      for (const request of waiting.values()) {
        if (request.session !== session) continue
        const detail = `request ${request.io} waits though its session ${session} broke off`
        return report({ seq, rule: 'G-I2', detail })
      }
    }
  }

  return {
    rules: ['G-I2', 'S1-I8'],
    before(event, world) {
      const { kind, seq, volume, detail } = event
      if (broken.session > 0 && isInput(kind)) finished(world)
      if (kind !== 'fsmeta.committed') return
      const n = count(detail, 'n')
      const { held, queued } = inFlightOf(world)
      for (const waiting of [held, queued]) {
        for (const { io, op, volume: on } of waiting.values()) {
          if (on !== volume || !changes(op) || io > n) continue
          const waits = `metadata of volume ${volume} is committed up to ${n} while write ${io} waits`
          return report({ seq, rule: 'S1-I8', detail: waits })
        }
      }
    },
    after({ kind, seq, session, detail }) {
      if (kind === 'session.close' && detail.orderly !== true) broken = { session, seq }
      else if (kind === 'command.refused') broken = { session: 0, seq: 0 }
    },
    end(world) {
      if (broken.session > 0) finished(world)
    },
  }
}
