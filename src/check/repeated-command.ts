/**
 * A command that is asked twice with one key is done once (G-I2), by a memory of its own: each command with a key ends
 * as what the key was asked for before says.
 *
 *     key          arguments   on record
 *     unknown      any         the one that had it, or refused for any reason but E_KEY_USED
 *     known        the same    a repetition of the first one: never done again, never refused
 *     known        others      refused, E_KEY_USED
 */

import type { Event } from '../events/columns.ts'
import { text } from '../events/detail.ts'
import { isInput } from '../events/kind.ts'
import { askedDigest, commandKeysOf, maxKeys } from '../layers/command-key.ts'
import type { World } from '../layers/layer.ts'
import type { MakeCheck } from './check.ts'

/** A command that had a key. */
interface Asked {
  readonly seq: number
  /** Digest of its arguments. */
  readonly asked: string
}

/** A command with a key, of which nothing was said so far. */
interface Open extends Asked {
  readonly key: string
}

export const repeatedCommand: MakeCheck = (report) => {
  /** By key what had it, oldest first. */
  const known = new Map<string, Asked>()
  let begun = false
  let open: Open | undefined

  const find = (seq: number, detail: string) => report({ seq, rule: 'G-I2', detail })
  const remember = (key: string, asked: Asked) => {
    known.set(key, asked)
    if (known.size > maxKeys) for (const oldest of known.keys()) return void known.delete(oldest)
  }
  const finished = () => {
    if (open !== undefined) find(open.seq, `nothing says what became of the key ${open.key}`)
    open = undefined
  }
  const begin = (world: World) => {
    begun = true
    for (const [key, { seq, asked }] of commandKeysOf(world).byKey) remember(key, { seq, asked })
  }
  const refused = ({ key, asked }: Open, { seq, code }: Event) => {
    const first = known.get(key)
    const isOther = first !== undefined && first.asked !== asked
    if (first?.asked === asked) find(seq, `event ${first.seq} had the key ${key}, and again it is ${code}`)
    else if (isOther !== (code === 'E_KEY_USED')) find(seq, `the key ${key} is refused with ${code}`)
  }
  const done = ({ key, asked }: Open, { seq, about }: Event) => {
    const first = known.get(key)
    if (first !== undefined) find(seq, `what had the key ${key} is done again, first as event ${first.seq}`)
    remember(key, { seq: about, asked })
  }
  const repeated = ({ key, asked }: Open, { seq, about }: Event) => {
    const first = known.get(key)
    if (first?.seq !== about) find(seq, `event ${about} did not have the key ${key}`)
    else if (first.asked !== asked) find(seq, `event ${about} had the key ${key} and other arguments`)
  }

  return {
    rules: ['G-I2'],
    before(event, world) {
      if (!begun) begin(world)
      if (isInput(event.kind)) finished()
    },
    after(event) {
      const { kind, seq, detail } = event
      if (isInput(kind)) {
        if (typeof detail.key === 'string') open = { key: detail.key, seq, asked: askedDigest(event) }
        return
      }
      const isKeyed = kind === 'command.keyed' || kind === 'command.repeated'
      if (!isKeyed && kind !== 'command.refused') return
      const asked = open
      open = undefined
      if (isKeyed && text(detail, 'key') !== asked?.key)
        find(seq, `no command had the key ${text(detail, 'key')}`)
      else if (asked === undefined) return
      else if (kind === 'command.refused') refused(asked, event)
      else if (kind === 'command.keyed') done(asked, event)
      else repeated(asked, event)
    },
    end: finished,
  }
}
