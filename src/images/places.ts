/**
 * Where images outside are now, when they are not where the record says. The record is not changed by that, and what is
 * said holds as long as the process that was told runs.
 */

import { BlockboxError } from '../core/errors.ts'
import type { ExternalImage, OpenImage } from './external.ts'
import { openExternal } from './open-external.ts'

/** So many are remembered, each by the name that the record has for it. */
const maxPlaces = 1024

export class Places {
  readonly #now = new Map<string, string>()
  readonly #open: OpenImage

  constructor(open: OpenImage = openExternal) {
    this.#open = open
  }

  /** Opens the image that has this name on the record, where it is now. */
  readonly open: OpenImage = (recorded) => this.#open(this.#now.get(recorded) ?? recorded)

  /**
   * From now on the image on record as `recorded` is read from `path`. Throws USAGE when that has another size, and what
   * opening it throws; then it stays where it was.
   */
  async move(recorded: string, path: string, size: number): Promise<void> {
    const image: ExternalImage = await this.#open(path)
    await image.close()
    if (image.size !== size) {
      throw new BlockboxError(
        'USAGE',
        `${path} has ${image.size} bytes, the clone had ${size}: it is another`,
      )
    }
    if (this.#now.size >= maxPlaces && !this.#now.has(recorded)) {
      throw new BlockboxError('USAGE', `${maxPlaces} clones were moved already: move this one back`)
    }
    this.#now.set(recorded, path)
  }
}
