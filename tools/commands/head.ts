/**
 * `blockbox head`: the journal's head, printed, or added to a file that is kept elsewhere, signed where a key is given;
 * and proofs that one head extends another, to be checked by whoever has no journal.
 */

import { appendFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { JournalInfo } from '../../src/control/journal-info.ts'
import { info } from '../../src/control/state-routes.ts'
import { hex } from '../../src/core/digest.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { cannotMake } from '../../src/images/image-file.ts'
import { journalIdentity } from '../../src/journal/identity.ts'
import { headLine, type KeptHead, signHead } from '../../src/journal/kept-head.ts'
import { type HeadArgument, parseHead } from '../head-argument.ts'
import { readProof, writeProof } from '../head-proof.ts'
import { withReading } from '../journal-link.ts'
import { type JournalOption, journalDir, journalOption } from '../journal-option.ts'
import { withJournal } from '../journal-use.ts'
import { readKey } from '../kept-heads.ts'
import { print } from '../output.ts'

interface HeadOptions extends JournalOption {
  readonly append?: string
  readonly sign?: string
  readonly prove?: HeadArgument
  readonly to?: HeadArgument
  readonly output?: string
  readonly force?: boolean
  readonly checkProof?: string
  readonly heads?: string
  readonly key?: string
  readonly json?: boolean
}

export function add(program: Command): void {
  journalOption(program.command('head'))
    .description('print the head of a journal: what shows later that nothing was taken away or rewritten')
    .option('--append <file>', 'add it as a line to this file, to be kept elsewhere')
    .option('--sign <key.pem>', 'sign it with this Ed25519 private key')
    .option('--prove <hash@seq>', 'write a proof that a later head has the history of this one', parseHead)
    .option('--to <hash@seq>', 'with --prove: the later head; the head of the journal', parseHead)
    .option('-o, --output <file>', 'with --prove: the file to write')
    .option('--force', 'with --prove: replace a file that is there')
    .option('--check-proof <file>', 'check a proof; no journal is needed')
    .option('--heads <file>', 'with --check-proof: both of its heads must be in this file of kept heads')
    .option('--key <public.pem>', 'with --heads: signed with this Ed25519 key')
    .option('--json', 'as one JSON object; of a head the line that --append writes')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox head -j nightly.journal --append /mnt/elsewhere/nightly.heads --sign key.pem\n' +
        '  blockbox verify -j nightly.journal --heads /mnt/elsewhere/nightly.heads --key public.pem\n' +
        '  blockbox head -j nightly.journal --prove "$(cat monday.head)" --to "$(cat friday.head)" -o week.proof\n' +
        '  blockbox head --check-proof week.proof --heads nightly.heads --key public.pem\n' +
        '\nA key: openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out public.pem\n' +
        '\nA proof holds the frames between the two heads: what happened and all names, but no payload.\n',
    )
    .action(act)
}

async function act(options: HeadOptions): Promise<void> {
  refuseMixed(options)
  const { json = false, checkProof, heads, key: keyFile } = options
  if (checkProof !== undefined) {
    const given = { ...(heads !== undefined && { heads }), ...(keyFile !== undefined && { key: keyFile }) }
    return readProof(checkProof, { ...given, json })
  }
  if (options.prove !== undefined) return prove(options.prove, options)
  const key = options.sign === undefined ? undefined : readKey(options.sign, 'private')
  const { seq, hash } = await withReading(
    options,
    async ({ journal }) => {
      const { last, head } = journal.bounds()
      return { seq: last, hash: hex(head) }
    },
    async (remote) => ((await remote.read(info, {})) as unknown as JournalInfo).head,
  )
  const { id } = journalIdentity(journalDir(options))
  const plain: KeptHead = { journal: id, seq, hash, at: new Date().toISOString() }
  const kept = key === undefined ? plain : signHead(plain, key)
  if (options.append !== undefined) append(options.append, `${headLine(kept)}\n`)
  await print(json ? headLine(kept) : `${kept.hash}@${kept.seq}`)
}

function append(path: string, line: string): void {
  try {
    appendFileSync(path, line)
  } catch (error) {
    throw cannotMake(path, error)
  }
}

async function prove(from: HeadArgument, options: HeadOptions): Promise<void> {
  const { output: path, force = false, json = false } = options
  if (path === undefined) throw new BlockboxError('USAGE', 'a proof goes into a file: name one with -o FILE')
  await withJournal(options, async ({ journal }) => {
    const { last, head } = journal.bounds()
    const { to = { seq: last, hash: hex(head) } } = options
    const { id } = journalIdentity(journalDir(options))
    await writeProof({ journal }, { journal: id, from, to }, { path, force, json })
  })
}

/** Throws USAGE for options that belong to different things this command does. */
function refuseMixed(options: HeadOptions): void {
  const refuse = (names: readonly (keyof HeadOptions)[], why: string) => {
    const stray = names.find((name) => options[name] !== undefined)
    if (stray !== undefined) throw new BlockboxError('USAGE', `--${stray} ${why}`)
  }
  if (options.checkProof !== undefined)
    refuse(['prove', 'append', 'sign'], 'is about a journal, --check-proof about a file: give one of them')
  else
    refuse(['heads', 'key'], 'goes with --check-proof: a journal is held against heads by `blockbox verify`')
  if (options.heads === undefined) refuse(['key'], 'goes with --heads')
  if (options.prove === undefined) refuse(['to', 'output', 'force'], 'goes with --prove')
  else refuse(['append', 'sign'], 'does not go with --prove')
}
