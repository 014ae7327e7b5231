/** Heads as arguments: HASH@SEQ, as `blockbox info` and `blockbox head` print them. */

import { BlockboxError } from '../src/core/errors.ts'

export interface HeadArgument {
  readonly seq: number
  /** 64 hexadecimal digits. */
  readonly hash: string
}

/** HASH@SEQ. Throws USAGE. */
export function parseHead(text: string): HeadArgument {
  const form = /^([0-9a-f]{64})@(\d{1,16})$/i.exec(text)
  const seq = Number(form?.[2])
  if (form !== null && Number.isSafeInteger(seq)) return { hash: form[1]!.toLowerCase(), seq }
  throw new BlockboxError('USAGE', `"${text}" is no head: write HASH@SEQ, as \`blockbox info\` prints it`)
}

export function headText({ seq, hash }: HeadArgument): string {
  return `${hash}@${seq}`
}
