/** Heads kept in a file, and the keys that sign and check them, as options of commands name them. */

import type { KeyObject } from 'node:crypto'
import { readBounded } from '../src/files/bounded-file.ts'
import { headKey, type KeptHead, parseHeads } from '../src/journal/kept-head.ts'

/** Two years of a head a minute. */
const maxHeadsBytes = 2 ** 29
const maxKeyBytes = 2 ** 16

/** The heads of a file, in order. Throws USAGE. */
export function readHeads(path: string): KeptHead[] {
  return parseHeads(readBounded(path, maxHeadsBytes).toString('utf8'), path)
}

/** The Ed25519 key in a PEM file. Throws USAGE. */
export function readKey(path: string, which: 'private' | 'public'): KeyObject {
  return headKey(readBounded(path, maxKeyBytes).toString('utf8'), which)
}
