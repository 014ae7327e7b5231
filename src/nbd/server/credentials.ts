/**
 * TLS of a server: its certificates, and a plain connection turned into one where both sides are known by theirs.
 *
 * A folder holds `ca-cert.pem`, `server-cert.pem` and `server-key.pem`, the names that other NBD servers use. A client
 * without a certificate signed by that authority is turned away.
 */

import type { Socket } from 'node:net'
import { join } from 'node:path'
import { createSecureContext, createServer, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { BlockboxError } from '../../core/errors.ts'
import { readIfThere } from '../client/certificates.ts'

export type Credentials = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>

/** Reads the certificates of a folder. Throws USAGE when they are missing or do not belong together. */
export async function readCredentials(folder: string): Promise<Credentials> {
  const read = (name: string) => {
    const bytes = readIfThere(join(folder, name))
    if (bytes !== undefined) return bytes
    throw new BlockboxError('USAGE', `${join(folder, name)} is not there: TLS needs it`)
  }
  const [ca, cert, key] = [read('ca-cert.pem'), read('server-cert.pem'), read('server-key.pem')]
  try {
    createSecureContext({ ca, cert, key })
  } catch (cause) {
    const why = (cause as Error).message
    throw new BlockboxError('USAGE', `the certificates in ${folder} cannot be used: ${why}`, { cause })
  }
  return { ca, cert, key }
}

/** Goes on encrypted on a connection from which nothing more has been read. Rejects when the client is not known. */
export function secured(socket: Socket, credentials: Credentials, limitMs: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const server = createServer({
      ...credentials,
      minVersion: 'TLSv1.2',
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: limitMs,
    })
    server.once('secureConnection', resolve)
    server.once('tlsClientError', reject)
    socket.once('close', () => reject(new BlockboxError('NBD_CLOSED', 'the client left before TLS was on')))
    server.emit('connection', socket)
  })
}
