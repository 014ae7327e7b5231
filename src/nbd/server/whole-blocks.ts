/**
 * Ranges of bytes against whole blocks: a range of zeros has edges that are written and a middle that is zeroed; of a
 * range that is given up, blocks that it covers only in part are kept.
 *
 *          | block | block | block | block |
 *               [ edge |    middle     |edge ]
 */

export interface Part {
  readonly offset: number
  readonly length: number
  /** Zeros to be written, where the part is less than a block. */
  readonly data?: Uint8Array
}

/** The whole blocks of a range; their length is 0 when there are none. */
export function trimmed(offset: number, length: number, block: number): { offset: number; length: number } {
  const first = Math.ceil(offset / block) * block
  const end = Math.floor((offset + length) / block) * block
  return { offset: first, length: Math.max(0, end - first) }
}

/** The parts of a range of zeros in ascending order. */
export function zeroed(offset: number, length: number, block: number): Part[] {
  const whole = trimmed(offset, length, block)
  if (whole.length === 0) return [edge(offset, length)]
  const end = offset + length
  const after = whole.offset + whole.length
  return [
    ...(whole.offset > offset ? [edge(offset, whole.offset - offset)] : []),
    whole,
    ...(end > after ? [edge(after, end - after)] : []),
  ]
}

function edge(offset: number, length: number): Part {
  return { offset, length, data: new Uint8Array(length) }
}
