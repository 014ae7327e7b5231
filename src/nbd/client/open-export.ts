/** A client of the export that an NBD URI names: the connection and, where the URI wants it, TLS. */

import { readClientCertificates } from './certificates.ts'
import { type NbdClient, openClient } from './client.ts'
import type { ExportAddress } from './uri.ts'

/**
 * Connects to an export. Certificates are read each time, so that renewed ones are taken up.
 * Throws what `openClient` does, and USAGE when certificates are missing or cannot be used.
 *
 * @param limitMs for each step of the negotiation and for each reply, milliseconds.
 */
export async function openExport({ server, name, tls }: ExportAddress, limitMs?: number): Promise<NbdClient> {
  const limit = limitMs === undefined ? {} : { limitMs }
  if (tls === undefined) return openClient(server, name, limit)
  const { certificates, hostname } = tls
  const trusted = certificates === undefined ? {} : await readClientCertificates(certificates)
  return openClient(server, name, { ...limit, tls: { ...trusted, servername: hostname } })
}
