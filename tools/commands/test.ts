/**
 * `blockbox test PATH...`: golden runs. Each recording is decided again, and its scenario run anew and compared.
 *
 *     all the same ─▶ 0      a divergence or a finding ─▶ 12      --update: recordings are made anew, what changed is said
 */

import { statSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import { type GoldenResult, goldenFiles, goldenRun, goldenRuns } from '../../src/golden/golden-run.ts'
import { updateGolden } from '../../src/golden/golden-update.ts'
import { exitCodes } from '../exit-code.ts'
import { junit, resultJson, tap } from '../golden-report.ts'
import { interrupt } from '../interrupt.ts'
import { escaped, print } from '../output.ts'
import { remark, showProgress } from '../remark.ts'

interface TestOptions {
  readonly update?: boolean
  readonly tap?: boolean
  readonly junit?: boolean
  readonly json?: boolean
}

export function add(program: Command): void {
  program
    .command('test')
    .description('run golden runs: recordings that must come out as they are')
    .argument(
      '<path...>',
      'recordings (.trace.jsonl, .trace), scenarios with a recording beside them, or folders',
    )
    .addOption(
      new Option('--update', 'make the recordings anew, and say what changed').conflicts(['tap', 'junit']),
    )
    .addOption(new Option('--tap', 'print TAP').conflicts(['junit', 'json']))
    .addOption(new Option('--junit', 'print JUnit XML').conflicts('json'))
    .option('--json', 'one JSON object a golden run')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox test traces/golden\n  blockbox test traces/golden/s1-hold-queue.scenario.toml --update\n' +
        '\nA scenario gets its first recording when it is named with --update. In a test: goldenRun(path) of the package.\n' +
        'Exit code 12 when a golden run does not come out.\n',
    )
    .action(act)
}

async function act(paths: readonly string[], options: TestOptions): Promise<void> {
  const runs = paths.flatMap((path) => (isFolder(path) ? inFolder(path) : [path]))
  if (options.update === true) return update(runs, options.json === true)
  const timed: { readonly result: GoldenResult; readonly ms: number }[] = []
  const said = options.tap === true || options.junit === true
  for (const [k, path] of runs.entries()) {
    interrupt.throwIfAborted()
    showProgress(() => `${k + 1} of ${runs.length}: ${path}`)
    const started = performance.now()
    const result = await goldenRun(path, { signal: interrupt })
    timed.push({ result, ms: performance.now() - started })
    if (!said) await print(options.json === true ? resultJson(result) : lineOf(result))
  }
  if (options.tap === true) await print(tap(timed.map(({ result }) => result)))
  if (options.junit === true) await print(junit(timed))
  const red = timed.filter(({ result }) => !result.ok).length
  if (!said && options.json !== true)
    await print(`${timed.length - red} of ${timed.length} golden runs came out as recorded`)
  if (red > 0) process.exitCode = exitCodes.verification
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function inFolder(folder: string): string[] {
  const runs = goldenRuns(folder)
  if (runs.length > 0) return runs
  throw new BlockboxError('USAGE', `there is no golden run in ${folder}`)
}

async function update(runs: readonly string[], json: boolean): Promise<void> {
  for (const path of runs) {
    interrupt.throwIfAborted()
    if (goldenFiles(path).scenario === undefined) {
      remark(`${path} has no scenario: it stays as it is`)
      continue
    }
    const {
      name,
      path: file,
      change,
      events,
      divergence,
      text,
    } = await updateGolden(path, { signal: interrupt })
    const record = { version: 1, name, file, change, events, first_seq: divergence?.seq ?? null }
    await print(json ? JSON.stringify(record) : lines(text))
  }
}

function lineOf({ ok, text }: GoldenResult): string {
  return `${ok ? 'ok  ' : 'FAIL'} ${lines(text)}`
}

/** The line breaks are our own; what stands between them is from outside. */
function lines(text: string): string {
  return text.split('\n').map(escaped).join('\n')
}
