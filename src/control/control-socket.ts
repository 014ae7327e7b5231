/** Where the control socket of a journal is, and making way for it. */

import { existsSync, lstatSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join, relative } from 'node:path'
import { BlockboxError } from '../core/errors.ts'
import { fileReason } from '../core/file-reason.ts'

/** The longest path that every system takes for a socket, in bytes. */
const maxPathBytes = 107

/** The socket of the journal in a folder, unless another path is said. */
export function controlSocket(folder: string): string {
  return join(folder, 'control.sock')
}

/** The path as a socket may be named: from here, where that is shorter. */
export function shortest(path: string): string {
  const near = relative('.', path)
  return Buffer.byteLength(near) < Buffer.byteLength(path) ? near : path
}

/** True when the path can be that of a socket. */
export function fitsSocket(path: string): boolean {
  return Buffer.byteLength(shortest(path)) <= maxPathBytes
}

/**
 * Takes away the socket that a server left that was killed. Throws USAGE for a path too long, SOCKET when another server
 * listens there or something else is there.
 */
export async function makeWay(path: string): Promise<void> {
  if (!fitsSocket(path)) {
    const why = `the path of a socket has at most ${maxPathBytes} bytes, ${path} has more: name a shorter one`
    throw new BlockboxError('USAGE', why)
  }
  const there = seen(path)
  if (there === undefined && !existsSync(dirname(path))) throw unusable(path, 'its folder does not exist')
  if (there === undefined) return
  if (!there.isSocket()) throw new BlockboxError('SOCKET', `${path} is there and is no socket: take it away`)
  if (await answers(path)) throw new BlockboxError('SOCKET', `another server listens on ${path}`)
  unlinkSync(path)
}

function seen(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    throw unusable(path, fileReason(cause, 'write') ?? (cause as Error).message, cause)
  }
}

function unusable(path: string, reason: string, cause?: unknown): BlockboxError {
  return new BlockboxError('SOCKET', `cannot listen on socket ${path}: ${reason}`, { cause })
}

/** True when somebody listens on a socket. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(shortest(path))
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}
