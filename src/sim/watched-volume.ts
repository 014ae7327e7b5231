/**
 * A volume of an engine that somebody's storage code writes to, and what it saw: what was asked in which order, and
 * which answers were in by then. Its history has the crash states of what that code did, exactly, whatever the clock.
 *
 *     asked ─▶ history, in this order ─▶ answered: so many had been asked by then
 *                                   └─▶ refused: it is in the history no more
 */

import { BlockboxError } from '../core/errors.ts'
import type { Answer, IoAsk } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'
import { flag } from '../events/kind.ts'
import type { DiskOperation } from './disk-operation.ts'

interface Asked {
  readonly operation: DiskOperation
  /** How many had been asked, this one among them, when it was answered. */
  answered: number
  refused: boolean
}

export interface WatchOptions {
  /** Bytes of the volume. */
  readonly size: number
  /** Bytes of a block: 512 unless told otherwise. */
  readonly block?: number
  /** `disk` unless told otherwise. */
  readonly name?: string
}

export interface Fua {
  /** Force unit access: answered when it is durable. */
  readonly fua?: boolean
}

export class WatchedVolume {
  /** Numbers of the volume and of the session that asks. */
  readonly volume: number
  readonly session: number
  readonly size: number
  readonly #engine: Pick<Engine, 'submit'>
  readonly #asked: Asked[] = []

  /** Of a volume and a session that are there. */
  constructor(
    engine: Pick<Engine, 'submit'>,
    { volume, session, size }: Pick<WatchedVolume, 'volume' | 'session' | 'size'>,
  ) {
    this.#engine = engine
    this.volume = volume
    this.session = session
    this.size = size
  }

  /** What was asked so far, but for reads and what was refused. Offsets are bytes. */
  get history(): DiskOperation[] {
    const kept = this.#asked.filter(({ refused }) => !refused)
    return kept.map(({ operation, answered }) => {
      if (answered === Number.POSITIVE_INFINITY) return { ...operation, answered }
      return {
        ...operation,
        answered: this.#asked.slice(0, answered).filter(({ refused }) => !refused).length,
      }
    })
  }

  /** Resolves when it was answered. Throws USAGE when it is refused, what the engine throws when the engine ended. */
  async write(offset: number, data: Uint8Array, { fua = false }: Fua = {}): Promise<void> {
    const kept = new Uint8Array(data)
    await this.#ask(
      { op: 'write', offset, data: kept, fua },
      { kind: 'io.write', offset, data: kept, ...flagsOf(fua) },
    )
  }

  /** The same with zeros. */
  async zeroes(offset: number, length: number, { fua = false }: Fua = {}): Promise<void> {
    await this.#ask(
      { op: 'zeroes', offset, length, fua },
      { kind: 'io.zeroes', offset, length, ...flagsOf(fua) },
    )
  }

  /** Resolves when all that was answered before is durable. */
  async flush(): Promise<void> {
    await this.#ask({ op: 'flush' }, { kind: 'io.flush' })
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return (await this.#submit({ kind: 'io.read', offset, length })).data!
  }

  async #ask(operation: DiskOperation, ask: Omit<IoAsk, 'session' | 'volume'>): Promise<void> {
    const asked: Asked = { operation, answered: Number.POSITIVE_INFINITY, refused: false }
    this.#asked.push(asked)
    const { code } = await this.#engine.submit({ ...ask, session: this.session, volume: this.volume })
    asked.answered = this.#asked.length
    asked.refused = code !== 'ok'
    if (asked.refused) throw refusal(ask, code)
  }

  async #submit(ask: Omit<IoAsk, 'session' | 'volume'>): Promise<Answer> {
    const answer = await this.#engine.submit({ ...ask, session: this.session, volume: this.volume })
    if (answer.code !== 'ok') throw refusal(ask, answer.code)
    return answer
  }
}

/** Makes a volume and a session, and watches what is asked of them. Throws USAGE when either is refused. */
export async function watchVolume(
  engine: Pick<Engine, 'submit'>,
  { size, block = 512, name = 'disk' }: WatchOptions,
): Promise<WatchedVolume> {
  const made = async (ask: Parameters<Engine['submit']>[0]) => {
    const { code, made } = await engine.submit(ask)
    if (code !== 'ok') throw refusal(ask, code)
    return made
  }
  const volume = await made({ kind: 'volume.create', detail: { name, size, block } })
  const session = await made({ kind: 'session.open', detail: { name } })
  return new WatchedVolume(engine, { volume, session, size })
}

function flagsOf(fua: boolean): { readonly flags?: number } {
  return fua ? { flags: flag.fua } : {}
}

function refusal({ kind }: { readonly kind: string }, code: string): BlockboxError {
  return new BlockboxError('USAGE', `${kind} is refused: ${code}`)
}
