/** Bytes written behind a fence by its owner: metadata goes to the working copy, data to the volume. */

import { readFileSync } from 'node:fs'
import { BlockboxError } from '../src/core/errors.ts'
import type { Answer } from '../src/engine/ask.ts'
import { type Fence, fenceNamed, fencesOf } from '../src/layers/fence-state.ts'
import type { FenceAnswer, FenceUse } from './fence-control.ts'

const pieceBytes = 2 ** 20
/** A file is read whole. */
const maxBytes = 2 ** 30

/** The file's bytes to be written at `offset`. Throws USAGE when they are not whole blocks of the fence's volume. */
export async function writeBehind(
  use: FenceUse,
  name: string,
  path: string,
  offset: number,
): Promise<FenceAnswer> {
  const fence = fenceNamed(fencesOf(use.engine.world), name)
  const bytes = new Uint8Array(readFileSync(path))
  const fault = fence === undefined ? undefined : faultOf(fence, bytes.length, offset)
  if (fault !== undefined) throw new BlockboxError('USAGE', fault)
  const begun = await use.ask({ kind: 'fence.operate', detail: { name } })
  if (begun.code !== 'ok' || fence === undefined) return { command: 'fence.operate', answer: begun }
  const failed = await writeAll(use, fence, bytes, offset)
  if (failed === undefined) {
    return { command: 'fence.finish', answer: await use.ask({ kind: 'fence.finish', detail: { name } }) }
  }
  await use.ask({ kind: 'fence.fail', code: failed.answer.code, detail: { name } })
  return failed
}

function faultOf({ block, size }: Fence, length: number, offset: number): string | undefined {
  if (length === 0 || length > maxBytes) return `the file has ${length} bytes: write 1 to ${maxBytes} at once`
  if (length % block !== 0 || offset % block !== 0) {
    return `offset ${offset} and length ${length} are not whole blocks of ${block} bytes`
  }
  return offset + length > size ? `the file reaches past the end of the volume at ${size}` : undefined
}

/** Undefined when all was written. */
async function writeAll(
  { engine, session, ask }: FenceUse,
  { name, meta, volume }: Fence,
  bytes: Uint8Array,
  offset: number,
): Promise<FenceAnswer | undefined> {
  for (const piece of meta.split({ offset, length: bytes.length })) {
    for (let at = piece.offset; at < piece.offset + piece.length; at += pieceBytes) {
      const end = Math.min(at + pieceBytes, piece.offset + piece.length)
      const data = bytes.slice(at - offset, end - offset)
      const kind = piece.inside ? 'fence.update' : 'io.write'
      const answer: Answer = piece.inside
        ? await ask({ kind: 'fence.update', offset: at, data, detail: { name } })
        : await engine.submit({ kind: 'io.write', session, volume, offset: at, data })
      if (answer.code !== 'ok') return { command: kind, answer }
    }
  }
  return undefined
}
