/**
 * The content of a volume as a stream, holes left out: pieces one after the other, each with where it belongs.
 *
 *     piece: offset (8 bytes, little-endian) │ length (4) │ as many bytes
 *     end:   the size of the volume (8)      │ 0 (4)            a stream without it was cut off
 *     error: 2^64 - 1 (8)                    │ length (4) │ the problem as JSON, in place of the end
 */

import type { Piece } from '../images/export.ts'
import { problemOf } from './problem.ts'

export const imageMedia = 'application/vnd.blockbox.image'
const headBytes = 12
const errorOffset = 2n ** 64n - 1n

/** @param size bytes of the volume. */
export function imageStream(pieces: Generator<Piece>, size: number): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      pull(controller) {
        try {
          const { done, value } = pieces.next()
          if (done !== true) return controller.enqueue(packed(BigInt(value.offset), value.bytes))
          controller.enqueue(packed(BigInt(size), new Uint8Array(0)))
        } catch (error) {
          const problem = new TextEncoder().encode(JSON.stringify(problemOf(error).body))
          controller.enqueue(packed(errorOffset, problem))
        }
        controller.close()
      },
      cancel() {
        pieces.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

function packed(offset: bigint, bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(headBytes + bytes.length)
  const view = new DataView(message.buffer)
  view.setBigUint64(0, offset, true)
  view.setUint32(8, bytes.length, true)
  message.set(bytes, headBytes)
  return message
}

export interface PieceForm {
  /** Bytes of the volume. */
  readonly size: number
  /** The most bytes of one piece. */
  readonly longest: number
  /** True: zeros are given where the volume has nothing, so that the pieces cover it without a gap. */
  readonly holes: boolean
  /** What an error in the stream is thrown as. */
  readonly fail: (problem: string) => Error
}

/** The pieces of such a stream. Throws when it ends before its end, or holds what no server sends. */
export async function* streamedPieces(
  stream: AsyncIterable<Uint8Array>,
  { size, longest, holes, fail }: PieceForm,
): AsyncGenerator<Piece> {
  const nothing = new Uint8Array(longest)
  let waiting = Buffer.alloc(0)
  let end = 0
  for await (const chunk of stream) {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.length >= headBytes) {
      const place = waiting.readBigUInt64LE(0)
      const length = waiting.readUInt32LE(8)
      const offset = place === errorOffset ? end : Number(place)
      if (offset < end || length > longest || (place !== errorOffset && offset + length > size)) {
        throw new Error('the image from the server makes no sense')
      }
      if (waiting.length < headBytes + length) break
      const bytes = waiting.subarray(headBytes, headBytes + length)
      if (place === errorOffset) throw fail(bytes.toString())
      while (holes && end < offset) {
        const hole = Math.min(longest, offset - end)
        yield { offset: end, bytes: nothing.subarray(0, hole), hole: true }
        end += hole
      }
      if (length === 0) return
      yield { offset, bytes, hole: false }
      waiting = waiting.subarray(headBytes + length)
      end = offset + length
    }
  }
  throw new Error('the server broke off in the middle of the image')
}
