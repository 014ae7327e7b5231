/** Certificates for tests, made by openssl: an authority, a server and a client it signed, and one nobody signed. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Fills `folder` with what a server and a client need, and `stranger` below it with a client nobody knows. */
export function makeCertificates(folder: string): void {
  makeAuthority(folder, ['server', 'client'])
  makeAuthority(join(folder, 'stranger'), ['client'])
}

function makeAuthority(folder: string, names: readonly string[]): void {
  mkdirSync(folder, { recursive: true })
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca-key.pem', '-out', 'ca-cert.pem', '-subj', '/CN=authority')
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  for (const name of names) {
    openssl('req', ...key, '-keyout', `${name}-key.pem`, '-out', `${name}.csr`, '-subj', '/CN=localhost')
    const signed = ['-CA', 'ca-cert.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-extfile', 'names']
    openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}-cert.pem`)
  }
}
