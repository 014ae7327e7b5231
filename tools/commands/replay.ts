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
import { withJournal } from '../journal-use.ts'
import { escaped, print } from '../output.ts'
import { showProgress } from '../remark.ts'

interface ReplayOptions extends JournalOption {
  readonly json?: boolean
  readonly verbose?: boolean
  readonly foldOnly?: boolean
}

export function add(program: Command): void {
  journalOption(program.command('replay'))
    .description('check a journal: fold it, decide every input again, run the checks')
    .option('--json', 'print the verdict as one JSON object')
    .option('-v, --verbose', 'print a line for each frame first')
    .option('--fold-only', 'do not decide again: for journals of an older version of the rules')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox replay -j nightly.journal && echo sound\n\nPayloads are read only where blocks were merged: `blockbox verify` checks them all.\n',
    )
    .action(act)
}

async function act(options: ReplayOptions): Promise<void> {
  let verdict: ReplayVerdict
  try {
    verdict = await withJournal(options, (folder) => replayed(folder, options))
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
    checks: [...checks, subBlock(payload)],
    decide: options.foldOnly !== true,
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
  const { events, frames, findings, stateHash = null, head = null } = verdict
  return JSON.stringify({
    events,
    frames,
    findings: findings.map(({ seq, rule, detail }) => ({ seq, rule, detail })),
    state_hash: stateHash,
    head,
    version: 1,
  })
}

function verdictText(verdict: ReplayVerdict, { foldOnly = false }: ReplayOptions): string {
  const { events, frames, findings, stateHash, head } = verdict
  const done = `${events} events in ${frames} frames ${foldOnly ? 'folded' : 'decided again'}`
  if (findings.length === 0) {
    return `sound: ${done}\nstate  ${stateHash}\nhead   ${head.hash}@${head.seq}`
  }
  return [`${found(findings)} after ${done}`, ...findings.map(findingLine)].map(escaped).join('\n')
}

function found({ length }: readonly Finding[]): string {
  return length === 1 ? '1 finding' : `${length} findings`
}
