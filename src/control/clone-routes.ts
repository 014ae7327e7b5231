/** Clone pairs and restores from them: commands. With `wait` they are answered when the copies have ended. */

import * as v from 'valibot'
import { BlockboxError } from '../core/errors.ts'
import { openExternal } from '../images/open-external.ts'
import { contentsOf } from '../inspect/contents.ts'
import { named, pairsOf } from '../layers/pair-state.ts'
import { restoresOf } from '../layers/restore-state.ts'
import { volumeNamed } from '../replay/volume-at.ts'
import { assertPlace, moveClone } from './outside-routes.ts'
import { pairAtRest, until } from './rest.ts'
import { restoreEnd } from './restore-end.ts'
import { ask, type Call, type Controlled, commandRoute, type Done } from './route.ts'
import { bytes, count, flag, name, owner, text, wait } from './schema.ts'
import { newName } from './volume-routes.ts'

const pair = name
const movedFile = v.optional(
  v.pipe(text, v.description('where a clone outside is now: a full path on that machine, or an NBD URI')),
)

const rate = v.optional(
  v.pipe(count, v.description('extents a second in the background; 0: as many as go')),
  0,
)

export const createClone = commandRoute({
  method: 'POST',
  path: '/clones',
  summary: 'Make a pair of two volumes, or of a volume and a file or NBD export outside; it begins fractured',
  input: {
    name,
    source: name,
    clone: v.optional(name),
    clone_file: v.optional(
      v.strictObject({
        path: v.pipe(
          text,
          v.description('the full path of a file on the machine of the server, or an NBD URI'),
        ),
        sha256: v.optional(
          v.pipe(v.string(), v.maxLength(64), v.description('what it is, for the record')),
          '',
        ),
      }),
    ),
    extent: v.optional(bytes, 65_536),
  },
  async act(controlled, { name: given, source, clone, clone_file: file, extent }, call) {
    const { world } = controlled.engine
    const id = volumeNamed(world, source).id
    if ((clone === undefined) === (file === undefined)) {
      throw new BlockboxError('USAGE', 'which clone? Name a volume, or a file')
    }
    const other = clone === undefined ? await outside(file!) : { clone: volumeNamed(world, clone).id }
    const detail = { name: newName(given), source: id, ...other, extent }
    return told(controlled, given, await ask(controlled, call, { kind: 'pair.create', detail }))
  },
})

async function outside({ path, sha256 }: { readonly path: string; readonly sha256: string }) {
  assertPlace(path)
  const image = await openExternal(path)
  await image.close()
  return { clone: 0, path, size: image.size, sha256 }
}

export const syncClone = commandRoute({
  method: 'POST',
  path: '/clones/{pair}/sync',
  summary: 'Copy what differs from the source to the clone',
  input: { pair, rate, wait },
  act(controlled, input, call) {
    const detail = { name: input.pair, ...(input.rate > 0 && { rate: input.rate }) }
    return ofPair(controlled, input, call, { kind: 'pair.sync', detail })
  },
})

export const fractureClone = commandRoute({
  method: 'POST',
  path: '/clones/{pair}/fracture',
  summary: 'Let both sides of a pair go their own way',
  input: { pair, wait },
  act: (controlled, input, call) =>
    ofPair(controlled, input, call, { kind: 'pair.fracture', detail: { name: input.pair } }),
})

export const deleteClone = commandRoute({
  method: 'DELETE',
  path: '/clones/{pair}',
  summary: 'Give a pair up; both volumes stay as they are',
  input: { pair },
  act: (controlled, input, call) =>
    ask(controlled, call, { kind: 'pair.delete', detail: { name: input.pair } }),
})

export const startRestore = commandRoute({
  method: 'POST',
  path: '/restores',
  summary: 'Restore the source of a fractured pair from its clone; hosts may use it at once',
  input: {
    pair,
    protected: v.optional(v.pipe(v.boolean(), v.description('later writes do not reach the clone')), true),
    rate,
    owner: v.optional(owner),
    clone_file: movedFile,
    wait,
  },
  async act(controlled, input, call) {
    await moveClone(controlled, input.pair, input.clone_file)
    const detail = {
      pair: input.pair,
      protected: input.protected,
      ...(input.rate > 0 && { rate: input.rate }),
    }
    return withEnd(
      controlled,
      input,
      await ofPair(controlled, input, call, { kind: 'restore.start', detail }),
    )
  },
})

export const pauseRestore = commandRoute({
  method: 'POST',
  path: '/restores/{pair}/pause',
  summary: 'Stop copying in the background; what hosts need is copied on',
  input: { pair, wait },
  act: (controlled, input, call) =>
    ofPair(controlled, input, call, { kind: 'restore.pause', detail: { pair: input.pair } }),
})

export const resumeRestore = commandRoute({
  method: 'POST',
  path: '/restores/{pair}/resume',
  summary: 'Go on with a restore that was paused or failed; nothing is done when it goes on already',
  input: { pair, clone_file: movedFile, wait },
  async act(controlled, input, call) {
    await moveClone(controlled, input.pair, input.clone_file)
    const { world } = controlled.engine
    const restore = restoresOf(world).byTag.get(named(pairsOf(world), input.pair)?.tag ?? 0)
    const goesOn = restore?.background === true && !restore.paused
    const asked = { kind: 'restore.resume', detail: { pair: input.pair } } as const
    const nothing: Done = { command: 'none', answer: { code: 'ok', seq: world.seq, made: 0 } }
    const done = goesOn ? rested(controlled, input, call, nothing) : ofPair(controlled, input, call, asked)
    return withEnd(controlled, input, await done)
  },
})

export const cancelRestore = commandRoute({
  method: 'POST',
  path: '/restores/{pair}/cancel',
  summary: 'Give a restore up; extents not yet copied show their old content again',
  input: { pair, force: flag, owner: v.optional(owner), wait },
  act: (controlled, input, call) =>
    ofPair(controlled, input, call, {
      kind: 'restore.cancel',
      detail: { pair: input.pair, force: input.force },
    }),
})

interface PairInput {
  readonly pair: string
  readonly wait: boolean
  readonly owner?: string | undefined
}

async function ofPair(
  controlled: Controlled,
  input: PairInput,
  call: Call,
  asked: Parameters<typeof ask>[2],
): Promise<Done> {
  const { owner: by } = input
  const session = by === undefined ? {} : { session: await controlled.owners.session(by) }
  return rested(controlled, input, call, await ask(controlled, call, { ...asked, ...session }))
}

async function rested(controlled: Controlled, input: PairInput, { signal }: Call, done: Done): Promise<Done> {
  if (input.wait && done.answer.code === 'ok') {
    await until(controlled.engine, (world) => pairAtRest(world, input.pair), signal)
  }
  return told(controlled, input.pair, done)
}

/** With what became of the restore, where that was waited for. */
async function withEnd({ engine, journal }: Controlled, input: PairInput, done: Done): Promise<Done> {
  if (!input.wait || done.answer.code !== 'ok') return done
  const ended = await restoreEnd({ world: engine.world, journal }, input.pair, done.answer.seq)
  return { ...done, about: { ...done.about, ended: ended ?? null } }
}

/** With the pair and its restore as they are now; null where there is none. */
async function told({ engine }: Controlled, pairName: string, done: Done): Promise<Done> {
  const { pairs, restores } = await engine.look(contentsOf)
  const about = {
    pair: pairs.find((one) => one.name === pairName) ?? null,
    restore: restores.find((one) => one.pair === pairName) ?? null,
  }
  return { ...done, about }
}
