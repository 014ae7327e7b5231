/**
 * How a command of the program reaches a journal: by opening it, or, where another process has it open and serves its
 * control socket, through that. Both take the same routes, so that what is asked and answered is the same.
 *
 *     open the journal ── free ──▶ routes, in this process
 *                      └─ in use ─▶ control.sock? ── answers ──▶ routes, over HTTP
 *                                                └─ none ──▶ JOURNAL_LOCKED
 */

import * as v from 'valibot'
import { answers, controlSocket } from '../src/control/control-socket.ts'
import { Copies } from '../src/control/copies.ts'
import { Owners } from '../src/control/owners.ts'
import type { CommandRoute, Controlled, Done } from '../src/control/route.ts'
import { BlockboxError } from '../src/core/errors.ts'
import type { EngineOptions } from '../src/engine/engine.ts'
import { type OpenFolder, openToRead, openToWrite } from '../src/engine/open-folder.ts'
import { Places } from '../src/images/places.ts'
import { worldAt } from '../src/replay/at.ts'
import { atRest } from './at-rest.ts'
import { RemoteControl } from './control-client.ts'
import type { ControlLink, LinkCall } from './control-link.ts'
import { interrupt } from './interrupt.ts'
import { type JournalOption, journalDir } from './journal-option.ts'
import { used } from './journal-use.ts'

/** How a journal that is free is opened. */
export interface LinkUse extends Pick<Partial<EngineOptions>, 'openImage'> {
  /** Makes the journal when there is none. */
  readonly create?: boolean
}

/** A link and, where this process has the journal open, its parts. */
export type Linked = { readonly link: ControlLink } & (
  | { readonly remote: RemoteControl; readonly local?: undefined }
  | { readonly remote?: undefined; readonly local: Controlled }
)

/** Reaches the journal that the options name to command it. Throws JOURNAL_LOCKED when neither way is open. */
export async function withControl<T>(
  options: JournalOption,
  use: (linked: Linked) => Promise<T>,
  { create = false, openImage }: LinkUse = {},
): Promise<T> {
  const folder = journalDir(options)
  const places = new Places(openImage)
  return orRemote(
    folder,
    () => openToWrite(folder, { create, worldAt, openImage: places.open }),
    (open) => {
      const { engine } = open
      const copies = new Copies()
      const local: Controlled = { ...open, folder, owners: new Owners(engine), copies, places }
      const close = () => copies.close().then(() => engine.close())
      return used(open, () => use({ link: new LocalControl(local), local }), { close })
    },
    (remote) => use({ link: remote, remote }),
  )
}

/** Reaches the journal that the options name to look at it: open, or through who has it open. */
export async function withReading<T>(
  options: JournalOption,
  open: (open: OpenFolder) => Promise<T>,
  remote: (remote: RemoteControl) => Promise<T>,
): Promise<T> {
  const folder = journalDir(options)
  return orRemote(
    folder,
    () => openToRead(folder),
    (found) => used(found, () => open(found), found.journal),
    remote,
  )
}

async function orRemote<O, T>(
  folder: string,
  open: () => Promise<O>,
  local: (opened: O) => Promise<T>,
  remote: (remote: RemoteControl) => Promise<T>,
): Promise<T> {
  let opened: O
  try {
    opened = await open()
  } catch (error) {
    const inUse = error instanceof BlockboxError && error.code === 'JOURNAL_LOCKED'
    const path = controlSocket(folder)
    if (!inUse || !(await answers(path))) throw error
    return remote(new RemoteControl(path, interrupt)).catch((failure: unknown) => {
      throw remoteFailure(failure)
    })
  }
  return local(opened)
}

/** What a broken connection means: the interrupt, or that the other process has gone. */
function remoteFailure(error: unknown): unknown {
  if (interrupt.aborted) return interrupt.reason
  const { code = '', syscall } = error as NodeJS.ErrnoException
  if (syscall !== 'connect' && code !== 'ECONNRESET' && code !== 'EPIPE') return error
  const message = 'the process that had the journal open went away in the middle: try again'
  return new BlockboxError('ENGINE_STOPPED', message, { cause: error })
}

/** The engine's clock keeps no process alive: who waits for a copy whose turn comes later has to. */
const stayAwakeMs = 1000

/** Takes the routes in this process. The journal will be closed, so each waits until all copies have ended. */
class LocalControl implements ControlLink {
  readonly #controlled: Controlled

  constructor(controlled: Controlled) {
    this.#controlled = controlled
  }

  async command<I>(route: CommandRoute<I>, input: Partial<I>, { key, bytes }: LinkCall = {}): Promise<Done> {
    const { success, output, issues } = v.safeParse(route.input, input)
    if (!success) throw new BlockboxError('USAGE', `${v.getDotPath(issues[0]) ?? ''}: ${issues[0].message}`)
    const call = { signal: interrupt, ...(key !== undefined && { key }), ...(bytes && { bytes }) }
    const awake = setInterval(() => undefined, stayAwakeMs)
    try {
      const done = await route.act(this.#controlled, output as I, call)
      if (done.answer.code === 'ok') await atRest(this.#controlled.engine)
      return done
    } finally {
      clearInterval(awake)
    }
  }
}
