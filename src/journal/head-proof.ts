/**
 * A proof that one head extends another, to be checked without the journal: the frames between them.
 *
 *     header   one line of JSON: format, version, journal, from, to
 *     frames   bytes of it (u32, little-endian), the frame as stored (FORMAT.md)
 *     end      u32 zero, SHA-256 of everything before it
 *
 * The hash of a frame is over all its bytes, and the hash before it stands in front of them, so that nothing shorter than
 * the frames themselves shows how one hash leads to the next: 63 bytes an event, and more for names. Payload is not
 * among them, only its digests.
 */

import { createHash } from 'node:crypto'
import { digestBytes, hex, noDigest, sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { decodeFrame, type Frame, maxFrameBytes } from './frame.ts'
import type { Journal } from './journal.ts'
import { reading, type Source } from './level-file.ts'

const format = 'blockbox-head-proof'
const version = 1
const maxHeaderBytes = 1024
/** No proof is longer. */
export const maxProofBytes = 2 ** 32

export interface ProofHead {
  readonly seq: number
  /** 64 hexadecimal digits. */
  readonly hash: string
}

/** What a proof is about: the later head, `to`, has the history of the earlier one, `from`. */
export interface Claim {
  /** The journal's identity, 32 hexadecimal digits. */
  readonly journal: string
  readonly from: ProofHead
  readonly to: ProofHead
}

export interface Proven extends Claim {
  readonly frames: number
  readonly events: number
  readonly bytes: number
}

/**
 * The bytes of a proof, frame by frame. Throws PROOF_INVALID where the journal does not hold the two heads, with the
 * sequence number; JOURNAL_TRUNCATED, or what damage says; USAGE where it would be too long.
 */
export async function* proofParts(journal: Journal, claim: Claim): AsyncGenerator<Uint8Array> {
  const { from, to } = claim
  const chain = new Chain(from)
  const digest = createHash('sha256')
  let bytes = 0
  const part = (one: Uint8Array) => {
    digest.update(one)
    bytes += one.length
    if (bytes <= maxProofBytes) return one
    throw new BlockboxError(
      'USAGE',
      `the proof would have more than ${maxProofBytes} bytes: prove it in steps`,
    )
  }
  yield part(headerOf(claim))
  if (to.seq > from.seq) {
    for await (const frame of journal.read(from.seq + 1, to.seq)) {
      chain.take(frame)
      yield part(length(frame.bytes.length))
      yield part(frame.bytes)
    }
  }
  chain.end(to)
  yield part(length(0))
  yield digest.digest()
}

/** Checks the proof in a file, a frame at a time. Throws PROOF_INVALID with what is wrong in it. */
export function checkProof(path: string): Proven {
  return reading(
    path,
    (source) => {
      if (source.size > maxProofBytes + digestBytes) throw invalid(`it has more than ${maxProofBytes} bytes`)
      const digest = createHash('sha256')
      let at = 0
      const next = (bytes: number) => {
        const part = partOf(source, at, bytes)
        digest.update(part)
        at += part.length
        return part
      }
      const claim = claimOf(next(headerBytes(source)))
      const chain = new Chain(claim.from)
      for (;;) {
        const bytes = lengthOf(next(4))
        if (bytes === 0) break
        if (bytes > maxFrameBytes)
          throw invalid(`a frame has at most ${maxFrameBytes} bytes, one claims ${bytes}`)
        chain.take(decoded(next(bytes), chain.next))
      }
      chain.end(claim.to)
      const end = partOf(source, at, digestBytes)
      if (!sameBytes(digest.digest(), end))
        throw invalid('its last 32 bytes are not the SHA-256 of the others')
      if (at + digestBytes !== source.size) throw invalid('something follows its end')
      const { frames } = chain
      return { ...claim, frames, events: claim.to.seq - claim.from.seq, bytes: source.size }
    },
    {},
  )
}

/** Frames one behind the other, each hanging on the one before it. */
class Chain {
  frames = 0
  #seq: number
  #hash: Uint8Array
  #epoch = 0

  constructor({ seq, hash }: ProofHead) {
    this.#seq = seq
    this.#hash = new Uint8Array(Buffer.from(hash, 'hex'))
    if (seq === 0 && !sameBytes(this.#hash, noDigest)) throw invalid('no event has a hash of zeros only', 0)
  }

  /** The first event of the next frame. */
  get next(): number {
    return this.#seq + 1
  }

  take(frame: Frame): void {
    const seq = this.next
    if (frame.first !== seq) throw invalid(`no frame ends with event ${this.#seq}: it has no head`, this.#seq)
    if (!sameBytes(frame.previous, this.#hash)) {
      const before = this.frames === 0 ? `the head of event ${this.#seq}` : 'the one before it'
      throw invalid(`the frame of event ${seq} does not hang on ${before}`, seq)
    }
    if (frame.epoch < this.#epoch) throw invalid(`at event ${seq} the epoch falls`, seq)
    this.frames++
    this.#seq = frame.last
    this.#hash = frame.hash
    this.#epoch = frame.epoch
  }

  end({ seq, hash }: ProofHead): void {
    if (seq === this.#seq && hash === hex(this.#hash)) return
    const reached = `${hex(this.#hash)}@${this.#seq}`
    throw invalid(`the frames lead to ${reached}, not to ${hash}@${seq}`, Math.min(seq, this.#seq))
  }
}

function decoded(bytes: Uint8Array, seq: number): Frame {
  try {
    return decodeFrame(bytes, seq)
  } catch (error) {
    if (!(error instanceof BlockboxError) || error.code === 'JOURNAL_VERSION') throw error
    throw invalid(error.message, seq)
  }
}

function headerOf({ journal, from, to }: Claim): Uint8Array {
  const head = ({ seq, hash }: ProofHead) => ({ seq, hash })
  return Buffer.from(`${JSON.stringify({ format, version, journal, from: head(from), to: head(to) })}\n`)
}

function headerBytes(source: Source): number {
  const end = source.bytes(0, maxHeaderBytes).indexOf(0x0a)
  if (end < 0) throw invalid('it does not begin with a line that says what it is')
  return end + 1
}

/** The claim of a header, which has to be written as `headerOf` writes it, to the byte. */
function claimOf(header: Uint8Array): Claim {
  const text = Buffer.from(header).toString('latin1')
  const one = '\\{"seq":(\\d{1,16}),"hash":"([0-9a-f]{64})"\\}'
  const form = new RegExp(
    `^\\{"format":"${format}","version":(\\d{1,9}),"journal":"([0-9a-f]{32})","from":${one},"to":${one}\\}\\n$`,
  )
  const [, says, journal, fromSeq, fromHash, toSeq, toHash] = form.exec(text) ?? []
  if (toHash === undefined) throw invalid('it does not begin with a line that says what it is')
  if (Number(says) !== version)
    throw invalid(`it has format version ${says}: this program knows ${version}, use a newer blockbox`)
  const claim = {
    journal: journal!,
    from: { seq: Number(fromSeq), hash: fromHash! },
    to: { seq: Number(toSeq), hash: toHash },
  }
  if (!sameBytes(headerOf(claim), header) || claim.to.seq < claim.from.seq)
    throw invalid('its first line makes no sense')
  return claim
}

function partOf(source: Source, at: number, bytes: number): Uint8Array {
  if (at + bytes > source.size) throw invalid(`it ends at byte ${source.size}, in the middle`)
  return source.bytes(at, bytes)
}

function lengthOf(four: Uint8Array): number {
  return new DataView(four.buffer, four.byteOffset).getUint32(0, true)
}

function length(bytes: number): Uint8Array {
  const four = new Uint8Array(4)
  new DataView(four.buffer).setUint32(0, bytes, true)
  return four
}

function invalid(why: string, seq?: number): BlockboxError {
  return new BlockboxError('PROOF_INVALID', `not proven: ${why}`, seq === undefined ? {} : { seq })
}
