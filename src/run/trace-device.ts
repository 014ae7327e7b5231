/**
 * The devices of a trace. Each counts its offsets from its own beginning, so that a volume takes one of them: a second
 * one would lie over the first. Formats whose names are those of connections have one device behind all of them.
 *
 *     names of the events that are played ─▶ none or one ─▶ fine
 *                                        └─▶ several ─▶ refused, unless they are to be merged
 */

import { BlockboxError } from '../core/errors.ts'
import { recordedTrace } from '../recording/recorded-trace.ts'
import type { TraceEvent } from '../trace/event.ts'
import { traceFormat } from '../trace/format.ts'

/** So many names are kept at most; a message names some of them. */
const maxNames = 1024
const namesShown = 12

/** Gathers the names of devices in the order in which they appear. */
export class TraceDevices {
  readonly names = new Set<string>()
  #last: string | null = null

  /** @param format as the batch that the event is of names it. */
  see({ dev, offset }: TraceEvent, format: string): void {
    if (dev === this.#last || dev === null || offset === null) return
    this.#last = dev
    if (this.names.size < maxNames && !this.names.has(dev) && isDevice(format)) this.names.add(dev)
  }
}

/** False where what a format calls the device of an event is the connection that asked. */
function isDevice(format: string): boolean {
  return traceFormat(format, [recordedTrace]).connections !== true
}

/** The complaint that a trace has nothing of the devices that were asked for. */
export function noSuchDevice(
  path: string,
  asked: readonly string[],
  has: ReadonlySet<string>,
): BlockboxError {
  const some = has.size === 0 ? 'its events name none' : `it has ${listed(has)}`
  const wanted = asked.map((name) => JSON.stringify(name)).join(', ')
  return new BlockboxError('USAGE', `${path} has no events of the device ${wanted}; ${some}`)
}

function listed(names: ReadonlySet<string>): string {
  const some = [...names].slice(0, namesShown).map((name) => JSON.stringify(name))
  return `${some.join(', ')}${names.size > namesShown ? ' ...' : ''}`
}

/** Says that a trace has several devices and what to do. Throws USAGE; fine for up to one name. */
export function refuseSeveral(path: string, names: ReadonlySet<string>, how: string): void {
  if (names.size < 2) return
  const count = names.size === maxNames ? `at least ${maxNames}` : String(names.size)
  const why =
    'each counts offsets from its own beginning, so that they would lie over each other on one volume'
  throw new BlockboxError('USAGE', `${path} has ${count} devices (${listed(names)}), and ${why}: ${how}`)
}
