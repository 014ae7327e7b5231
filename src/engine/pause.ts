/** A pause of what uses a journal while that is opened anew (succession.ts): others wait for its end, but not for ever. */

import { BlockboxError } from '../core/errors.ts'

/** Who waits longer than this is told to try again. */
const mostMs = 30_000

export class Pause {
  #reason: BlockboxError | undefined
  #over: Promise<void> = Promise.resolve()
  #end: () => void = () => undefined

  /** Why there is one; undefined while there is none. */
  get reason(): BlockboxError | undefined {
    return this.#reason
  }

  begin(reason: BlockboxError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#over = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  end(): void {
    this.#reason = undefined
    this.#end()
  }

  /** Resolves when there is none. Rejects with STALLED when it is too long. */
  over(): Promise<void> {
    if (this.#reason === undefined) return this.#over
    return new Promise((resolve, reject) => {
      const why = 'the journal is being opened anew, which takes long: try again in a moment'
      const late = setTimeout(() => reject(new BlockboxError('STALLED', why)), mostMs)
      void this.#over.then(() => {
        clearTimeout(late)
        resolve()
      })
    })
  }
}
