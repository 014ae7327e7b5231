/**
 * What a client trusts and shows of itself over TLS, from a folder with the names that other NBD programs use:
 *
 *     ca-cert.pem                        who may have signed the certificate of the server
 *     client-cert.pem, client-key.pem    this side's own, where the server wants one; both, or none
 *
 * Without a folder the authorities that the system knows are believed, and nothing is shown.
 */

import { join } from 'node:path'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { BlockboxError } from '../../core/errors.ts'
import { readPlain } from '../../files/plain-file.ts'

/** No list of authorities that a system keeps is longer. */
const maxCertificateBytes = 4 * 2 ** 20

export type ClientCertificates = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>

/** Reads the certificates of a folder. Throws USAGE when they are missing or do not belong together. */
export async function readClientCertificates(folder: string): Promise<ClientCertificates> {
  const [ca, cert, key] = ['ca-cert.pem', 'client-cert.pem', 'client-key.pem'].map((name) =>
    readIfThere(join(folder, name)),
  )
  if (ca === undefined) throw missing(folder, 'ca-cert.pem', 'TLS needs it')
  if (cert === undefined && key !== undefined)
    throw missing(folder, 'client-cert.pem', 'there is a key for it')
  if (cert !== undefined && key === undefined)
    throw missing(folder, 'client-key.pem', 'its certificate is there')
  const certificates = { ca, ...(cert !== undefined && { cert, key }) }
  try {
    createSecureContext(certificates)
  } catch (cause) {
    const why = (cause as Error).message
    throw new BlockboxError('USAGE', `the certificates in ${folder} cannot be used: ${why}`, { cause })
  }
  return certificates
}

/** Throws USAGE when it is there and cannot be read. */
export function readIfThere(path: string): Buffer | undefined {
  try {
    const bytes = readPlain(path, maxCertificateBytes)
    if (bytes !== undefined) return bytes
  } catch (cause) {
    if (cause instanceof BlockboxError) throw cause
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new BlockboxError('USAGE', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
  throw new BlockboxError('USAGE', `${path} has more than ${maxCertificateBytes} bytes: this is not the file`)
}

function missing(folder: string, name: string, why: string): BlockboxError {
  return new BlockboxError('USAGE', `${join(folder, name)} is not there: ${why}`)
}
