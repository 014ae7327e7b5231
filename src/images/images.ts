/** Images that are open: each is opened when something is first read from it, and kept until all are closed. */

import type { ExternalImage, OpenImage } from './external.ts'

export class Images {
  readonly #open: OpenImage
  readonly #byPath = new Map<string, Promise<ExternalImage>>()

  constructor(open: OpenImage) {
    this.#open = open
  }

  /** The bytes of [offset, offset + length). After an error the image is opened anew for the next one who asks. */
  async read(path: string, offset: number, length: number): Promise<Uint8Array> {
    const opened = this.#byPath.get(path) ?? this.#open(path)
    this.#byPath.set(path, opened)
    try {
      return await (await opened).read(offset, length)
    } catch (error) {
      if (this.#byPath.get(path) === opened) this.#byPath.delete(path)
      close(opened).catch(() => undefined)
      throw error
    }
  }

  /** Closes one that nobody reads any more, if it is open. */
  async release(path: string): Promise<void> {
    const opened = this.#byPath.get(path)
    this.#byPath.delete(path)
    if (opened !== undefined) await close(opened)
  }

  /** Closes all; what is being read fails or not, nobody waits for it. */
  close(): void {
    for (const opened of this.#byPath.values()) close(opened).catch(() => undefined)
    this.#byPath.clear()
  }
}

async function close(opened: Promise<ExternalImage>): Promise<void> {
  try {
    await (await opened).close()
  } catch {
    // It could not be opened, or is gone already: there is nothing to close.
  }
}
