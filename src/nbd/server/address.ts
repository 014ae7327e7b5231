/**
 * Where a server listens: a unix socket, a port, or a socket that somebody else bound.
 *
 * A socket file that nobody answers on is what a server that was killed left behind, and is replaced; one that
 * somebody answers on is not touched.
 */

import { existsSync } from 'node:fs'
import { lstat, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { BlockboxError } from '../../core/errors.ts'
import { fileReason } from '../../core/file-reason.ts'

export type Address =
  | { readonly socket: string }
  | { readonly port: number; readonly host: string }
  /** A file descriptor that is listening already. */
  | { readonly descriptor: number }

/** The longest path that every system takes for a socket, in bytes. */
const maxPathBytes = 107

/** Throws SOCKET when the address is taken or cannot be had. */
export async function bind(server: Server, address: Address): Promise<Address> {
  if ('socket' in address) await makeWay(address.socket)
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) =>
      reject(
        new BlockboxError(
          'SOCKET',
          `cannot listen on ${addressText(address)}: ${fileReason(cause, 'write') ?? cause.message}`,
          { cause },
        ),
      )
    server.once('error', fail)
    server.listen(listenOptions(address), () => {
      server.off('error', fail)
      resolve()
    })
  })
  const bound = server.address()
  if (typeof bound !== 'object' || bound === null || !('port' in address)) return address
  return { ...address, port: bound.port }
}

/** Takes away what `bind` made. */
export async function unbind(address: Address): Promise<void> {
  if ('socket' in address) await unlink(address.socket).catch(() => undefined)
}

export function addressText(address: Address): string {
  if ('socket' in address) return `socket ${address.socket}`
  if ('port' in address) return `${address.host} port ${address.port}`
  return `file descriptor ${address.descriptor}`
}

/** The NBD URI of an export. */
export function exportUri(address: Address, name: string, secure: boolean): string {
  const scheme = secure ? 'nbds' : 'nbd'
  const path = encodeURIComponent(name)
  if ('socket' in address) {
    return `${scheme}+unix:///${path}?socket=${encodeURIComponent(address.socket).replaceAll('%2F', '/')}`
  }
  if (!('port' in address)) return `${scheme}:///${path}`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${scheme}://${host}${address.port === 10809 ? '' : `:${address.port}`}/${path}`
}

function listenOptions(address: Address) {
  if ('socket' in address) return { path: address.socket }
  if ('port' in address) return { port: address.port, host: address.host }
  return { fd: address.descriptor }
}

async function makeWay(path: string): Promise<void> {
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw new BlockboxError(
      'USAGE',
      `the path of a socket has at most ${maxPathBytes} bytes: choose a shorter one`,
    )
  }
  const there = await lstat(path).catch(() => undefined)
  if (there === undefined && !existsSync(dirname(path))) {
    throw new BlockboxError('SOCKET', `cannot listen on socket ${path}: its folder does not exist`)
  }
  if (there === undefined) return
  if (!there.isSocket())
    throw new BlockboxError('SOCKET', `${path} is there and is no socket: choose another path`)
  if (await answers(path)) throw new BlockboxError('SOCKET', `another server listens on ${path}`)
  await unlink(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'))
  })
}
