/**
 * The backup store as another NBD server: its exports are the images, named by their URIs. The mover reads them over the
 * data network; a connection that is lost is made again once a read (images/nbd-image.ts).
 *
 * An export has no digest that could be known without reading all of it, and may be another one the next time: on the
 * record its digest is empty, and a mover that is sent again begins anew.
 *
 *     read, read behind it ─▶ the piece behind that is asked for while the mover reports this one
 */

import type { ExternalImage } from '../images/external.ts'
import { openNbdImage } from '../images/nbd-image.ts'
import type { Image, ImageStore } from './image-store.ts'

/** The exports of NBD servers, by URI. Opening one throws what `openNbdImage` does. */
export const exportImages: ImageStore = {
  open: async (uri) => new ExportImage(uri, await openNbdImage(uri)),
}

class ExportImage implements Image {
  readonly name: string
  readonly size: number
  readonly digest = ''
  readonly #content: ExternalImage
  /** Where the last read ended. */
  #end = -1
  #ahead: { readonly offset: number; readonly bytes: Promise<Uint8Array> } | undefined

  constructor(uri: string, content: ExternalImage) {
    this.name = uri
    this.size = content.size
    this.#content = content
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    const wanted = Math.max(0, Math.min(length, this.size - offset))
    const end = offset + wanted
    const goesOn = offset === this.#end
    this.#end = end
    const came = wanted === 0 ? bytes : await this.#taken(offset, wanted)
    if (goesOn && end < this.size) this.#askFor(end, Math.min(length, this.size - end))
    if (wanted === length) return came
    bytes.set(came)
    return bytes
  }

  close(): Promise<void> {
    return this.#content.close()
  }

  async #taken(offset: number, length: number): Promise<Uint8Array> {
    const ahead = this.#ahead
    this.#ahead = undefined
    const bytes = ahead?.offset === offset ? await ahead.bytes.catch(() => undefined) : undefined
    return bytes?.length === length ? bytes : this.#content.read(offset, length)
  }

  #askFor(offset: number, length: number): void {
    const bytes = this.#content.read(offset, length)
    bytes.catch(() => undefined)
    this.#ahead = { offset, bytes }
  }
}
