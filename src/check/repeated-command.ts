/**
 * A command that is asked twice with one key is done once (G-I2): by a memory of its own, each accepted command with a
 * key is on record as the one that had it, or as a repetition of that one.
 */

import { text } from '../events/detail.ts'
import { isInput } from '../events/kind.ts'
import { commandKeysOf, maxKeys } from '../layers/command-key.ts'
import type { World } from '../layers/layer.ts'
import type { MakeCheck } from './check.ts'

export const repeatedCommand: MakeCheck = (report) => {
  /** By key the input that had it, oldest first. */
  const known = new Map<string, number>()
  let begun = false
  /** A command with a key, of which nothing was said so far. */
  let open = { key: '', seq: 0 }

  const remember = (key: string, seq: number) => {
    known.set(key, seq)
    if (known.size > maxKeys) for (const oldest of known.keys()) return void known.delete(oldest)
  }
  const finished = () => {
    const { key, seq } = open
    open = { key: '', seq: 0 }
    if (seq > 0) report({ seq, rule: 'G-I2', detail: `nothing says what became of the key ${key}` })
  }
  const begin = (world: World) => {
    begun = true
    for (const [key, { seq }] of commandKeysOf(world).byKey) remember(key, seq)
  }

  return {
    rules: ['G-I2'],
    before(event, world) {
      if (!begun) begin(world)
      if (open.seq > 0 && isInput(event.kind)) finished()
    },
    after({ kind, seq, about, detail }) {
      if (isInput(kind)) {
        if (typeof detail.key === 'string') open = { key: detail.key, seq }
        return
      }
      if (kind === 'command.refused') open.seq = 0
      if (kind !== 'command.keyed' && kind !== 'command.repeated') return
      const key = text(detail, 'key')
      const first = known.get(key)
      open.seq = 0
      if (kind === 'command.keyed') {
        if (first !== undefined) {
          report({
            seq,
            rule: 'G-I2',
            detail: `what had the key ${key} is done again, first as event ${first}`,
          })
        }
        remember(key, about)
      } else if (first !== about) {
        report({ seq, rule: 'G-I2', detail: `event ${about} did not have the key ${key}` })
      }
    },
    end: finished,
  }
}
