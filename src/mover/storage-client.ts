/** The storage client: asks the server over the control network for the restore of an image, and how far it is. */

import { type ControlReply, type ControlRequest, decodeReply, encodeMessage } from './message.ts'

/** Carries one message to the server and its reply back. */
export type ControlChannel = (message: Uint8Array) => Promise<Uint8Array>

export class StorageClient {
  readonly #channel: ControlChannel

  constructor(channel: ControlChannel) {
    this.#channel = channel
  }

  /** Asks for an image behind a fence that the session owns; resolves when the mover is on its way. */
  restore(fence: string, session: number, image: string): Promise<ControlReply> {
    return this.#ask({ ask: 'restore', fence, session, image })
  }

  status(fence: string): Promise<ControlReply> {
    return this.#ask({ ask: 'status', fence })
  }

  async #ask(request: ControlRequest): Promise<ControlReply> {
    return decodeReply(await this.#channel(encodeMessage(request)))
  }
}
