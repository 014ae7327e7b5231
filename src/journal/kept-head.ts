/**
 * Heads kept elsewhere: a line a head, in a file that whoever could rewrite the journal cannot rewrite. Held against
 * the journal later, they show that nothing was taken away or rewritten; signed, also who kept them.
 *
 *     {"journal":"4a44...","seq":6448,"hash":"0e54...","at":"2026-01-31T12:00:00.000Z","signature":"base64"}
 *
 * The signature is Ed25519 (RFC 8032) over five lines: blockbox-head 1, journal, seq, hash, at, each ended by \n.
 */

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { BlockboxError } from '../core/errors.ts'

export interface KeptHead {
  /** The journal's identity, 32 hexadecimal digits. */
  readonly journal: string
  readonly seq: number
  /** 64 hexadecimal digits. */
  readonly hash: string
  /** When it was kept, ISO 8601. */
  readonly at: string
  /** Base64 of 64 bytes. */
  readonly signature?: string
}

/** The private key to sign with, or the public one to check with, from PEM. Throws USAGE for any but Ed25519. */
export function headKey(pem: string, which: 'private' | 'public'): KeyObject {
  let key: KeyObject
  try {
    key = which === 'private' ? createPrivateKey(pem) : createPublicKey(pem)
  } catch (cause) {
    throw new BlockboxError('USAGE', `the key is no ${which} key in PEM form`, { cause })
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw new BlockboxError(
    'USAGE',
    `the key is of type ${key.asymmetricKeyType}: make one with \`openssl genpkey -algorithm ed25519\``,
  )
}

export function signHead(head: KeptHead, key: KeyObject): KeptHead {
  return { ...head, signature: sign(null, signedText(head), key).toString('base64') }
}

/** True when the head bears a signature of that key. */
export function isSignedBy(head: KeptHead, key: KeyObject): boolean {
  const { signature } = head
  return signature !== undefined && verify(null, signedText(head), key, Buffer.from(signature, 'base64'))
}

function signedText({ journal, seq, hash, at }: KeptHead): Buffer {
  return Buffer.from(`blockbox-head 1\n${journal}\n${seq}\n${hash}\n${at}\n`)
}

/** The line of a head. */
export function headLine({ journal, seq, hash, at, signature }: KeptHead): string {
  return JSON.stringify({ journal, seq, hash, at, ...(signature !== undefined && { signature }) })
}

/** Most lines of a file of heads: one a minute for two years. */
const maxLines = 2 ** 20

/** The heads of a file, in order. Throws USAGE with the line that is none. */
export function parseHeads(text: string, file: string): KeptHead[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (lines.length === 0) throw new BlockboxError('USAGE', `${file} is empty: it holds no head to compare`)
  if (lines.length > maxLines) throw new BlockboxError('USAGE', `${file} has more than ${maxLines} lines`)
  return lines.map((line, k) => {
    const head = parsed(line)
    if (head === undefined)
      throw new BlockboxError('USAGE', `${file}, line ${k + 1} is no head as \`blockbox head\` writes it`)
    return head
  })
}

function parsed(line: string): KeptHead | undefined {
  let value: unknown
  try {
    value = JSON.parse(line.slice(0, 1024))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { journal, seq, hash, at, signature, ...more } = value as Record<string, unknown>
  const fits =
    Object.keys(more).length === 0 &&
    typeof journal === 'string' &&
    /^[0-9a-f]{32}$/.test(journal) &&
    Number.isSafeInteger(seq) &&
    (seq as number) >= 0 &&
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    typeof at === 'string' &&
    /^[0-9T:.Z-]{20,30}$/.test(at) &&
    (signature === undefined || (typeof signature === 'string' && /^[A-Za-z0-9+/]{86}==$/.test(signature)))
  if (!fits) return undefined
  const head = { journal, seq: seq as number, hash, at }
  return typeof signature === 'string' ? { ...head, signature } : head
}
