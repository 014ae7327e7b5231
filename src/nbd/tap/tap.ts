/**
 * Tap: hosts use a far disk, and everything they ask of it and are answered is on the record. It takes what the engine
 * forwards to the far server, and reports what that one answers; hosts are told once the report is on the record.
 *
 *     host ─▶ engine: forwarded, recorded ─▶ far disk ─▶ tap.report ─▶ engine: it takes effect, recorded ─▶ host
 *
 *     recording ── stop() ─────────────────▶ what is under way is answered ─▶ tap.detach ─▶ stopped
 *         └────── the far server is lost ──▶ tap.detach: who waits, and who comes, gets E_TAP_ENDED ─▶ lost
 *
 * There is no second connection after one that is lost: what became of the requests under way nobody knows, and what
 * happens to the far disk meanwhile is not recorded.
 */

import { BlockboxError } from '../../core/errors.ts'
import type { Answer } from '../../engine/ask.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Forwarded } from '../../engine/forwarding.ts'
import { advice, type Code } from '../../events/code.ts'
import type { Detail } from '../../events/detail.ts'
import { changes, flag, type Op } from '../../events/kind.ts'
import { commandFlag, type Errno } from '../protocol/constant.ts'
import type { ExportDescription } from '../protocol/export-description.ts'
import { RequestFailed } from '../protocol/nbd-error.ts'
import type { Command } from '../protocol/request.ts'
import type { TappedVolume } from '../server/catalog.ts'
import type { OpenExport } from '../server/exported.ts'
import type { Failure } from '../server/failure.ts'
import { openSession } from '../server/volume-export.ts'
import type { FarDisk } from './far-disk.ts'
import { TapExport } from './tap-export.ts'

const commandOf: Readonly<Record<Exclude<Op, 'none'>, Command>> = {
  read: 'read',
  write: 'write',
  zeroes: 'writeZeroes',
  discard: 'trim',
  flush: 'flush',
}

/** Why a far server refused, as far as codes tell it; its own word is in the detail of the report. */
const codeOf: Readonly<Record<Errno, Code>> = {
  EPERM: 'E_READ_ONLY',
  EIO: 'E_IO',
  ENOMEM: 'E_QUEUE_FULL',
  EINVAL: 'E_RANGE',
  ENOSPC: 'E_NOSPC',
  EOVERFLOW: 'E_RANGE',
  ENOTSUP: 'E_UNSUPPORTED',
  ESHUTDOWN: 'E_STOPPED',
}

/** How long a stop waits for requests under way, milliseconds. */
const drainMs = 10_000

export class Tap implements TappedVolume {
  /** Resolves with the reason when the far server is lost and the record says so; not when it is stopped. */
  readonly lost: Promise<BlockboxError>
  readonly #far: FarDisk
  readonly #mayWrite: boolean
  readonly #failures = new Map<number, Failure>()
  #engine: Engine | undefined
  #volume = 0
  #name = ''
  #ended = false
  #setLost: (reason: BlockboxError) => void = () => undefined

  /** @param readOnly true: no host may write */
  constructor(far: FarDisk, { readOnly = false } = {}) {
    this.#far = far
    this.#mayWrite = !readOnly
    this.lost = new Promise((resolve) => {
      this.#setLost = resolve
    })
    void far.over.then((reason) => this.#lose(reason))
  }

  get volume(): number {
    return this.#volume
  }

  /** Puts the tap on the record. Throws USAGE when the engine refuses it. @param copied see layers/tap-state.ts */
  async attach(engine: Engine, volume: number, name: string, copied: boolean): Promise<void> {
    const { uri, size } = this.#far
    const answer = await engine.submit({ kind: 'tap.attach', volume, detail: { uri, size, copied } })
    if (answer.code !== 'ok') {
      const why = `volume ${name} cannot be tapped: ${answer.code}: ${advice[answer.code]}`
      throw new BlockboxError('USAGE', why)
    }
    this.#engine = engine
    this.#volume = volume
    this.#name = name
  }

  describe(): ExportDescription {
    return this.#far.describe(this.#name, this.#mayWrite)
  }

  async open(peer: string): Promise<OpenExport> {
    const engine = this.#engine!
    return new TapExport(engine, this, this.#far, await openSession(engine, peer))
  }

  /** The engine's `forward`. */
  readonly forward = ({ io, op, flags, offset, length, data }: Forwarded): void => {
    if (this.#ended || op === 'none') return
    const asked = { type: commandOf[op], flags: wireFlags(flags), offset, length, changes: changes(op) }
    this.#far.ask({ ...asked, ...(data !== undefined && { data }) }).then(
      ({ data: read, zeros = false }) =>
        this.#report(io, 'ok', { ...(op === 'read' && { data: read }), ...(zeros && { detail: { zeros } }) }),
      (error: Error) => {
        if (error instanceof RequestFailed) this.#refused(io, error)
        else this.#lose(error)
      },
    )
  }

  /** What a host is to see of a request that failed; forgotten when it was asked for. */
  failureOf({ seq }: Answer): Failure | undefined {
    const failure = this.#failures.get(seq)
    this.#failures.delete(seq)
    return failure
  }

  /** Waits for what is under way, puts the end on the record, and closes the connection. */
  async stop(): Promise<void> {
    const late = performance.now() + drainMs
    while (!this.#ended && this.#far.going > 0 && performance.now() < late) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    if (this.#ended) return
    this.#ended = true
    await this.#engine?.submit({ kind: 'tap.detach', volume: this.#volume }).catch(() => undefined)
    if (this.#far.going > 0) this.#far.destroy()
    else await this.#far.close()
  }

  #refused(io: number, { errno, message }: RequestFailed): void {
    this.#failures.set(io, { errno, why: message })
    this.#report(io, codeOf[errno], { detail: { errno } })
  }

  #report(io: number, code: Code, what: { data?: Uint8Array; detail?: Detail }): void {
    if (this.#ended) return
    this.#engine
      ?.submit({ kind: 'tap.report', volume: this.#volume, about: io, code, ...what })
      .catch(() => undefined)
  }

  #lose(cause: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#far.destroy()
    const why = `the far server of volume ${this.#name} is lost: ${cause.message}`
    const what = 'what was under way is on the record as lost; start the tap again under another name'
    const reason = new BlockboxError('NBD_CLOSED', `${why}; ${what}`, { cause })
    const detached = this.#engine?.submit({
      kind: 'tap.detach',
      volume: this.#volume,
      code: 'E_TAP_ENDED',
    })
    const told = () => this.#setLost(reason)
    if (detached === undefined) told()
    else detached.then(told, told)
  }
}

function wireFlags(flags: number): number {
  return (
    ((flags & flag.fua) !== 0 ? commandFlag.fua : 0) |
    ((flags & flag.noHole) !== 0 ? commandFlag.noHole : 0) |
    ((flags & flag.fastZero) !== 0 ? commandFlag.fastZero : 0)
  )
}
