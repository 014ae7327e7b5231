/** The half of `blockbox head` about proofs that one head extends another: made of a journal, checked without it. */

import { BlockboxError } from '../src/core/errors.ts'
import { fileReason } from '../src/core/file-reason.ts'
import type { OpenFolder } from '../src/engine/open-folder.ts'
import { writeWhole } from '../src/images/image-file.ts'
import { type Claim, checkProof, type ProofHead, type Proven, proofParts } from '../src/journal/head-proof.ts'
import { isSignedBy } from '../src/journal/kept-head.ts'
import { headText } from './head-argument.ts'
import { readHeads, readKey } from './kept-heads.ts'
import { escaped, print } from './output.ts'

interface Printing {
  readonly json: boolean
}

/** Writes the proof of a claim about the journal into `path`, checks it, and says what it holds. */
export async function writeProof(
  { journal }: Pick<OpenFolder, 'journal'>,
  claim: Claim,
  { path, force, json }: { readonly path: string; readonly force: boolean } & Printing,
): Promise<void> {
  await writeWhole({ path, force }, async (file) => {
    for await (const part of proofParts(journal, claim)) await file.writeFile(part)
  })
  await tell(checkProof(path), { json })
}

/**
 * Checks the proof in `path`. With a file of heads kept elsewhere both of its heads have to be among them, signed with
 * the key where one is given. Throws PROOF_INVALID; USAGE for files that are none.
 */
export async function readProof(
  path: string,
  { heads, key, json }: { readonly heads?: string; readonly key?: string } & Printing,
): Promise<void> {
  const proven = checked(path)
  if (heads !== undefined) for (const head of [proven.from, proven.to]) held(head, proven.journal, heads, key)
  await tell(proven, { json }, heads)
}

/** Throws PROOF_INVALID; USAGE for what cannot be read or is no file. */
function checked(path: string): Proven {
  try {
    return checkProof(path)
  } catch (cause) {
    const isNone = cause instanceof BlockboxError && cause.code === 'JOURNAL_FOREIGN'
    const reason = isNone ? 'it is no plain file' : fileReason(cause, 'read')
    if (reason === undefined) throw cause
    throw new BlockboxError('USAGE', `cannot read ${path}: ${reason}`, { cause })
  }
}

function held({ seq, hash }: ProofHead, journal: string, file: string, keyFile: string | undefined): void {
  const key = keyFile === undefined ? undefined : readKey(keyFile, 'public')
  const isIt = readHeads(file).some(
    (kept) =>
      kept.journal === journal &&
      kept.seq === seq &&
      kept.hash === hash &&
      (key === undefined || isSignedBy(kept, key)),
  )
  if (isIt) return
  const signed = key === undefined ? '' : ', signed with that key'
  const message = `not proven: ${file} holds no head ${headText({ seq, hash })} of journal ${journal}${signed}`
  throw new BlockboxError('PROOF_INVALID', message, { seq })
}

async function tell(
  { journal, from, to, frames, events, bytes }: Proven,
  { json }: Printing,
  heads?: string,
) {
  if (json) {
    return print(
      JSON.stringify({ version: 1, journal, from, to, frames, events, bytes, held: heads !== undefined }),
    )
  }
  const compare =
    heads === undefined ? ['compare both with the heads that you hold, or give them with --heads'] : []
  const lines = [
    `proven: the later head has the history of the earlier one, ${events} events in ${frames} frames, ${bytes} bytes`,
    `journal ${journal}`,
    `earlier ${headText(from)}`,
    `later   ${headText(to)}`,
    ...compare,
  ]
  await print(lines.map(escaped).join('\n'))
}
