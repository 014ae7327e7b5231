/**
 * NBD URIs, as other NBD programs take and print them: which server, and which of its exports.
 *
 *     nbd://HOST[:PORT]/EXPORT        nbd+unix:///EXPORT?socket=PATH
 *     nbds://HOST[:PORT]/EXPORT       nbds+unix:///EXPORT?socket=PATH         the same over TLS
 *         &tls-certificates=DIR       ca-cert.pem, and client-cert.pem and client-key.pem where the server wants them
 *         &tls-hostname=NAME          what the certificate of the server says it is; else HOST, or localhost
 *
 * Format: the NBD URI specification. Pre-shared keys are not among the forms taken here.
 */

import { BlockboxError } from '../../core/errors.ts'
import type { ServerAddress } from './dial.ts'

export interface ExportAddress {
  readonly server: ServerAddress
  /** Name of the export; empty for the one that the server offers by default. */
  readonly name: string
  /** For TLS, which is then insisted upon. */
  readonly tls?: TlsTerms
}

export interface TlsTerms {
  /** What the certificate of the server has to say. */
  readonly hostname: string
  /** The folder of this side's certificates; undefined for what the system trusts. */
  readonly certificates: string | undefined
}

const defaultPort = 10_809
const form = 'nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH, with nbds for TLS'

/** True for a text that means an NBD server, not a file. */
export function isNbdUri(text: string): boolean {
  return /^nbds?(\+unix)?:\/\//.test(text)
}

/** Throws USAGE for what is no NBD URI, or one that asks for what is not done here. */
export function parseNbdUri(text: string): ExportAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const scheme = /^nbd(s?)(\+unix)?:$/.exec(url?.protocol ?? '')
  if (url === undefined || scheme === null) {
    throw new BlockboxError('USAGE', `cannot use ${text}: it is no NBD URI; write ${form}`)
  }
  const name = decoded(url.pathname.replace(/^\//, ''), text)
  const tls = (host: string) => (scheme[1] === '' ? {} : { tls: termsOf(url, host, text) })
  if (scheme[2] !== undefined) {
    const socket = url.searchParams.get('socket')
    if (socket === null || socket === '')
      throw new BlockboxError('USAGE', `${text} names no socket: write ${form}`)
    return { server: { socket }, name, ...tls('localhost') }
  }
  if (url.hostname === '') throw new BlockboxError('USAGE', `${text} names no host: write ${form}`)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { server: { host, port: url.port === '' ? defaultPort : Number(url.port) }, name, ...tls(host) }
}

function termsOf({ searchParams }: URL, host: string, text: string): TlsTerms {
  if (searchParams.has('tls-psk-file')) {
    const why = 'pre-shared keys are not spoken: name certificates with tls-certificates=DIR'
    throw new BlockboxError('USAGE', `cannot use ${text}: ${why}`)
  }
  const certificates = searchParams.get('tls-certificates') || undefined
  return { hostname: searchParams.get('tls-hostname') || host, certificates }
}

/** The same URI with the paths in it made full: it means the same to a process that runs elsewhere. */
export function withFullPaths(text: string, full: (path: string) => string): string {
  return text.replace(/([?&](?:socket|tls-certificates)=)([^&#]+)/g, (_, name: string, path: string) => {
    return name + encodeURIComponent(full(decoded(path, text))).replaceAll('%2F', '/')
  })
}

function decoded(path: string, text: string): string {
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    throw new BlockboxError('USAGE', `something in ${text} is not percent-encoded UTF-8`, { cause })
  }
}
