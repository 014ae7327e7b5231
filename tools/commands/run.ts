/**
 * `blockbox run`: drives hosts into a journal, recorded as one run.
 *
 *     SCENARIO.toml ─▶ its hosts and control steps       TRACE ... ─▶ a host each, on volumes made for them
 */

import { dirname } from 'node:path'
import { type Command, Option } from 'commander'
import { hex, sha256 } from '../../src/core/digest.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { advice, type Code } from '../../src/events/code.ts'
import { fastest, type Pace, paceText } from '../../src/run/pace.ts'
import type { Scenario } from '../../src/run/scenario.ts'
import { traceScenario } from '../../src/run/trace-run.ts'
import { type DriveAsk, type Driven, driveScenario, readScenario } from '../drive.ts'
import { exitCodes } from '../exit-code.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalDir, journalOption } from '../journal-option.ts'
import { escaped, print } from '../output.ts'
import { remark } from '../remark.ts'
import { hostJson, hostLines, paceRemarks, systemLines } from '../report.ts'
import {
  pace,
  placesOf,
  remapOf,
  type TraceRunOptions,
  traceOptionNames,
  traceOptions,
} from '../trace-options.ts'

interface RunOptions extends JournalOption, TraceRunOptions {
  readonly pace?: Pace
  readonly ack: 'durable' | 'buffered'
  readonly clock: 'machine' | 'logical'
  readonly json?: boolean
}

export function add(program: Command): void {
  const command = journalOption(program.command('run'))
    .description('drive the hosts of a scenario, or traces, into a journal')
    .argument('[file...]', 'a .scenario.toml file (the traces it names are relative to it), or traces')
    .option('--pace <pace>', 'fast, recorded, or times as fast as recorded: 10x, 0.5x', pace)
  traceOptions(command)
    .addOption(
      new Option('--ack <when>', 'answer writes when durable or, like a disk with a cache, when buffered')
        .choices(['durable', 'buffered'])
        .default('durable'),
    )
    .addOption(
      new Option('--clock <which>', 'logical: the same scenario gives the same journal, byte for byte')
        .choices(['machine', 'logical'])
        .default('machine'),
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox run traces/nightly.scenario.toml -j nightly.journal\n' +
        '  blockbox run prod.blktrace.gz -j prod.journal --pace 10x --order overlap --depth 64\n' +
        '  blockbox run -j two.journal --volume data=a.iolog --volume log=b.iolog --pace recorded\n' +
        '  blockbox run -j oltp.journal --volume data=financial1.spc:0 --volume log=financial1.spc:1 -f spc\n' +
        '\nExit code 1 when requests or commands were refused, or nothing was played.\n',
    )
    .action(run)
}

async function run(files: readonly string[], options: RunOptions): Promise<void> {
  const journal = journalDir(options)
  const ask = isScenario(files) ? ofScenario(files[0]!, options) : await ofTraces(files, options)
  const driven = await driveScenario({ ...ask, clock: options.clock }, journal)
  const { scenario, report, seconds, sum } = driven
  const refused = Object.entries(sum.refused)
  if (refused.length > 0) process.exitCode = exitCodes.error
  if (options.json === true) await print(runJson(driven))
  else {
    await print(escaped(`scenario ${scenario.name}: ${report.rounds} rounds in ${seconds.toFixed(2)} s`))
    await print(hostLines(scenario, report))
    const lines = systemLines(sum)
    if (lines !== '') await print(lines)
  }
  const idle = report.hosts.filter(({ submitted }) => submitted === 0)
  for (const { name } of idle)
    remark(`host ${name} played nothing: look at what was left out, and at the trace`)
  if (report.hosts.length > 0 && idle.length === report.hosts.length) process.exitCode = exitCodes.error
  for (const text of paceRemarks(report)) remark(text)
  for (const [code, count] of refused) remark(`${count} were refused: ${code}: ${advice[code as Code]}`)
}

function isScenario(files: readonly string[]): boolean {
  return files.length === 1 && files[0]!.endsWith('.toml')
}

function ofScenario(path: string, options: RunOptions): DriveAsk {
  const useless = traceOptionNames.find((name) => options[name] !== undefined)
  if (useless !== undefined) {
    const flag = useless === 'mergeDevices' ? 'merge-devices' : useless
    const message = `--${flag} is for traces: a scenario says it itself, for each of its hosts`
    throw new BlockboxError('USAGE', message)
  }
  const { scenario, digest } = readScenario(path)
  const { ack, pace: asked } = options
  const said = { ack, ...(asked !== undefined && { pace: paceText(asked) }) }
  const hosts = scenario.hosts.map((host) => {
    const { plays } = host
    return asked === undefined || 'scan' in plays ? host : { ...host, plays: { ...plays, pace: asked } }
  })
  return {
    scenario: { ...scenario, hosts },
    digest,
    folder: dirname(path),
    ack,
    options: JSON.stringify(said),
  }
}

async function ofTraces(files: readonly string[], options: RunOptions): Promise<DriveAsk> {
  const traces = placesOf(files, options)
  if (traces.length === 0) {
    throw new BlockboxError('USAGE', 'what is to be run? Name a .scenario.toml file or traces')
  }
  const { ack, pace: asked = fastest, order = 'trace', format, size, seed = 1 } = options
  const { depth = asked === fastest ? 32 : 256 } = options
  const scenario = await traceScenario({
    ...{ traces, pace: asked, order, depth, remap: remapOf(options), seed, signal: interrupt },
    ...(format !== undefined && { format }),
    ...(size !== undefined && { size }),
  })
  const text = JSON.stringify(scenario)
  const said = saidOnRecord(scenario, { ack, pace: paceText(asked), order, depth, ...remapSaid(options) })
  const digest = hex(sha256(Buffer.from(text)))
  return { scenario, digest, folder: process.cwd(), ack, options: said, reuse: true }
}

/** What was asked, for the record; the traces with their digests as long as they fit into it. */
function saidOnRecord({ hosts }: Scenario, said: object): string {
  const traces = hosts.map(({ name, volume, plays }) => ({
    ...{ name, volume },
    ...('trace' in plays && { trace: plays.trace.join(' '), sha256: plays.sha256 }),
  }))
  const text = JSON.stringify({ ...said, traces })
  return text.length <= 4096 ? text : JSON.stringify({ ...said, traces: hosts.length })
}

function remapSaid({ only, skip, dev, mergeDevices, scale, shift, align, wrap }: RunOptions): object {
  return { only, skip, dev, merge_devices: mergeDevices, scale, shift, align, wrap }
}

function runJson({ scenario, report, seconds, sum }: Driven): string {
  const { rounds } = report
  const hosts = report.hosts.map(hostJson)
  const systems = { backups: [...sum.backups.values()], restores: sum.restores, refused: sum.refused }
  return JSON.stringify({ version: 1, scenario: scenario.name, rounds, seconds, hosts, ...systems })
}
