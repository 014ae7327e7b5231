/**
 * NBD URIs, as other NBD programs take and print them: which server, and which of its exports.
 *
 *     nbd://HOST[:PORT]/EXPORT        nbd+unix:///EXPORT?socket=PATH
 *
 * Format: the NBD URI specification. TLS (nbds) is not among the forms taken here.
 */

import { BlockboxError } from '../../core/errors.ts'
import type { ServerAddress } from './dial.ts'

export interface ExportAddress {
  readonly server: ServerAddress
  /** Name of the export; empty for the one that the server offers by default. */
  readonly name: string
}

const defaultPort = 10_809
const form = 'nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH'

/** True for a text that means an NBD server, not a file. */
export function isNbdUri(text: string): boolean {
  return /^nbds?(\+unix)?:\/\//.test(text)
}

/** Throws USAGE for what is no NBD URI, or one that asks for what is not done here. */
export function parseNbdUri(text: string): ExportAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const scheme = url?.protocol
  if (url === undefined || (scheme !== 'nbd:' && scheme !== 'nbd+unix:')) {
    const why = /^nbds/.test(text) ? 'TLS to another server is not spoken yet' : 'it is no NBD URI'
    throw new BlockboxError('USAGE', `cannot use ${text}: ${why}; write ${form}`)
  }
  const name = decoded(url.pathname.replace(/^\//, ''), text)
  if (scheme === 'nbd+unix:') {
    const socket = url.searchParams.get('socket')
    if (socket === null || socket === '')
      throw new BlockboxError('USAGE', `${text} names no socket: write ${form}`)
    return { server: { socket }, name }
  }
  if (url.hostname === '') throw new BlockboxError('USAGE', `${text} names no host: write ${form}`)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { server: { host, port: url.port === '' ? defaultPort : Number(url.port) }, name }
}

function decoded(path: string, text: string): string {
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    throw new BlockboxError('USAGE', `the export in ${text} is not percent-encoded UTF-8`, { cause })
  }
}
