/**
 * The files beside a disk under test: what is in them, what of it is durable, and what a power cut may leave.
 *
 *     make, create ─▶ the name is visible ── the names are synced ──────────────▶ the name is durable
 *     write        ─▶ visible at once ─▶ unsynced, in order ── its file synced ─▶ durable
 *                                            └── power fails: some first part survives, whatever LevelDB's log keeps
 *
 * A file whose name is lost is gone with all that was synced in it. What a failed sync was to make durable no later one
 * makes durable (so Linux has it: the pages count as clean). Durable bytes are what lies there, less what is unsynced:
 * each write remembers what lay beneath it.
 */

interface File {
  bytes: Uint8Array
  size: number
  /** Up to here some write is durable. */
  durable: number
  name: Name
}

/** A name that was made, one that somebody believes to be durable, one that is. */
type Name = 'made' | 'promised' | 'durable'

/** A write that is visible and may still be lost. */
interface Unsynced {
  readonly segment: number
  readonly at: number
  readonly bytes: Uint8Array
  /** What lay beneath it, and where the file ended. */
  readonly beneath: Uint8Array
  readonly end: number
  /** True when somebody was told that it is durable. */
  readonly promised: boolean
  /** True when its sync failed. */
  readonly forsaken: boolean
}

/** What a power cut leaves of what is not durable. */
export interface FileLoss {
  /** So many of the unsynced writes survive; */
  readonly kept: number
  /** so many bytes of the next one do, behind which are zeros in place of the others, or the end of the file. */
  readonly torn?: { readonly bytes: number; readonly zeros: boolean }
  /** True when names that are not durable are gone. */
  readonly nameless: boolean
}

export const allLost: FileLoss = { kept: 0, nameless: true }

export class Files {
  readonly #files = new Map<number, File>()
  #folder: Name | undefined
  #unsynced: Unsynced[] = []

  /** Writes that power loss may take. */
  get unsynced(): number {
    return this.#unsynced.length
  }

  /** True when the name of a file or of the folder may be lost. */
  get hasLooseName(): boolean {
    if (this.#folder !== undefined && this.#folder !== 'durable') return true
    return [...this.#files.values()].some(({ name }) => name !== 'durable')
  }

  /** True when somebody believes that something is durable which is not. */
  get isBelieved(): boolean {
    const isPromised = ({ promised }: Unsynced) => promised
    const names = [this.#folder, ...[...this.#files.values()].map(({ name }) => name)]
    return this.#unsynced.some(isPromised) || names.includes('promised')
  }

  /** The files as they are at this moment, on their own from now on. */
  fork(): Files {
    const fork = new Files()
    for (const [segment, file] of this.#files) {
      fork.#files.set(segment, { ...file, bytes: file.bytes.slice(0, file.size) })
    }
    fork.#folder = this.#folder
    fork.#unsynced = [...this.#unsynced]
    return fork
  }

  numbers(): readonly number[] | undefined {
    return this.#folder === undefined ? undefined : [...this.#files.keys()]
  }

  make(): void {
    if (this.#folder !== undefined) throw new Error('file already exists (EEXIST)')
    this.#folder = 'made'
  }

  create(segment: number): void {
    if (this.#folder === undefined) throw new Error('no such file or directory (ENOENT)')
    if (this.#files.has(segment)) throw new Error('file already exists (EEXIST)')
    this.#files.set(segment, { bytes: new Uint8Array(0), size: 0, durable: 0, name: 'made' })
  }

  /** The folder's own name is durable, or is believed to be. */
  syncOwnName(to: 'durable' | 'promised' = 'durable'): void {
    if (this.#folder === 'made' || to === 'durable') this.#folder = to
  }

  /** The names in the folder are durable, or are believed to be. */
  syncNames(to: 'durable' | 'promised' = 'durable'): void {
    for (const file of this.#files.values()) if (file.name === 'made' || to === 'durable') file.name = to
  }

  has(segment: number): boolean {
    return this.#files.has(segment)
  }

  size(segment: number): number {
    return this.#files.get(segment)?.size ?? 0
  }

  /** A copy of up to so many bytes of a file, none of one that is not there. */
  read(segment: number, at: number, length: number): Uint8Array {
    const { bytes, size } = this.#files.get(segment) ?? { bytes: new Uint8Array(0), size: 0 }
    return bytes.slice(Math.min(at, size), Math.min(at + length, size))
  }

  /** Makes bytes visible; a hole before them is zeros. A file that was lost takes them, and nobody sees them. */
  write(segment: number, at: number, bytes: Uint8Array): void {
    const file = this.#files.get(segment)
    if (file === undefined || bytes.length === 0) return
    const beneath = file.bytes.slice(Math.min(at, file.size), Math.min(at + bytes.length, file.size))
    const own = bytes.slice()
    this.#unsynced.push({
      ...{ segment, at, bytes: own, beneath, end: file.size },
      ...{ promised: false, forsaken: false },
    })
    put(file, at, own)
  }

  /** What was written to a file is durable, but for what a sync failed to make so. */
  sync(segment: number): void {
    for (const one of this.#unsynced) if (one.segment === segment && !one.forsaken) this.#settle(one)
    this.#unsynced = this.#unsynced.filter((one) => one.segment !== segment || one.forsaken)
  }

  /** A sync that lies: whoever wrote to the file believes that it is durable. */
  lie(segment: number): void {
    this.#change(segment, { promised: true })
  }

  /** A sync that failed. */
  forsake(segment: number): void {
    this.#change(segment, { forsaken: true })
  }

  /** What a power cut may leave: each number of writes, the next one torn in its middle both ways, names kept or lost. */
  *losses(): Generator<FileLoss> {
    for (const nameless of this.hasLooseName ? [false, true] : [false]) {
      for (let kept = 0; kept <= this.unsynced; kept++) {
        yield { kept, nameless }
        const bytes = (this.lengthOf(kept) + 1) >> 1
        if (kept === this.unsynced) continue
        for (const zeros of [false, true]) yield { kept, torn: { bytes, zeros }, nameless }
      }
    }
  }

  /** Bytes of an unsynced write; 0 when there is none. */
  lengthOf(index: number): number {
    return this.#unsynced[index]?.bytes.length ?? 0
  }

  /** Power fails. Returns true when something is gone that somebody believed to be durable. */
  powerLoss({ kept, torn, nameless }: FileLoss): boolean {
    const lost = this.#unsynced.slice(kept)
    for (const one of this.#unsynced.slice(0, kept)) this.#settle(one)
    for (const one of lost.toReversed()) this.#undo(one)
    const half = lost[0]
    const file = half && this.#files.get(half.segment)
    if (torn !== undefined && half !== undefined && file !== undefined) {
      const survivors = new Uint8Array(torn.zeros ? half.bytes.length : torn.bytes)
      survivors.set(half.beneath.subarray(0, survivors.length))
      survivors.set(half.bytes.subarray(0, torn.bytes))
      put(file, half.at, survivors)
    }
    const broken = lost.some(({ promised }) => promised)
    this.#unsynced = []
    for (const file of this.#files.values()) file.durable = file.size
    const unnamed = nameless && this.#dropNames()
    return broken || unnamed
  }

  /** One bit of a byte of a file flips. */
  flip(segment: number, at: number, bit: number): void {
    const file = this.#files.get(segment)
    if (file !== undefined && at < file.size) file.bytes[at]! ^= 1 << bit
  }

  /** Gives up names that are not durable; true when somebody believed in one. */
  #dropNames(): boolean {
    let broken = false
    const isFolderLost = this.#folder !== undefined && this.#folder !== 'durable'
    for (const [segment, { name }] of this.#files) {
      if (name === 'durable' && !isFolderLost) continue
      broken ||= name === 'promised' || this.#folder === 'promised'
      this.#files.delete(segment)
    }
    if (isFolderLost) this.#folder = undefined
    return broken
  }

  #change(segment: number, more: Partial<Unsynced>): void {
    this.#unsynced = this.#unsynced.map((one) => (one.segment === segment ? { ...one, ...more } : one))
  }

  #settle({ segment, at, bytes }: Unsynced): void {
    const file = this.#files.get(segment)!
    file.durable = Math.max(file.durable, at + bytes.length)
  }

  #undo({ segment, at, bytes, beneath, end }: Unsynced): void {
    const file = this.#files.get(segment)!
    file.bytes.set(beneath, at)
    file.bytes.fill(0, at + beneath.length, at + bytes.length)
    file.size = Math.max(end, file.durable)
  }
}

function put(file: File, at: number, bytes: Uint8Array): void {
  if (bytes.length === 0) return
  const end = at + bytes.length
  if (end > file.bytes.length) {
    const larger = new Uint8Array(Math.max(end, 2 * file.bytes.length))
    larger.set(file.bytes.subarray(0, file.size))
    file.bytes = larger
  }
  file.bytes.set(bytes, at)
  file.size = Math.max(file.size, end)
}
