/** Bytes written behind a fence by its owner: metadata goes to the working copy, data to the volume. */

import { failFence, fenceVerbs, writeFence } from '../src/control/fence-routes.ts'
import { BlockboxError } from '../src/core/errors.ts'
import { readBounded } from '../src/files/bounded-file.ts'
import type { FenceAnswer, FenceUse } from './fence-control.ts'

/** As much as one request may bring. */
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
  const bytes = new Uint8Array(readBounded(path, maxBytes))
  const fault = await faultOf(use, name, bytes.length, offset)
  if (fault !== undefined) throw new BlockboxError('USAGE', fault)
  const begun = await use.ask(fenceVerbs.operate, { fence: name })
  if (begun.answer.code !== 'ok') return begun
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.slice(at, at + pieceBytes)
    const written = await use.ask(writeFence, { fence: name, offset: offset + at }, piece)
    if (written.answer.code === 'ok') continue
    await use.ask(failFence, { fence: name })
    return written
  }
  return use.ask(fenceVerbs.finish, { fence: name })
}

/** Where there is no such fence the engine says so. */
async function faultOf(
  use: FenceUse,
  name: string,
  length: number,
  offset: number,
): Promise<string | undefined> {
  const { volumes, fences } = await use.contents()
  const fence = fences.find((one) => one.name === name)
  const volume = volumes.find((one) => one.name === fence?.volume)
  if (volume === undefined) return undefined
  const { block, size } = volume
  if (length === 0 || length > maxBytes) return `the file has ${length} bytes: write 1 to ${maxBytes} at once`
  if (length % block !== 0 || offset % block !== 0) {
    return `offset ${offset} and length ${length} are not whole blocks of ${block} bytes`
  }
  return offset + length > size ? `the file reaches past the end of the volume at ${size}` : undefined
}
