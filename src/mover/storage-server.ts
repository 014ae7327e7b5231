/**
 * The storage server: hears requests on the control network and sends the data mover, which works on the data network
 * (seed claims 10 and 11).
 *
 *     client ── request ──▶ server ── mover.request ──▶ engine
 *            ◀── reply ───         ── data mover ── image ══▶ engine
 */

import { BlockboxError } from '../core/errors.ts'
import type { Engine } from '../engine/engine.ts'
import { moverTarget } from '../layers/fence-mover.ts'
import { fenceNamed, fencesOf } from '../layers/fence-state.ts'
import { moveImage } from './data-mover.ts'
import type { Image, ImageStore } from './image-store.ts'
import { type ControlReply, decodeRequest, encodeMessage, type RestoreRequest } from './message.ts'
import type { Network } from './network.ts'

export interface ServerOptions {
  readonly engine: Engine
  readonly images: ImageStore
  readonly data: Network
  readonly control: Network
  readonly pieceBytes?: number
}

export class StorageServer {
  readonly #options: ServerOptions
  readonly #moving = new Set<Promise<unknown>>()

  constructor(options: ServerOptions) {
    this.#options = options
  }

  /** Answers one message of the control network. Never rejects. */
  async handle(message: Uint8Array): Promise<Uint8Array> {
    const { control } = this.#options
    const before = control.bytes
    control.carry(message)
    let reply: ControlReply
    try {
      const request = decodeRequest(message)
      reply = request.ask === 'restore' ? await this.#restore(request, before) : this.#status(request.fence)
    } catch (error) {
      const known = error instanceof BlockboxError
      reply = { code: known ? error.code : 'ERROR', message: (error as Error).message.slice(0, 1000) }
    }
    return control.carry(encodeMessage(reply))
  }

  /** Resolves when no mover works any more. */
  async idle(): Promise<void> {
    while (this.#moving.size > 0) await Promise.all(this.#moving)
  }

  async #restore(
    { fence: name, session, image: wanted }: RestoreRequest,
    before: number,
  ): Promise<ControlReply> {
    const { engine, images, control } = this.#options
    const image = await images.open(wanted)
    const controlBytes = control.bytes - before
    const detail = { fence: name, image: image.name, digest: image.digest, size: image.size, controlBytes }
    let sent = false
    try {
      const { code } = await engine.submit({ kind: 'mover.request', session, detail })
      const fence = fenceNamed(fencesOf(engine.world), name)
      if (code !== 'ok' || fence === undefined) return { code }
      this.#send(fence.tag, image, control.bytes)
      sent = true
      return this.#status(name)
    } finally {
      if (!sent) await image.close()
    }
  }

  #send(tag: number, image: Image, from: number): void {
    const { engine, data, control, pieceBytes } = this.#options
    const controlBytes = () => control.bytes - from
    const moving = moveImage(tag, { engine, image, data, controlBytes, ...(pieceBytes && { pieceBytes }) })
      .catch(() => 'stopped')
      .finally(() => image.close())
      .finally(() => this.#moving.delete(moving))
    this.#moving.add(moving)
  }

  #status(name: string): ControlReply {
    const fence = fenceNamed(fencesOf(this.#options.engine.world), name)
    if (fence === undefined) return { code: 'ok', phase: 'gone' }
    const { phase, mover } = fence
    return { code: 'ok', phase, total: moverTarget(fence).bytes, ...(mover && { moved: mover.moved }) }
  }
}
