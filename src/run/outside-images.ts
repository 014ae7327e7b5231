/**
 * The files outside that the clones of a scenario's pairs are. Their bytes come when the driver says so, all that were
 * asked for at once and in the order they were asked for: so a run is the same each time, however fast the disk is.
 *
 *     image.read ─▶ waiting ── bring() ─▶ all read ─▶ all answered
 */

import { resolve } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import { type ExternalImage, type OpenImage, openRawFile } from '../images/external.ts'
import { fileDigest } from '../trace/source.ts'

/** A file as the record of its pair has it: by the path that the scenario gives, relative to it. */
export interface OutsideFile {
  readonly path: string
  readonly size: number
  readonly sha256: string
}

interface Waiting {
  readonly read: () => Promise<Uint8Array>
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

export class OutsideImages {
  readonly #folder: string
  readonly #files = new Map<string, { readonly file: OutsideFile; readonly image: ExternalImage }>()
  #waiting: Waiting[] = []

  /** @param folder what paths are relative to. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Opens a file ahead of its use. Throws SCENARIO when it is not there or not the one the scenario names. */
  async prepare(path: string, sha256 = ''): Promise<void> {
    if (this.#files.has(path)) return
    const place = resolve(this.#folder, path)
    const image = await openRawFile(place).catch((cause: unknown) => {
      throw new BlockboxError('SCENARIO', `the clone ${path} cannot be opened: ${String(cause)}`, { cause })
    })
    const { sha256: found } = await fileDigest(place)
    this.#files.set(path, { file: { path, size: image.size, sha256: found }, image })
    if (sha256 === '' || sha256 === found) return
    throw new BlockboxError(
      'SCENARIO',
      `the clone ${path} has the SHA-256 ${found}, the scenario names ${sha256}`,
    )
  }

  file(path: string): OutsideFile {
    const known = this.#files.get(path)
    if (known !== undefined) return known.file
    throw new BlockboxError('SCENARIO', `the clone ${path} was not opened`)
  }

  /** To be given to the engine. Files that no scenario prepared are opened as they are. */
  readonly open: OpenImage = (path) => {
    const known = this.#files.get(path)
    if (known === undefined) return openRawFile(resolve(this.#folder, path))
    const { size } = known.image
    const read = (offset: number, length: number) =>
      new Promise<Uint8Array>((done, reject) => {
        this.#waiting.push({ read: () => known.image.read(offset, length), resolve: done, reject })
      })
    return Promise.resolve({ size, read, close: () => Promise.resolve() })
  }

  /** Brings what was asked for; says how many reads that were. */
  async bring(): Promise<number> {
    const waiting = this.#waiting
    this.#waiting = []
    const results = await Promise.allSettled(waiting.map(({ read }) => read()))
    for (const [k, result] of results.entries()) {
      if (result.status === 'fulfilled') waiting[k]!.resolve(result.value)
      else waiting[k]!.reject(result.reason)
    }
    return waiting.length
  }

  async close(): Promise<void> {
    for (const { image } of this.#files.values()) await image.close()
  }
}
