/**
 * Every damage of the sweep, in order: each byte of each file flipped (one bit of it), each zeroed, each length it can
 * be cut to, and each file removed. LevelDB's LOCK and LOG hold nothing and are left out. Of the reserve, which is only
 * room and never read, one byte a page stands for all.
 */

export type How = 'flip' | 'zero' | 'cut' | 'remove'

export interface Damage {
  readonly file: string
  readonly how: How
  /** The byte, or the length that is left. */
  readonly at: number
}

const pageBytes = 4096

/** All damage that can be done to these files and that changes them. */
export function damageTo(files: ReadonlyMap<string, Uint8Array>): Damage[] {
  const all: Damage[] = []
  for (const [file, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const step = file === 'reserve' ? pageBytes : 1
    for (const how of ['flip', 'zero', 'cut'] as const) {
      for (let at = 0; at < bytes.length; at += step) {
        if (how !== 'zero' || bytes[at] !== 0) all.push({ file, how, at })
      }
    }
    all.push({ file, how: 'remove', at: 0 })
  }
  return all
}

/** The bytes after the damage; undefined when the file is gone. */
export function damaged(bytes: Uint8Array, { how, at }: Damage): Uint8Array | undefined {
  if (how === 'remove') return undefined
  if (how === 'cut') return bytes.subarray(0, at)
  const copy = new Uint8Array(bytes)
  copy[at] = how === 'zero' ? 0 : copy[at]! ^ (1 << (at % 8))
  return copy
}

/** The damage in words. */
export function damageText({ file, how, at }: Damage): string {
  return how === 'remove' ? `${file} removed` : `${file} ${how} ${at}`
}
