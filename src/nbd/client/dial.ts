/** A connection to a server, plain, and then secure if that is wanted; each step within the time it may take. */

import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { BlockboxError } from '../../core/errors.ts'

export type ServerAddress = { readonly socket: string } | { readonly port: number; readonly host?: string }

export interface ClientTls extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> {
  /** The name or address that the certificate of the server must bear. */
  readonly servername: string
}

/** Throws SOCKET when nobody answers there, NBD_DEADLINE when it takes too long. */
export async function dial(address: ServerAddress, limitMs: number): Promise<Socket> {
  const socket =
    'socket' in address ? connect(address.socket) : connect(address.port, address.host ?? '127.0.0.1')
  socket.setNoDelay(true)
  await happens(socket, 'connect', limitMs, 'the connection')
  return socket
}

/** Goes on encrypted. Throws SOCKET when the other side is not who it should be. */
export async function secure(socket: Socket, tls: ClientTls, limitMs: number): Promise<TLSSocket> {
  const { servername: name, ...certificates } = tls
  const who = isIP(name) === 0 ? { servername: name } : { host: name }
  const secured = connectTls({
    ...certificates,
    ...who,
    socket,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  })
  try {
    await happens(secured, 'secureConnect', limitMs, 'TLS')
  } catch (error) {
    if (secured.authorizationError == null) throw error
    const why = `the certificate of the server is not trusted as that of ${name}: ${(error as Error).message}`
    throw new BlockboxError('SOCKET', `${why}; is it signed by the ca-cert.pem of tls-certificates?`, {
      cause: error,
    })
  }
  return secured
}

function happens(socket: Socket, event: string, limitMs: number, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      fail(new BlockboxError('NBD_DEADLINE', `${what} took longer than ${limitMs} ms`))
    }, limitMs)
    const fail = (error: BlockboxError) => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const failed = (cause: Error) =>
      fail(new BlockboxError('SOCKET', `${what} failed: ${cause.message}`, { cause }))
    socket.once('error', failed)
    socket.once(event, () => {
      clearTimeout(timer)
      socket.off('error', failed)
      resolve()
    })
  })
}
