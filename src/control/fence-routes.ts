/**
 * Fences: commands of their owners. Each is answered when the fence has come to rest, or waits for its owner.
 *
 *     raise ─▶ fenced ── operate, content, finish │ image ──▶ ready ── lower ──▶ down      stuck: again, or force
 *                └────────── abort: nothing changed ──────────▲
 */

import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import { BlockboxError } from '../core/errors.ts'
import type { CommandAsk } from '../engine/ask.ts'
import { fencingFor, layoutNames } from '../engine/fence-layout.ts'
import type { Detail } from '../events/detail.ts'
import { contentsOf } from '../inspect/contents.ts'
import { commandKeysOf } from '../layers/command-key.ts'
import { fenceNamed, fencesOf } from '../layers/fence-state.ts'
import { raiseDetail } from '../layout/layout.ts'
import { isNbdUri } from '../nbd/client/uri.ts'
import { volumeNamed } from '../replay/volume-at.ts'
import { moveBehind } from './fence-image.ts'
import { fenceAtRest, until } from './rest.ts'
import { ask, type Call, type Controlled, commandRoute, type Done } from './route.ts'
import { bytes, count, flag, name, ownerOrDefault, text } from './schema.ts'
import { newName } from './volume-routes.ts'

const fence = name
const owner = ownerOrDefault
const ranges = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(65_536),
  v.description('OFFSET+LENGTH,... in bytes'),
)

export const raiseFence = commandRoute({
  method: 'POST',
  path: '/fences',
  summary: 'Overwrite metadata so that hosts find no data',
  input: {
    name,
    volume: name,
    layout: v.optional(v.pipe(name, v.description(`a file system to be found: ${layoutNames.join(', ')}`))),
    paths: v.optional(v.pipe(v.array(text), v.minLength(1), v.maxLength(4096))),
    ranges: v.optional(ranges),
    covered: v.optional(ranges),
    last: v.optional(bytes),
    advisory: flag,
    meta_first: flag,
    deadline_ms: v.optional(count, 0),
    owner,
  },
  async act(controlled, input, call) {
    const { engine, payload } = controlled
    const { advisory, meta_first: metaFirst, deadline_ms: deadlineMs, ...where } = input
    const volume = volumeNamed(engine.world, input.volume)
    const how = { advisory, metaFirst, deadlineMs }
    const before = await askedBefore(controlled, call, { name: input.name, volume: volume.id })
    const detail =
      before === undefined
        ? raiseDetail(newName(input.name), fencingFor(where, engine.world, volume, payload), how)
        : { ...before, ...how }
    return owned(controlled, call, input.name, input.owner, {
      kind: 'fence.raise',
      volume: volume.id,
      detail,
    })
  },
})

const verbs = {
  operate: 'Begin to work behind a fence',
  finish: 'End the work behind a fence: what lies there is whole',
  lower: 'Write valid metadata back and let hosts in',
  abort: 'Give up a fence behind which nothing changed',
  force: 'Lower a fence that is stuck, although what lies behind it may be no whole',
  takeover: 'Become the owner of a fence whose owner is gone',
} as const

function verbRoute(verb: keyof typeof verbs) {
  return commandRoute({
    method: 'POST',
    path: `/fences/{fence}/${verb}`,
    summary: verbs[verb],
    input: { fence, owner },
    act: (controlled, input, call) =>
      owned(controlled, call, input.fence, input.owner, {
        kind: `fence.${verb}`,
        detail: { name: input.fence },
      }),
  })
}

export const fenceVerbs = {
  operate: verbRoute('operate'),
  finish: verbRoute('finish'),
  lower: verbRoute('lower'),
  abort: verbRoute('abort'),
  force: verbRoute('force'),
  takeover: verbRoute('takeover'),
}

export const failFence = commandRoute({
  method: 'POST',
  path: '/fences/{fence}/fail',
  summary: 'Give up the work behind a fence: what lies there may be no whole',
  input: { fence, owner },
  act: (controlled, input, call) =>
    owned(controlled, call, input.fence, input.owner, {
      kind: 'fence.fail',
      code: 'E_IO',
      detail: { name: input.fence },
    }),
})

export const writeFence = commandRoute({
  method: 'PUT',
  path: '/fences/{fence}/content',
  summary: 'Write whole blocks behind a fence: metadata waits beside the volume, data goes to it',
  input: { fence, offset: bytes, owner },
  takesBytes: true,
  async act(controlled, { fence: fenceName, offset, owner: by }, call) {
    const { engine } = controlled
    const { bytes: content = new Uint8Array(0) } = call
    const found = fenceNamed(fencesOf(engine.world), fenceName)
    const nothing: CommandAsk = { kind: 'fence.operate', detail: { name: fenceName } }
    if (found === undefined) return owned(controlled, call, fenceName, by, nothing)
    const { block, size, volume } = found
    if (content.length === 0 || content.length % block !== 0 || offset % block !== 0) {
      const why = `offset ${offset} and length ${content.length} are not whole blocks of ${block} bytes`
      throw new BlockboxError('USAGE', why)
    }
    if (offset + content.length > size) {
      throw new BlockboxError('USAGE', `bytes ${offset} to ${offset + content.length} reach past ${size}`)
    }
    const session = await controlled.owners.session(by)
    let done: Done | undefined
    for (const piece of found.meta.split({ offset, length: content.length })) {
      const data = content.slice(piece.offset - offset, piece.offset - offset + piece.length)
      const at = { session, offset: piece.offset, data }
      const answer = piece.inside
        ? await engine.submit({ kind: 'fence.update', ...at, detail: { name: fenceName } })
        : await engine.submit({ kind: 'io.write', ...at, volume })
      done = { command: piece.inside ? 'fence.update' : 'io.write', answer }
      if (answer.code !== 'ok') break
    }
    return about(controlled, fenceName, done!)
  },
})

export const restoreFence = commandRoute({
  method: 'POST',
  path: '/fences/{fence}/restore',
  summary:
    'Restore a raw image, or an export of an NBD server, behind a fence; its metadata waits beside the volume',
  input: {
    fence,
    image: v.pipe(text, v.description('the full path of a file on the machine of the server, or an NBD URI')),
    owner,
  },
  async act(controlled, { fence: fenceName, image, owner: by }, { signal }) {
    if (!isAbsolute(image) && !isNbdUri(image)) {
      throw new BlockboxError('USAGE', `"${image}" is no full path: begin it with /`)
    }
    const { engine } = controlled
    const session = await controlled.owners.session(by)
    const moved = await moveBehind(engine, fenceName, session, image, signal)
    const { code, since, dataBytes, controlBytes } = moved
    const answer = { code, seq: engine.world.seq, made: 0 }
    const done = await about(controlled, fenceName, { command: 'mover.request', answer })
    return { ...done, about: { ...done.about, since, data_bytes: dataBytes, control_bytes: controlBytes } }
  },
})

async function owned(
  controlled: Controlled,
  call: Call,
  fenceName: string,
  by: string,
  asked: CommandAsk,
): Promise<Done> {
  const session = await controlled.owners.session(by)
  const done = await ask(controlled, call, { ...asked, session })
  if (done.answer.code === 'ok') {
    await until(controlled.engine, (world) => fenceAtRest(world, fenceName), call.signal)
  }
  return about(controlled, fenceName, done)
}

async function about({ engine }: Controlled, fenceName: string, done: Done): Promise<Done> {
  const { fences } = await engine.look(contentsOf)
  const found = fences.find((one) => one.name === fenceName)
  return { ...done, about: { fence: found ?? null } }
}

/**
 * What was asked for with the same key before: the layout that it was made from is under the fence now, and cannot be
 * read again.
 */
async function askedBefore(
  { engine, journal }: Controlled,
  { key }: Call,
  { name: given, volume }: { readonly name: string; readonly volume: number },
): Promise<Detail | undefined> {
  const first = key === undefined ? undefined : commandKeysOf(engine.world).byKey.get(key)
  if (first === undefined || first.seq < journal.bounds().first) return undefined
  for await (const frame of journal.read(first.seq, first.seq)) {
    const row = frame.open()
    row.index = first.seq - frame.first
    if (row.kind !== 'fence.raise' || row.volume !== volume || row.detail.name !== given) return undefined
    const { key: _, ...detail } = row.detail
    return detail
  }
  return undefined
}
