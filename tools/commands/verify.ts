/**
 * `blockbox verify`: can this journal be trusted? Chain, gaps, rows, head, every payload and checkpoint, and every byte
 * of the database's files against LevelDB's own checksums; folds nothing.
 *
 *     no findings ─▶ 0      findings, or damage that keeps the journal from being opened ─▶ 12
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Finding } from '../../src/check/check.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import type { OpenFolder } from '../../src/engine/open-folder.ts'
import { journalIdentity } from '../../src/journal/identity.ts'
import { isSignedBy } from '../../src/journal/kept-head.ts'
import { scrub } from '../../src/journal/scrub.ts'
import { survey } from '../../src/replay/survey.ts'
import { findingsOfStore, type VerifyVerdict, verify } from '../../src/replay/verify.ts'
import { exitCodes } from '../exit-code.ts'
import { findingLine, findingOf } from '../finding.ts'
import { type HeadArgument, parseHead } from '../head-argument.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalDir, journalOption } from '../journal-option.ts'
import { readHeads, readKey } from '../kept-heads.ts'
import { escaped, print } from '../output.ts'
import { withSource } from '../recording-use.ts'
import { showProgress } from '../remark.ts'

interface VerifyOptions extends JournalOption {
  readonly json?: boolean
  readonly head?: readonly HeadArgument[]
  readonly heads?: string
  readonly key?: string
}

interface Verified extends VerifyVerdict {
  /** How many heads that were kept elsewhere it was held against. */
  readonly heads: number
  /** What was found and settled when the journal was opened. */
  readonly remarks: readonly string[]
}

export function add(program: Command): void {
  journalOption(program.command('verify'))
    .description(
      'check that a journal or a recording can be trusted: chain, gaps, head, every payload; of a journal also every ' +
        'checkpoint and every database file',
    )
    .argument('[source]', 'a journal folder or a recording (.trace, .trace.jsonl), in place of -j')
    .option('--head <hash@seq...>', 'a head that was kept elsewhere: the journal must hold it', collectHead)
    .option('--heads <file>', 'all heads of a file that `blockbox head --append` wrote')
    .option('--key <public.pem>', 'with --heads: each must be signed with this Ed25519 key')
    .option('--json', 'print the verdict as one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox verify -j nightly.journal --head "$(cat head.kept)"\n' +
        '\nThe head is printed by `blockbox info`, `replay` and `verify`. Kept elsewhere, it shows later that nothing\n' +
        'was taken away or rewritten. Exit code 12 when there are findings, or damage keeps the journal from opening.\n',
    )
    .action(act)
}

/** Damage that touches neither frame nor payload. */
const besideHistory: ReadonlySet<string> = new Set(['CHECKPOINT_CORRUPT', 'STORE_CORRUPT'])

function collectHead(text: string, before: readonly HeadArgument[] = []): HeadArgument[] {
  return [...before, parseHead(text)]
}

/** The heads the journal must hold. Throws USAGE for a file of heads that cannot be used, or of another journal. */
function headsOf(
  source: string | undefined,
  options: VerifyOptions,
): { heads: HeadArgument[]; unsigned: Finding[] } {
  const { head = [], heads: file, key: keyFile } = options
  if (file === undefined && keyFile !== undefined) {
    throw new BlockboxError('USAGE', '--key says who signed --heads: name their file too')
  }
  if (file === undefined) return { heads: [...head], unsigned: [] }
  if (source !== undefined && !existsSync(join(source, 'journal.json'))) {
    throw new BlockboxError(
      'USAGE',
      '--heads is for journals, which have an identity: give a recording one with --head',
    )
  }
  const kept = readHeads(file)
  const { id } = journalIdentity(source ?? journalDir(options))
  const foreign = kept.find(({ journal }) => journal !== id)
  if (foreign !== undefined) {
    throw new BlockboxError('USAGE', `${file} holds a head of journal ${foreign.journal}, this one is ${id}`)
  }
  const key = keyFile === undefined ? undefined : readKey(keyFile, 'public')
  const wrong = key === undefined ? [] : kept.filter((one) => !isSignedBy(one, key))
  const unsigned = wrong.map(({ seq, at }): Finding => {
    const detail = `the head kept at ${at} bears no signature of that key`
    return { seq, rule: 'SIGNATURE', detail }
  })
  return { heads: [...head, ...kept], unsigned }
}

async function act(source: string | undefined, options: VerifyOptions): Promise<void> {
  let verdict: Verified
  const { heads, unsigned } = headsOf(source, options)
  const store: Finding[] = []
  try {
    const onFound = async (folder: string) => {
      const faults = await scrub(folder, interrupt)
      store.push(...findingsOfStore(faults))
      return faults
    }
    const use = async ({ journal, payload }: OpenFolder) => {
      const { last } = journal.bounds()
      const found = await verify(journal, payload, {
        heads,
        onFrame: (seq) => showProgress(() => `verified ${seq} of ${last} events`),
        signal: interrupt,
      })
      const findings = [...unsigned, ...found.findings, ...store]
      return { ...found, findings, heads: heads.length, remarks: journal.remarks }
    }
    verdict = await withSource(source, options, true, use, { onFound })
  } catch (error) {
    const finding = findingOf(error)
    if (finding === undefined) throw error
    const path = source ?? journalDir(options)
    const found = await unopened(path, [finding, ...unsigned, ...store])
    return report({ ...found, heads: 0 }, options)
  }
  await report(verdict, options)
}

/**
 * The verdict about a journal that does not open, or a recording: how much of it verifies all the same. Where the end is
 * lost, what lies in front of it may be damaged too.
 */
async function unopened(
  path: string,
  findings: readonly Finding[],
): Promise<Omit<Verified, 'head' | 'heads'>> {
  const sums = { payloads: 0, payloadBytes: 0, remarks: [] }
  const found = existsSync(join(path, 'db')) ? await survey(path).catch(() => undefined) : undefined
  if (found === undefined) return { ...sums, events: 0, frames: 0, findings }
  const { base, end, frames, fault, store } = found
  await store.close()
  const isEarlier = fault !== undefined && fault.seq < findings[0]!.seq
  return {
    ...sums,
    events: (end?.last ?? base.first - 1) - base.first + 1,
    frames: frames.length,
    findings: isEarlier ? [fault, ...findings] : findings,
  }
}

/** Prints a verdict; one without a head is of a journal that could not be opened. */
async function report(
  verdict: Omit<Verified, 'head'> & { head?: HeadArgument },
  { json = false, key }: VerifyOptions,
): Promise<void> {
  const { events, frames, payloads, payloadBytes, findings, head = null, heads, remarks } = verdict
  if (findings.length > 0) process.exitCode = exitCodes.verification
  if (json) {
    const counted = { events, frames, payloads, payload_bytes: payloadBytes }
    return print(JSON.stringify({ version: 1, ...counted, findings, head, heads_compared: heads, remarks }))
  }
  const seen = `${events} events in ${frames} frames, ${payloads} payloads of ${payloadBytes} bytes`
  if (findings.length === 0) {
    const signed = key === undefined ? '' : ', each signed with that key'
    const compared = heads === 0 ? '' : `\nheads  ${heads} kept elsewhere, all in its history${signed}`
    return print(`sound: ${seen}\nhead   ${head === null ? '' : `${head.hash}@${head.seq}`}${compared}`)
  }
  const first = findings.find(({ rule }) => !besideHistory.has(rule))
  const trust =
    first === undefined
      ? 'history and payloads are sound, the database is damaged: make a good journal with `blockbox salvage`'
      : `not to be trusted from event ${first.seq} on`
  const verified = `${events} events in ${frames} frames verify`
  const opened =
    head === null ? `${trust}: the journal does not open, ${verified}` : `${trust}; looked at ${seen}`
  await print([opened, ...findings.map(findingLine)].map(escaped).join('\n'))
}
