/**
 * Copies of volumes: a backup whose moment is fixed and copied to a target outside. It runs in the process that has the
 * journal open, and is watched, waited for or cancelled by its number.
 *
 *     target opened ─▶ backup.start ─▶ the moment ─▶ backup.stop ─▶ copied      with hold: copied ─▶ backup.stop
 *     resumed: the moment is that of the note                    ─▶ copied from where it was cut off
 */

import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import { BlockboxError } from '../core/errors.ts'
import { fixMoment } from '../engine/fixed-moment.ts'
import { openTarget } from '../images/open-target.ts'
import { isNbdUri } from '../nbd/client/uri.ts'
import { volumeNamed } from '../replay/volume-at.ts'
import { copiesAnswer, copyAnswer } from './contents-schema.ts'
import { Copy } from './copy.ts'
import { type CopyNote, dropNote, readNote, writeNote } from './copy-note.ts'
import { progressStream } from './copy-progress.ts'
import { type Call, type Controlled, commandRoute, type Done, readRoute, streamRoute } from './route.ts'
import { count, described, flag, name, text, wait } from './schema.ts'
import { newName } from './volume-routes.ts'

export const startCopy = commandRoute({
  method: 'POST',
  path: '/copies',
  summary:
    'Copy a volume as it is at one moment to a file or an NBD export; writes are held until it is fixed',
  input: {
    volume: name,
    target: v.pipe(
      text,
      v.description('the full path of a file on the machine of the server, or an NBD URI; overwritten'),
    ),
    name: v.optional(v.pipe(name, v.description('of the backup; the volume and the time unless given'))),
    hold: described('hold writes until the copy is made'),
    deadline_ms: v.optional(count, 0),
    force: described('replace a file that is there, and forget a copy that was cut off'),
    resume: described('go on with the copy to this target that was cut off, from the same moment'),
    verify: described('read the target back and compare; a resumed copy always is'),
    digest: described('sum up the content, zeros included'),
    wait,
  },
  async act(controlled, input, call) {
    const { target } = input
    if (!isAbsolute(target) && !isNbdUri(target)) {
      throw new BlockboxError('USAGE', `"${target}" is no full path: begin it with /`)
    }
    const begun = await controlled.copies.begin(target, (number) =>
      input.resume ? resumed(controlled, input, number) : begin(controlled, input, number, call),
    )
    const { copy, done, held } = begun
    if (copy === undefined) return done
    if (input.wait) await ended(copy, call.signal)
    return { ...done, about: { copy: copy.record(), ...held } }
  },
})

interface Asked {
  readonly volume: string
  readonly target: string
  readonly name?: string | undefined
  readonly hold: boolean
  readonly deadline_ms: number
  readonly force: boolean
  readonly verify: boolean
  readonly digest: boolean
}

/** A copy that runs, unless its backup was refused; what is answered; and how long writes were held. */
interface Begun {
  readonly copy?: Copy
  readonly done: Done
  readonly held?: { held_ms?: number; held_to_the_end?: boolean }
}

/** Fixes a new moment and begins to copy it. */
async function begin(controlled: Controlled, asked: Asked, number: number, call: Call): Promise<Begun> {
  const { engine, folder } = controlled
  const { volume, target, hold, force, verify, digest } = asked
  const { id, size } = volumeNamed(engine.world, volume)
  const backup = newName(
    asked.name ?? `${volume.slice(0, 40)}-${new Date().toISOString().replace(/[-:.]/g, '')}`,
  )
  if (!force && (await readNote(folder, target)) !== undefined) {
    const why = `a copy to ${target} was cut off: go on with it by resume, or begin anew with force`
    throw new BlockboxError('USAGE', why)
  }
  const opened = await openTarget({ target, size, from: undefined, force })
  let copy: Copy | undefined
  try {
    const terms = { deadlineMs: asked.deadline_ms, maxEntries: 0, maxBytes: 0 }
    const since = performance.now()
    const { answer, moment } = await fixMoment(engine, { name: backup, volumes: [id], ...terms }, call.key)
    const done: Done = { command: 'backup.start', answer }
    if (answer.code !== 'ok') return { done }
    if (moment === undefined) {
      const why = `event ${answer.repeats} had this key and ran the backup: take a new key`
      throw new BlockboxError('USAGE', why)
    }
    const held: NonNullable<Begun['held']> = {}
    const stop = async () => {
      const stopped = engine.submit({ kind: 'backup.stop', detail: { name: backup } })
      const kept = await stopped.then(({ code }) => code === 'ok').catch(() => false)
      held.held_ms = Math.round(performance.now() - since)
      if (hold) held.held_to_the_end = kept
    }
    const note = {
      version: 1 as const,
      target,
      volume,
      volume_id: id,
      backup,
      seq: moment.seq,
      size,
      done: 0,
    }
    try {
      await writeNote(folder, note)
    } catch (error) {
      await stop()
      throw error
    }
    if (!hold) await stop()
    const how = { number, note, resumed: false, verify, digest }
    copy = new Copy(how, opened, controlled, hold ? stop : async () => undefined)
    return { copy, done, held }
  } finally {
    if (copy === undefined) await opened.close(true).catch(() => undefined)
  }
}

/** Goes on with a copy that was cut off. Throws USAGE when there is none, JOURNAL_TRUNCATED when its moment is gone. */
async function resumed(of: Controlled, asked: Asked, number: number): Promise<Begun> {
  const { volume, target, force, verify, digest } = asked
  const note = await resumable(of, volume, target)
  const { size, done: from } = note
  const opened = await openTarget({ target, size, from, force })
  const copy = new Copy({ number, note, resumed: true, verify, digest }, opened, of, async () => undefined)
  return { copy, done: { command: 'none', answer: { code: 'ok', seq: note.seq, made: 0 } } }
}

async function resumable(
  { folder, journal }: Pick<Controlled, 'folder' | 'journal'>,
  volume: string,
  target: string,
): Promise<CopyNote> {
  const note = await readNote(folder, target)
  if (note === undefined) throw new BlockboxError('USAGE', `no copy to ${target} was cut off: begin one`)
  if (note.volume !== volume) {
    throw new BlockboxError('USAGE', `the copy to ${target} that was cut off is one of volume ${note.volume}`)
  }
  const { first, last } = journal.bounds()
  if (note.seq >= first - 1 && note.seq <= last) return note
  const why = `the moment of the copy, event ${note.seq}, is not in the journal any more: begin anew with force`
  throw new BlockboxError('JOURNAL_TRUNCATED', why)
}

/** Waits for the end of a copy, which is cancelled when the one who waits has gone. Throws why it was not made. */
async function ended(copy: Copy, signal: AbortSignal): Promise<void> {
  const gone = () => copy.cancel(signal.reason as Error)
  signal.addEventListener('abort', gone)
  if (signal.aborted) gone()
  await copy.ended
  signal.removeEventListener('abort', gone)
  if (copy.failure !== undefined) throw copy.failure
}

export const copies = readRoute({
  method: 'GET',
  path: '/copies',
  summary: 'The copies that run, and those that ended lately',
  input: {},
  output: copiesAnswer,
  act: async ({ copies: all }) => ({ version: 1, copies: all.records() }),
})

const copyNumber = { copy: v.pipe(count, v.description('the number of a copy')) }

export const oneCopy = readRoute({
  method: 'GET',
  path: '/copies/{copy}',
  summary: 'How far a copy is',
  input: copyNumber,
  output: copyAnswer,
  act: async ({ copies: all }, { copy }) => ({ version: 1, ...all.get(copy).record() }),
})

export const cancelCopy = readRoute({
  method: 'DELETE',
  path: '/copies/{copy}',
  summary: 'Cut a copy off; what is durable at its target stays, to be gone on with',
  input: { ...copyNumber, forget: flag },
  output: copyAnswer,
  async act({ copies: all, folder }, { copy: number, forget }) {
    const copy = all.get(number)
    copy.cancel(new BlockboxError('COPY_CANCELLED', 'the copy was cancelled: it can be gone on with'))
    await copy.ended
    if (forget) await dropNote(folder, copy.terms.note.target)
    return { version: 1, ...copy.record() }
  },
})

export const copyProgress = streamRoute({
  method: 'GET',
  path: '/copies/{copy}/progress',
  summary: 'How far a copy is, again and again until it has ended, as server-sent events',
  media: 'text/event-stream',
  described: '`data` is what GET /copies/{copy} tells; the last event is `end`',
  input: copyNumber,
  async act({ copies: all }, { copy }, { signal }) {
    const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }
    return new Response(progressStream(all.get(copy), signal), { headers })
  },
})
