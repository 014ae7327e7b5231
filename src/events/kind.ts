/**
 * The vocabulary: every input and every outcome, by name, with the number that is stored and the columns that
 * carry it. DO NOT CHANGE THE NUMBERS: they are stored. New kinds take new numbers.
 *
 * Inputs (below 128) are imperative: what the outside asked or reported. Outcomes are past: what the engine
 * decided. An entry is one input and the outcomes behind it. What the rules of the layers let one derive
 * (log.appended, hold.enqueued, io.dispatched, cdm.*, prm.*) is not stored: see volume/expand.ts.
 *
 * Columns in use by a kind are listed beside it; the others of its row are zero. `tag` is the number of the
 * backup, pair, device or fence that a row is about, counted from 1; `about` the sequence number of the request.
 */

type Columns = readonly (
  | 'session'
  | 'request'
  | 'volume'
  | 'offset'
  | 'length'
  | 'payload'
  | 'digest'
  | 'op'
  | 'fate'
  | 'flags'
  | 'code'
  | 'about'
  | 'tag'
)[]

const io: Columns = [
  'session',
  'request',
  'volume',
  'offset',
  'length',
  'op',
  'fate',
  'flags',
  'code',
  'digest',
]
const released: Columns = [...io, 'payload', 'about']
/** An internal write: it takes effect as a host's does, and nobody waits for its answer. */
const internal: Columns = ['tag', 'volume', 'offset', 'length', 'payload', 'op', 'fate', 'flags', 'about']
const owned: Columns = ['session']
const fenced: Columns = ['tag', 'volume']

export const kinds = {
  // Host I/O. `fate` says what became of it in its own entry.
  'io.read': { number: 1, columns: io },
  'io.write': { number: 2, columns: [...io, 'payload'] },
  'io.zeroes': { number: 3, columns: [...io, 'payload'] },
  'io.discard': { number: 4, columns: [...io, 'payload'] },
  'io.flush': { number: 5, columns: io },
  // Sessions, marks, runs.
  'session.open': { number: 16, columns: [] },
  'session.close': { number: 17, columns: ['session'] },
  mark: { number: 18, columns: ['session', 'request', 'volume'] },
  'run.begin': { number: 19, columns: [] },
  'run.end': { number: 20, columns: [] },
  // Commands.
  'volume.create': { number: 24, columns: [] },
  'device.create': { number: 25, columns: [] },
  'volume.delete': { number: 26, columns: ['volume'] },
  'volume.resize': { number: 27, columns: ['volume'] },
  // A volume of the past: asked for, its runs as they were found, and the end of them.
  'volume.branch': { number: 28, columns: [] },
  'branch.report': { number: 29, columns: ['volume', 'offset', 'length', 'payload', 'about'] },
  'branch.end': { number: 30, columns: ['volume', 'code', 'about'] },
  'backup.start': { number: 32, columns: ['session'] },
  'backup.stop': { number: 33, columns: ['session'] },
  'deadline.reached': { number: 34, columns: ['tag'] },
  'fsmeta.commit': { number: 35, columns: ['volume'] },
  'pair.create': { number: 40, columns: [] },
  'pair.sync': { number: 41, columns: [] },
  'pair.fracture': { number: 42, columns: ['session'] },
  'pair.delete': { number: 43, columns: [] },
  'restore.start': { number: 48, columns: ['session'] },
  'restore.pause': { number: 49, columns: [] },
  'restore.resume': { number: 50, columns: [] },
  'restore.cancel': { number: 51, columns: ['session'] },
  'copy.report': {
    number: 56,
    columns: ['tag', 'volume', 'offset', 'length', 'payload', 'digest', 'code', 'about'],
  },
  // Preserved views of a volume, and who is sent to them.
  'preserve.create': { number: 96, columns: [] },
  'preserve.drop': { number: 97, columns: [] },
  'preserve.merge': { number: 98, columns: [] },
  'session.rebind': { number: 99, columns: ['session'] },
  // Fences, by their owners; what the engine reports of them: the pattern is stored, what it waits for is durable.
  'fence.raise': { number: 80, columns: ['session', 'volume'] },
  'fence.update': { number: 81, columns: ['session', 'offset', 'length', 'payload', 'digest'] },
  'fence.operate': { number: 82, columns: owned },
  'fence.finish': { number: 83, columns: owned },
  'fence.lower': { number: 84, columns: owned },
  'fence.abort': { number: 85, columns: owned },
  'fence.takeover': { number: 86, columns: owned },
  'fence.force': { number: 87, columns: owned },
  'fence.fail': { number: 88, columns: ['session', 'tag', 'code'] },
  'fence.pattern': { number: 89, columns: ['tag', 'length', 'payload', 'digest', 'about'] },
  'fence.flushed': { number: 92, columns: ['tag', 'about'] },
  // The restore of an image behind a fence: asked for on one network, reported from the other.
  'mover.request': { number: 90, columns: owned },
  'mover.report': { number: 91, columns: ['tag', 'offset', 'length', 'payload', 'digest', 'code'] },
  // A volume whose content another server has: requests go there, and what it answers is reported.
  'tap.attach': { number: 104, columns: ['volume'] },
  'tap.report': { number: 105, columns: ['volume', 'code', 'digest', 'about'] },
  'tap.detach': { number: 106, columns: ['volume', 'code'] },
  // The engine's own life.
  'engine.started': { number: 64, columns: [] },
  'engine.recover': { number: 65, columns: [] },
  'engine.stop': { number: 66, columns: [] },

  // Outcomes.
  'session.opened': { number: 128, columns: ['session'] },
  'session.closed': { number: 129, columns: ['session', 'code'] },
  'volume.created': { number: 130, columns: ['volume'] },
  'device.created': { number: 131, columns: ['tag'] },
  'volume.deleted': { number: 152, columns: ['volume'] },
  'volume.resized': { number: 153, columns: ['volume'] },
  'branch.started': { number: 155, columns: ['volume'] },
  'branch.finished': { number: 156, columns: ['volume'] },
  'branch.failed': { number: 157, columns: ['volume', 'code'] },
  'hold.released': { number: 132, columns: released },
  'hold.dropped': { number: 133, columns: ['session', 'request', 'volume', 'code', 'about'] },
  'hold.failed': { number: 134, columns: ['session', 'request', 'volume', 'code', 'about'] },
  'cod.released': { number: 136, columns: released },
  'io.failed': { number: 137, columns: ['session', 'request', 'volume', 'code', 'about'] },
  'io.lost': { number: 138, columns: ['session', 'request', 'volume', 'code', 'about'] },
  'backup.flag_set': { number: 144, columns: ['tag', 'session'] },
  'backup.started': { number: 145, columns: ['tag'] },
  'backup.stopping': { number: 146, columns: ['tag'] },
  'backup.stopped': { number: 147, columns: ['tag'] },
  'backup.flag_cleared': { number: 148, columns: ['volume'] },
  'backup.expired': { number: 149, columns: ['tag'] },
  'backup.aborted': { number: 150, columns: ['tag', 'code'] },
  'session.rebound': { number: 154, columns: ['session'] },
  'fsmeta.committed': { number: 151, columns: ['volume'] },
  'pair.created': { number: 160, columns: ['tag'] },
  'sync.started': { number: 161, columns: ['tag'] },
  'sync.finished': { number: 162, columns: ['tag'] },
  'pair.fractured': { number: 163, columns: ['tag'] },
  'pair.deleted': { number: 164, columns: ['tag'] },
  'copy.started': { number: 168, columns: ['tag', 'volume', 'offset', 'length', 'flags', 'about'] },
  'restore.started': { number: 176, columns: ['tag'] },
  'restore.completed': { number: 177, columns: ['tag'] },
  'restore.resumed': { number: 178, columns: ['tag'] },
  'restore.failed': { number: 179, columns: ['tag', 'code'] },
  'restore.paused': { number: 180, columns: ['tag'] },
  'restore.cancelled': { number: 181, columns: ['tag'] },
  'restore.cancel_accepted': { number: 182, columns: ['tag'] },
  'command.refused': { number: 184, columns: ['code'] },
  // A command that had an idempotency key was accepted; or one was, and was asked again.
  'command.keyed': { number: 185, columns: ['about'] },
  'command.repeated': { number: 186, columns: ['about'] },
  // A view begins and ends. merge.block is an effect record on the base: its place is image 2's.
  'preserve.created': { number: 220, columns: ['volume'] },
  'preserve.dropped': { number: 221, columns: ['volume'] },
  'merge.started': { number: 222, columns: ['volume'] },
  'merge.block': { number: 223, columns: ['volume', 'offset', 'length', 'payload', 'op', 'fate'] },
  'merge.finished': { number: 224, columns: ['volume'] },
  'tap.attached': { number: 230, columns: ['volume'] },
  'tap.released': { number: 231, columns: released },
  'tap.detached': { number: 232, columns: ['volume', 'code'] },
  'engine.recovered': { number: 190, columns: [] },
  'fence.requested': { number: 192, columns: ['tag', 'volume', 'session'] },
  'fence.saved': { number: 193, columns: fenced },
  'fence.pattern_written': { number: 194, columns: internal },
  'fence.raised': { number: 195, columns: fenced },
  'fence.meta_updated': { number: 196, columns: [...fenced, 'offset', 'length', 'payload'] },
  'fence.meta_buffered': {
    number: 197,
    columns: [...fenced, 'offset', 'length', 'payload', 'flags', 'about'],
  },
  'fence.meta_restored': { number: 198, columns: internal },
  'op.started': { number: 199, columns: fenced },
  'op.finished': { number: 200, columns: fenced },
  'op.failed': { number: 201, columns: [...fenced, 'code'] },
  'fence.lowering': { number: 202, columns: fenced },
  'fence.meta_written': { number: 203, columns: internal },
  'fence.lowered': { number: 204, columns: fenced },
  'fence.aborted': { number: 205, columns: [...fenced, 'code'] },
  'fence.violation': {
    number: 206,
    columns: [...fenced, 'session', 'request', 'offset', 'length', 'about'],
  },
  'fence.taken_over': { number: 207, columns: [...fenced, 'session'] },
  'fence.forced': { number: 208, columns: fenced },
  'mover.requested': { number: 210, columns: [...fenced, 'session'] },
  'mover.dispatched': { number: 211, columns: fenced },
  'mover.copied': { number: 212, columns: internal },
  'mover.done': { number: 213, columns: fenced },
} as const satisfies Record<string, { readonly number: number; readonly columns: Columns }>

export type Kind = keyof typeof kinds

/** Names by stored number. */
export const kindNames: readonly (Kind | undefined)[] = byNumber()

function byNumber(): (Kind | undefined)[] {
  const names: (Kind | undefined)[] = new Array(256).fill(undefined)
  for (const [name, kind] of Object.entries(kinds)) names[kind.number] = name as Kind
  return names
}

/** True for what the outside asked or reported; false for what the engine decided. */
export function isInput(kind: Kind): boolean {
  return kinds[kind].number < 128
}

/** Inputs that nobody sends twice because of a connection that broke: requests, reports, and the engine's own. */
const keyless: ReadonlySet<Kind> = new Set<Kind>([
  ...(['io.read', 'io.write', 'io.zeroes', 'io.discard', 'io.flush', 'run.begin', 'run.end'] as const),
  ...(['deadline.reached', 'copy.report', 'mover.report', 'fence.pattern', 'fence.flushed'] as const),
  ...(['branch.report', 'branch.end', 'tap.report'] as const),
  ...(['engine.started', 'engine.recover', 'engine.stop'] as const),
])

/** True for control commands: they may carry an idempotency key. */
export function mayHaveKey(kind: Kind): boolean {
  return isInput(kind) && !keyless.has(kind)
}

/** What a host asks of a volume. A discard is write-zeroes in every gate, map and oracle (SPEC 1.2). */
export const ops = ['none', 'read', 'write', 'zeroes', 'discard', 'flush'] as const
export type Op = (typeof ops)[number]

export const ioKinds = ['io.read', 'io.write', 'io.zeroes', 'io.discard', 'io.flush'] as const
export type IoKind = (typeof ioKinds)[number]

/** True for what changes content: the requests that SPEC section 3 calls writes. */
export function changes(op: Op): boolean {
  return op === 'write' || op === 'zeroes' || op === 'discard'
}

/** What became of a request in its entry. */
export const fates = ['none', 'passed', 'held', 'queued', 'refused', 'forwarded'] as const
export type Fate = (typeof fates)[number]

/** Bits of `flags`. */
export const flag = { fua: 1, meta: 2, sync: 4, demand: 8, noHole: 16, fastZero: 32 } as const
