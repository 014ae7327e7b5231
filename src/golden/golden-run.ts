/**
 * A golden run: a recording that is the expectation, and, where there is one, the scenario of the same name.
 *
 *     recording ─▶ folded, decided again, invariants, checks ─▶ findings
 *     scenario ─▶ run anew under logical time ─▶ compared with the recording ─▶ first divergence
 *
 * Use it in any test runner: `const { ok, text } = await goldenRun(path); assert.ok(ok, text)`.
 */

import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { checks } from '../check/all.ts'
import type { Finding } from '../check/check.ts'
import { BlockboxError } from '../core/errors.ts'
import { notPlain } from '../files/plain-file.ts'
import { openRecordedJournal } from '../recording/recorded-journal.ts'
import { replay } from '../replay/replay.ts'
import { subBlock } from '../replay/sub-block.ts'
import { type Divergence, divergenceText, firstDivergence } from './divergence.ts'
import { recordScenario } from './scenario-recording.ts'

export interface GoldenOptions {
  readonly signal?: AbortSignal
}

export interface GoldenResult {
  readonly ok: boolean
  /** Its name: that of the files without their endings. */
  readonly name: string
  readonly path: string
  /** Events of the recording, and the state at its end; 0 and '' when it could not be read. */
  readonly events: number
  readonly stateHash: string
  /** What the replay of the recording found. */
  readonly findings: readonly Finding[]
  /** Where the scenario, run anew, parts from the recording. */
  readonly divergence?: Divergence
  /** Everything that is wrong, as lines for people; what was checked when nothing is. */
  readonly text: string
}

/** The files of a golden run. */
export interface GoldenFiles {
  readonly name: string
  readonly scenario: string | undefined
  readonly recording: string | undefined
}

const scenarioEnding = '.scenario.toml'
const recordingEndings = ['.trace.jsonl', '.trace.jsonl.gz', '.trace', '.trace.gz'] as const
const ending = /\.(?:scenario\.toml|trace(?:\.jsonl)?(?:\.gz)?)$/

/** The files of the golden run that `path` names: either file, or both without their ending. Throws USAGE. */
export function goldenFiles(path: string): GoldenFiles {
  const stem = path.replace(ending, '')
  const scenario = existsSync(stem + scenarioEnding) ? stem + scenarioEnding : undefined
  const named = recordingEndings.some((one) => path.endsWith(one)) && existsSync(path) ? path : undefined
  const recording = named ?? recordingEndings.map((one) => stem + one).find((one) => existsSync(one))
  for (const file of [scenario, recording]) {
    const found = file === undefined ? undefined : statSync(file)
    if (found?.isFile() === false) throw notPlain(file!, found)
  }
  if (scenario !== undefined || recording !== undefined) return { name: basename(stem), scenario, recording }
  throw new BlockboxError(
    'USAGE',
    `there is no golden run ${path}: name a .scenario.toml, a .trace.jsonl or a .trace`,
  )
}

/**
 * Every golden run in a folder and the folders in it, in order of their names: each recording, with its scenario where
 * there is one. A scenario without a recording is no golden run. Throws USAGE when there is no such folder.
 */
export function goldenRuns(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new BlockboxError('USAGE', `${folder} is no folder`)
  }
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const runs = names.filter((name) => recordingEndings.some((one) => name.endsWith(one)))
  return runs.map((name) => join(folder, name)).sort()
}

/** Runs a golden run. Never rejects but for USAGE and an abort: what is wrong with it is in the result. */
export async function goldenRun(path: string, options: GoldenOptions = {}): Promise<GoldenResult> {
  const { name, scenario, recording } = goldenFiles(path)
  if (recording === undefined) {
    throw new BlockboxError(
      'USAGE',
      `${path} has no recording yet: make one with \`blockbox test --update ${path}\``,
    )
  }
  const result = { name, path: recording, events: 0, stateHash: '', findings: [] }
  try {
    const { journal, payload } = await openRecordedJournal(recording, { ...options, payload: true })
    const content = payload.lacks?.() === true ? {} : { payload, checks: [...checks, subBlock(payload)] }
    const { events, stateHash, findings } = await replay(journal, { checks, ...content, ...options })
    const replayed = { ...result, events, stateHash, findings }
    if (findings.length > 0) return failed(replayed, findings.map(findingText))
    if (scenario === undefined)
      return { ...replayed, ok: true, text: `${name}: ${events} events decided again` }
    const anew = await recordScenario(scenario, options.signal)
    const divergence = await firstDivergence(journal, anew.journal)
    if (divergence !== undefined) return { ...failed(replayed, divergenceText(divergence)), divergence }
    return { ...replayed, ok: true, text: `${name}: ${events} events decided again and recorded anew` }
  } catch (error) {
    options.signal?.throwIfAborted()
    return failed(result, [errorText(error)])
  }
}

function failed(result: Omit<GoldenResult, 'ok' | 'text'>, lines: readonly string[]): GoldenResult {
  return { ...result, ok: false, text: [`${result.name}: ${lines[0]}`, ...lines.slice(1)].join('\n') }
}

/** Names of the findings that a replay itself makes. */
const ruleTexts: Readonly<Record<string, string>> = {
  decide: "today's rules decide otherwise",
  fold: 'an event cannot be folded',
  'G-I8': 'the state is not the recorded one',
}

function findingText({ seq, rule, detail }: Finding): string {
  const said = ruleTexts[rule]
  return `event ${seq} breaks ${rule}${said === undefined ? '' : ` (${said})`}: ${detail}`
}

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error instanceof BlockboxError ? error.message : `${error.name}: ${error.message}`
}
