/**
 * The fence pattern: what lies where metadata was, so that no file system accepts it and a person who looks at the raw
 * device sees why.
 *
 *     every 512 bytes:  BLOCKBOX FENCE 1\n  fence=N\n  owner=NAME\n  seq=N\n  saved=SHA-256\n  spaces  \n
 *
 * `seq` is the sequence number of the record that says what was saved, `saved` the digest of the saved bytes.
 */

import { BlockboxError } from '../core/errors.ts'

const unit = 512
const magic = 'BLOCKBOX FENCE 1\n'

export interface Pattern {
  readonly fence: number
  readonly owner: string
  readonly seq: number
  /** SHA-256 of the metadata that was saved, lower-case hexadecimal. */
  readonly saved: string
}

/** The pattern, again and again, in `bytes` bytes, a multiple of 512. */
export function encodePattern(pattern: Pattern, bytes: number): Uint8Array {
  const { fence, owner, seq, saved } = pattern
  const text = `${magic}fence=${fence}\nowner=${owner}\nseq=${seq}\nsaved=${saved}\n`
  if (text.length >= unit)
    throw new BlockboxError('USAGE', `a fence pattern has no room for the owner ${owner}`)
  const one = Uint8Array.from(text.padEnd(unit - 1).concat('\n'), (letter) => letter.charCodeAt(0))
  const all = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at += unit) all.set(one, at)
  return all
}

/** What the 512 bytes at `at` say when they are a pattern; undefined when they are none. */
export function decodePattern(bytes: Uint8Array, at = 0): Pattern | undefined {
  const text = String.fromCharCode(...bytes.subarray(at, at + unit))
  if (text.length !== unit || !text.startsWith(magic)) return undefined
  const found = /^fence=(\d+)\nowner=([^\n]*)\nseq=(\d+)\nsaved=([0-9a-f]{64})\n *\n$/.exec(
    text.slice(magic.length),
  )
  if (found === null) return undefined
  return { fence: Number(found[1]), owner: found[2]!, seq: Number(found[3]), saved: found[4]! }
}
