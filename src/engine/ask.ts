/** What one may ask of the engine, what it answers, and what makes an ask so wrong that it cannot be recorded. */

import { type Code, codes } from '../events/code.ts'
import { type Detail, detailFault, noDetail } from '../events/detail.ts'
import { flag, type IoKind, isInput, type Kind, kinds, type Op } from '../events/kind.ts'
import type { World } from '../layers/layer.ts'

/** A host request. Offsets and lengths are bytes; a write's length is that of its data. */
export interface IoAsk {
  readonly kind: IoKind
  readonly session: number
  readonly volume: number
  readonly offset?: number
  readonly length?: number
  /** The host's own number of the request, below 2^32. */
  readonly request?: number
  /** Bits of `flag` in src/events/kind.ts. */
  readonly flags?: number
  /** For io.write: taken over by the engine, not to be changed until the answer. */
  readonly data?: Uint8Array | undefined
  /** For io.read: what it returns is looked at while the answer is told, no longer; it may be the payload store's memory. */
  readonly lend?: boolean
}

/** A control command, a mark or a report. */
export interface CommandAsk {
  readonly kind: Exclude<Kind, IoKind>
  readonly session?: number
  readonly request?: number
  readonly volume?: number
  readonly tag?: number
  readonly offset?: number
  readonly length?: number
  readonly about?: number
  readonly code?: Code
  readonly detail?: Detail
  /** Of a branch.report: the place of bytes that the record has already. */
  readonly payload?: number
  /** Idempotency key of a control command: asked again with it, it is answered as the first time and done once. */
  readonly key?: string
  /**
   * For kinds that carry bytes: whole units of 512, taken over by the engine; `length` is then theirs. A copy.report
   * has them of a clone that lives outside. A tap.report has what a far server returned, of any length: the record
   * takes its digest, and the host gets it as the answer of its read.
   */
  readonly data?: Uint8Array
}

export type Ask = IoAsk | CommandAsk

export interface Answer {
  /** ok, or why it was refused, dropped or lost. */
  readonly code: Code
  /** Sequence number of the input; 0 when it was turned away before it got one. */
  readonly seq: number
  /** What a read returned. */
  readonly data?: Uint8Array
  /** Number of the session, volume, backup, pair or fence that a command made; 0 otherwise. */
  readonly made: number
  /** The input that had this key before, where the command was a repetition: what was made is that one's. */
  readonly repeats?: number
}

/** Whoever asked. Told once, one way or the other; neither may throw. */
export interface Asker {
  resolve(answer: Answer): void
  reject(error: Error): void
  /** What the state has to be like for a command to be decided in it. */
  readonly when?: ((world: World) => boolean) | undefined
}

/** An ask that waits to be decided, and whom to tell. */
export interface Waiting {
  readonly ask: Ask
  readonly asker: Asker
  readonly arrivedNs: bigint
}

/** More asks than this waiting in the inbox of an engine are turned away with E_QUEUE_FULL. */
export const maxInbox = 65_536

/** The most bytes one read or write may carry: a host splits what is longer. */
export const maxIoBytes = 64 * 2 ** 20

export function isIo(ask: Ask): ask is IoAsk {
  switch (ask.kind) {
    case 'io.read':
    case 'io.write':
    case 'io.zeroes':
    case 'io.discard':
    case 'io.flush':
      return true
    default:
      return false
  }
}

/** True for a request, or its release, that promises more than that it was accepted. */
export function isSynced({ kind, op, flags = 0 }: { kind: Kind; op?: Op; flags?: number }): boolean {
  return kind === 'io.flush' || op === 'flush' || (flags & flag.fua) !== 0
}

/** The largest value of each column that an ask may fill. */
const limits = {
  session: 2 ** 32 - 1,
  request: 2 ** 32 - 1,
  volume: 2 ** 16 - 1,
  tag: 2 ** 32 - 1,
  flags: 2 ** 8 - 1,
  about: Number.MAX_SAFE_INTEGER,
  payload: Number.MAX_SAFE_INTEGER,
} as const

const limited = Object.entries(limits)
const spans = ['offset', 'length'] as const

/**
 * Why an ask has no place in the record: no such input, a number that its column cannot hold, a detail that is not
 * that of its kind. Undefined when it can be decided; what makes no sense on a volume is refused there, on record.
 */
export function askFault(ask: Ask): string | undefined {
  if (isIo(ask) && isPlain(ask)) return undefined
  const kind: Kind = ask.kind
  if (!Object.hasOwn(kinds, kind) || !isInput(kind) || kind === 'engine.started') {
    return `${JSON.stringify(kind)} cannot be asked for`
  }
  const asked = ask as unknown as Readonly<Record<string, unknown>>
  for (const [name, limit] of limited) {
    const value = asked[name] ?? 0
    const whole = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= limit
    if (!whole) return `${kind} has ${String(value)} as its ${name}, not a whole number up to ${limit}`
  }
  for (const name of spans) {
    const value = asked[name] ?? 0
    if (!Number.isFinite(value)) return `${kind} has ${String(value)} as its ${name}, not a number`
  }
  return isIo(ask) ? ioFault(ask) : commandFault(ask)
}

/** True for a host request with nothing wrong: looked at first and in one go, for every request comes by here. */
function isPlain(ask: IoAsk): boolean {
  const { kind, session, volume, request = 0, flags = 0, offset = 0, length = 0, data } = ask
  if (session >>> 0 !== session || (volume & 0xffff) !== volume) return false
  if (request >>> 0 !== request || (flags & 0xff) !== flags) return false
  if (!Number.isFinite(offset) || !Number.isFinite(length)) return false
  if (kind === 'io.write') return data instanceof Uint8Array && data.length <= maxIoBytes
  return data === undefined && (kind !== 'io.read' || length <= maxIoBytes)
}

function ioFault({ kind, data, length = 0 }: IoAsk): string | undefined {
  if (kind === 'io.write') {
    if (!(data instanceof Uint8Array)) return 'io.write has no data'
    return data.length > maxIoBytes ? `io.write has ${data.length} bytes, more than ${maxIoBytes}` : undefined
  }
  if (data !== undefined) return `${kind} has data`
  if (kind === 'io.read' && length > maxIoBytes)
    return `io.read has length ${length}, more than ${maxIoBytes}`
  return undefined
}

function commandFault(ask: CommandAsk): string | undefined {
  const used: readonly string[] = kinds[ask.kind].columns
  for (const name of [...Object.keys(limits), 'offset', 'length']) {
    const value = ask[name as 'tag'] ?? 0
    const placed = name !== 'payload' || ask.kind === 'branch.report'
    if (value !== 0 && !(placed && used.includes(name))) return `${ask.kind} has no ${name}`
  }
  const code = ask.code ?? 'ok'
  if (!Object.hasOwn(codes, code)) return `${ask.kind} has an unknown code ${JSON.stringify(code)}`
  if (code !== 'ok' && !used.includes('code')) return `${ask.kind} has no code`
  return dataFault(ask) ?? detailFault(ask.kind, keyedDetail(ask))
}

/** The detail of a command as it goes on record, with its key. */
export function keyedDetail({ detail = noDetail, key }: CommandAsk): Detail {
  return key === undefined ? detail : { ...detail, key }
}

function dataFault({ kind, data, length = 0 }: CommandAsk): string | undefined {
  const carries = (kinds[kind].columns as readonly string[]).includes('payload')
  if (kind === 'tap.report') return undefined
  const mayLack = kind === 'mover.report' || kind === 'copy.report' || kind === 'branch.report'
  if (data === undefined) return carries && !mayLack ? `${kind} has no data` : undefined
  if (!carries || kind === 'branch.report' || !(data instanceof Uint8Array))
    return `${kind} carries no data of that form`
  const fits = data.length > 0 && data.length % 512 === 0 && data.length <= maxIoBytes
  if (!fits) return `${kind} has ${data.length} bytes, not whole units of 512 up to ${maxIoBytes}`
  return length === 0 || length === data.length ? undefined : `${kind} has length ${length} and other data`
}
