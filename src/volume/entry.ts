/**
 * Entries: what the engine decides about one input. The input's own event, then the outcomes, then whatever
 * follows from the state until nothing more is due.
 *
 * The caller says what recording an event means: the live engine appends it to the frame it is building; deciding
 * again compares it with the event that was recorded. Both give the event back, and it is folded at once, so that
 * each decision sees the state the one before it left.
 */

import { assert } from '../core/assert.ts'
import { advice, type Code } from '../events/code.ts'
import type { Event, NewEvent } from '../events/columns.ts'
import { count, type Detail, isName, noDetail, text } from '../events/detail.ts'
import type { Kind, Op } from '../events/kind.ts'
import { madeBy } from '../events/made.ts'
import { askedDigest, commandKeysOf, keyOf } from '../layers/command-key.ts'
import { layoutOf } from '../layers/device.ts'
import { isHeld } from '../layers/hold-queue.ts'
import { inFlightOf } from '../layers/in-flight.ts'
import type { Command, Decision, Due, Layer, Mark, Verdict, World } from '../layers/layer.ts'
import { pass, refuse, volumeOf } from '../layers/layer.ts'
import { overlayOf, reached } from '../layers/preserve-state.ts'
import { type Request, releaseOf } from '../layers/request.ts'
import { evolve, isIdle, judge, judgeFrom, refusal, stack } from '../volume.ts'
import { admitted } from './admission.ts'

/** Takes a new event on the record and returns it as recorded, with its sequence number. */
export type Recorder = (event: NewEvent) => Event

/** Entries longer than this are a defect: nothing may fall due for ever. */
const maxEntry = 2 ** 22
const maxVolume = 16 * 2 ** 40

const claims = new Map<Kind, Layer<unknown>>()
for (const layer of stack) for (const kind of layer.commands) claims.set(kind, layer)

/** A host request as it goes on record: a session that was rebound to a view reaches it by the name of its base. */
export function addressed(world: World, io: NewEvent): NewEvent {
  const named = io.volume ?? 0
  const volume = reached(world, io.session ?? 0, named)
  return volume === named ? io : { ...io, volume }
}

/** Judges a host request, which has its address, that would be recorded next. */
export function judgeNext(world: World, io: NewEvent): Verdict {
  const code = refusal(world, io)
  if (code !== 'ok') return refuse(code)
  return isIdle(world, io.volume ?? 0) ? pass : judge(world, requestNext(world, io))
}

/** Records a host request, which has its address, with the verdict it got, and what follows. */
export function enterIo(world: World, io: NewEvent, verdict: Verdict, record: Recorder): void {
  enterRequest(world, decided(io, verdict), verdict, record)
}

/** The same for a request with its verdict in its columns. */
export function enterRequest(world: World, io: NewEvent, verdict: Verdict, record: Recorder): void {
  evolve(world, record(io))
  if (somethingFollows(world, io.volume ?? 0, verdict)) followIo(world, verdict, record)
}

/** False when nothing can follow a request that got this verdict: the case of nearly all. */
export function somethingFollows(world: World, volume: number, verdict: Verdict): boolean {
  return verdict !== pass || !isIdle(world, volume)
}

/** Records what follows a request that is on the record and was folded. */
export function followIo(world: World, verdict: Verdict, record: Recorder): void {
  for (const outcome of verdict.outcomes) evolve(world, record(outcome))
  settle(world, record)
}

/** Decides and records a command or a report, and what follows. Returns the code of a refusal, or ok. */
export function enterCommand(world: World, input: NewEvent, atUs: number, record: Recorder): Code {
  const key = keyOf(input)
  const decision =
    (key === undefined ? undefined : repeated(world, key, input)) ?? decide(world, commandOf(input, atUs))
  const lost = inFlightOf(world).queued.size
  evolve(world, record(input))
  if (typeof decision === 'string') {
    evolve(world, record({ kind: 'command.refused', code: decision, detail: { command: input.kind } }))
    assert(decision in advice && decision !== 'ok', 'a refusal has a code')
    return decision
  }
  const { seq } = world
  for (const outcome of decision) evolve(world, record(outcome))
  if (key !== undefined && decision[0]?.kind !== 'command.repeated') {
    const made = decision.map(madeBy).findLast((number) => number > 0) ?? 0
    const detail = { key, asked: askedDigest(input), made }
    evolve(world, record({ kind: 'command.keyed', about: seq, detail }))
  }
  const dropped = decision.filter(({ kind }) => kind === 'hold.dropped').length
  if (input.kind === 'engine.recover') recover(world, { dropped, lost }, record)
  if (world.recovered) settle(world, record)
  return 'ok'
}

/** What a command gets whose key is known: the same answer again, or a refusal; undefined when the key is new. */
function repeated(world: World, key: string, input: NewEvent): Decision | undefined {
  const first = commandKeysOf(world).byKey.get(key)
  if (first === undefined) return undefined
  if (first.asked !== askedDigest(input)) return 'E_KEY_USED'
  return [{ kind: 'command.repeated', about: first.seq, detail: { key, made: first.made } }]
}

/** Records whatever follows from the state, until nothing does. */
function settle(world: World, record: Recorder): void {
  for (let rounds = 0; ; rounds++) {
    assert(rounds < maxEntry, 'an entry comes to an end')
    let due: Due | undefined
    let place = 0
    for (; place < stack.length && due === undefined; place++) {
      const layer = stack[place]!
      due = layer.due(world.own[layer.name], world)
    }
    if (due === undefined) return
    follow(world, due, place - 1, record)
  }
}

function follow(world: World, due: Due, place: number, record: Recorder): void {
  if ('outcome' in due) {
    evolve(world, record(due.outcome))
    return
  }
  const verdict = judgeFrom(world, due.release, place + 1)
  const { fate, code } = verdict
  evolve(world, record(releaseOf(due.as, due.release, fate, code)))
  for (const outcome of verdict.outcomes) evolve(world, record(outcome))
}

/** How many requests a recovery ended: at the hold gate, and below it. */
interface Waited {
  readonly dropped: number
  readonly lost: number
}

/** The end of a recovery: who waited is dropped or lost, and each layer takes up its work. */
function recover(world: World, waited: Waited, record: Recorder): void {
  for (const layer of stack) {
    for (const outcome of layer.resume(world.own[layer.name], world)) evolve(world, record(outcome))
  }
  evolve(world, record({ kind: 'engine.recovered', detail: { ...waited } }))
  assert(inFlightOf(world).queued.size === 0, 'nothing is queued after a recovery')
}

function decide(world: World, command: Command): Decision {
  switch (command.kind) {
    case 'mark':
    case 'run.begin':
    case 'run.end':
    case 'engine.started':
      return []
    case 'session.open': {
      const name = text(command.detail, 'name')
      if (!isName(name)) return 'E_NAME'
      return [{ kind: 'session.opened', session: world.sessionsOpened + 1, detail: { name } }]
    }
    case 'session.close': {
      if (!world.sessions.has(command.session)) return 'E_NO_SESSION'
      const orderly = command.detail.orderly === true
      const ends = orderly ? [] : abandon(world, 'E_SESSION_CLOSED', command.session)
      return [...ends, { kind: 'session.closed', session: command.session }]
    }
    case 'volume.create':
      return createVolume(world, command)
    case 'volume.delete':
    case 'volume.resize':
      return changeVolume(world, command)
    case 'engine.recover':
      return world.recovered ? 'E_STATE' : abandon(world, 'E_CRASH', undefined)
    case 'engine.stop': {
      const closed = [...world.sessions.keys()].map(
        (session): NewEvent => ({ kind: 'session.closed', session }),
      )
      return [...abandon(world, 'E_STOPPED', undefined), ...closed]
    }
    default: {
      const layer = claims.get(command.kind)
      assert(layer !== undefined, `a layer claims ${command.kind}`)
      const state = world.own[layer.name]
      const code = admitted(layer.targets(state, command, world), marksIn(world, command.session))
      return code === 'ok' ? layer.decide(state, command, world) : code
    }
  }
}

function marksIn(world: World, session: number): (volume: number) => readonly Mark[] {
  return (volume) => stack.flatMap((one) => one.marks(world.own[one.name], volume, session))
}

function abandon(world: World, code: Code, session: number | undefined): NewEvent[] {
  return stack.flatMap((layer) => layer.abandon(world.own[layer.name], code, session))
}

function createVolume(world: World, command: Command): Decision {
  const { name, size, block } = {
    name: text(command.detail, 'name'),
    size: count(command.detail, 'size'),
    block: count(command.detail, 'block'),
  }
  if (!isName(name)) return 'E_NAME'
  if (world.volumes.some((volume) => volume.name === name && !volume.gone)) return 'E_ALREADY'
  if (world.volumes.length >= 65_535) return 'E_BOUND'
  const power = Number.isInteger(Math.log2(block)) && block >= 512 && block <= 65_536
  if (!power || size === 0 || size % block !== 0 || size > maxVolume) return 'E_SIZE'
  const layout = layoutOf(world, command.detail)
  if (typeof layout === 'string') return layout
  if (isHeld(world, layout.devices ?? [])) return 'E_BUSY_HOLD'
  const detail = { name, size, block, ...layout }
  return [{ kind: 'volume.created', volume: world.volumes.length + 1, detail }]
}

/** A volume is resized or deleted only while nothing is going on there; one that is in a pair has something. To delete a view is to drop it. */
function changeVolume(world: World, command: Command): Decision {
  const { kind, volume: id, detail } = command
  if (kind === 'volume.delete' && overlayOf(world, id) !== undefined) {
    return decide(world, { ...command, kind: 'preserve.drop', detail: { view: id } })
  }
  const volume = volumeOf(world, id)
  if (volume === undefined) return 'E_NO_VOLUME'
  const code = admitted([{ role: 'change', volume: id }], marksIn(world, command.session))
  if (code !== 'ok') return code
  if (world.active[id - 1]!.length > 0) return 'E_STATE'
  if (kind === 'volume.delete') return [{ kind: 'volume.deleted', volume: id }]
  const size = count(detail, 'size')
  if (size === 0 || size % volume.block !== 0 || size > maxVolume) return 'E_SIZE'
  return [{ kind: 'volume.resized', volume: id, detail: { size } }]
}

function commandOf(input: NewEvent, atUs: number): Command {
  return {
    kind: input.kind,
    session: input.session ?? 0,
    tag: input.tag ?? 0,
    volume: input.volume ?? 0,
    offset: input.offset ?? 0,
    length: input.length ?? 0,
    payload: input.payload ?? 0,
    code: input.code ?? 'ok',
    about: input.about ?? 0,
    brought: (input.digestHigh ?? 0) + (input.digestLow ?? 0) > 0,
    detail: withoutKey(input.detail ?? noDetail),
    atUs,
  }
}

/** The key is for the entry alone: a layer that repeats the detail of a command in an outcome must not repeat it. */
function withoutKey(detail: Detail): Detail {
  if (detail.key === undefined) return detail
  const { key: _, ...rest } = detail
  return rest
}

function requestNext(world: World, io: NewEvent): Request {
  return {
    io: world.seq + 1,
    session: io.session ?? 0,
    request: io.request ?? 0,
    volume: io.volume ?? 0,
    op: io.op as Op,
    flags: io.flags ?? 0,
    offset: io.offset ?? 0,
    length: io.length ?? 0,
    payload: io.payload ?? 0,
  }
}

/** A request with its verdict. Field by field: copied by a spread it would cost more than all the rest of its way. */
function decided(io: NewEvent, { fate, code }: Verdict): NewEvent {
  return {
    kind: io.kind,
    op: io.op ?? 'none',
    fate,
    code,
    flags: io.flags ?? 0,
    session: io.session ?? 0,
    request: io.request ?? 0,
    volume: io.volume ?? 0,
    offset: io.offset ?? 0,
    length: io.length ?? 0,
    payload: io.payload ?? 0,
    about: io.about ?? 0,
    tag: io.tag ?? 0,
    digestHigh: io.digestHigh ?? 0,
    digestLow: io.digestLow ?? 0,
    at: io.at ?? 0,
  }
}
