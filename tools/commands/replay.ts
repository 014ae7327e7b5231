/**
 * `blockbox replay`: folds a journal, decides every input again and runs the checks. Its verdict is the exit code.
 *
 *     no findings ─▶ 0      findings, or damage that keeps the journal from being opened ─▶ 12
 */

import type { Command } from 'commander'
import { checks } from '../../src/check/all.ts'
import type { Finding } from '../../src/check/check.ts'
import type { OpenFolder } from '../../src/engine/open-folder.ts'
import { type FrameLine, type ReplayVerdict, replay } from '../../src/replay/replay.ts'
import { subBlock } from '../../src/replay/sub-block.ts'
import { exitCodes } from '../exit-code.ts'
import { findingLine, findingOf } from '../finding.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { escaped, print } from '../output.ts'
import { withSource } from '../recording-use.ts'
import { showProgress } from '../remark.ts'

interface ReplayOptions extends JournalOption {
  readonly json?: boolean
  readonly verbose?: boolean
  readonly foldOnly?: boolean
  readonly once?: boolean
  readonly content: boolean
}

export function add(program: Command): void {
  journalOption(program.command('replay'))
    .description('check a journal or a recording: fold it, decide every input again, run the checks')
    .argument('[source]', 'a journal folder or a recording (.trace, .trace.jsonl), in place of -j')
    .option('--json', 'print the verdict as one JSON object')
    .option('-v, --verbose', 'print a line for each frame first')
    .option('--fold-only', 'do not decide again: for journals of an older version of the rules')
    .option('--once', 'do not replay a second time beside the first to compare the states of both')
    .option(
      '--no-content',
      'do not read payload: what reads returned is then not compared with the last writes',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox replay -j nightly.journal && echo sound\n  blockbox replay nightly.trace.jsonl.gz\n\n' +
        'Payload is read where a read noted what it returned; `blockbox verify` checks all of it.\n' +
        'Exit code 12 with findings.\n',
    )
    .action(act)
}

async function act(source: string | undefined, options: ReplayOptions): Promise<void> {
  let verdict: ReplayVerdict
  try {
    verdict = await withSource(source, options, true, (open) => replayed(open, options))
  } catch (error) {
    const finding = findingOf(error)
    if (finding === undefined || options.json !== true) throw error
    await print(verdictJson({ events: 0, frames: 0, findings: [finding] }))
    process.exitCode = exitCodes.verification
    return
  }
  await print(options.json === true ? verdictJson(verdict) : verdictText(verdict, options))
  if (verdict.findings.length > 0) process.exitCode = exitCodes.verification
}

async function replayed({ journal, payload }: OpenFolder, options: ReplayOptions): Promise<ReplayVerdict> {
  const { last } = journal.bounds()
  let lines: string[] = []
  const flush = async () => {
    const ready = lines
    lines = []
    if (ready.length > 0) await print(ready.join('\n'))
  }
  const verdict = await replay(journal, {
    checks: payload.lacks?.() === true ? checks : [...checks, subBlock(payload)],
    decide: options.foldOnly !== true,
    twice: options.once !== true,
    ...(options.content && payload.lacks?.() !== true && { payload }),
    signal: interrupt,
    onFrame: (line) => {
      if (options.verbose === true) lines.push(frameText(line, options.json === true))
    },
    onBatch: (seq) => {
      showProgress(() => `replayed ${seq} of ${last} events`)
      return flush()
    },
  })
  await flush()
  return verdict
}

function frameText(line: FrameLine, json: boolean): string {
  const { first, last, epoch, hash, stateHash } = line
  if (json) return JSON.stringify({ first, last, epoch, hash, state_hash: stateHash })
  return `events ${first} to ${last}  epoch ${epoch}  state ${stateHash}  hash ${hash}`
}

/** The verdict; state and head are null when the journal could not be opened. */
function verdictJson(
  verdict: Pick<ReplayVerdict, 'events' | 'frames' | 'findings'> & Partial<ReplayVerdict>,
): string {
  const { events, frames, findings, twice = 0, reads, stateHash = null, head = null } = verdict
  return JSON.stringify({
    events,
    frames,
    findings: findings.map(({ seq, rule, detail }) => ({ seq, rule, detail })),
    frames_twice: twice,
    reads_checked: reads?.reads ?? 0,
    reads_unknown: reads?.unknown ?? null,
    state_hash: stateHash,
    head,
    version: 1,
  })
}

function verdictText(verdict: ReplayVerdict, { foldOnly = false }: ReplayOptions): string {
  const { events, frames, findings, twice, reads, stateHash, head } = verdict
  const done = `${events} events in ${frames} frames ${foldOnly ? 'folded' : 'decided again'}`
  if (findings.length === 0) {
    const again = twice === 0 ? '' : `, twice with the same state after each of ${twice} frames`
    const content = reads === undefined ? '' : `\n${readsText(reads)}`
    return `sound: ${done}${again}${content}\nstate  ${stateHash}\nhead   ${head.hash}@${head.seq}`
  }
  return [`${found(findings)} after ${done}`, ...findings.map(findingLine)].map(escaped).join('\n')
}

/** How much of what reads returned is proved. */
function readsText({ reads, unknown }: NonNullable<ReplayVerdict['reads']>): string {
  if (reads + unknown === 0) return 'reads  none: order, maps and queues are proved, content is not'
  const left = unknown === 0 ? '' : `; ${unknown} noted nothing that could be compared`
  return `reads  ${reads} returned the last writes before them${left}`
}

function found({ length }: readonly Finding[]): string {
  return length === 1 ? '1 finding' : `${length} findings`
}
