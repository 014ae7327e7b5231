/**
 * `blockbox simulate`: hosts, commands, copies, failures and crashes by chance, against the real engine and journal.
 *
 *     no findings ─▶ 0      findings ─▶ 12, the run made small and kept, so that `replay` shows it
 */

import type { Command } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import { program } from '../../src/journal/epoch.ts'
import { type Nature, natures, type Rates, rateNames } from '../../src/sim/disk-nature.ts'
import { enumerateCrashes } from '../../src/sim/enumerate.ts'
import { plainMode, type RunMode } from '../../src/sim/run-mode.ts'
import { type Shrunk, shrink } from '../../src/sim/shrink.ts'
import { type Simulated, type SimulateOptions, simulate } from '../../src/sim/simulator.ts'
import { builtCommit } from '../commit.ts'
import { exitCodes } from '../exit-code.ts'
import { findingLine } from '../finding.ts'
import { interrupt } from '../interrupt.ts'
import { asksBeside, keepAt, refuseTakenPlace } from '../kept-run.ts'
import { wholeNumber } from '../number.ts'
import { escaped, print } from '../output.ts'
import { remark, showProgress } from '../remark.ts'

/** One of several equal parts, counted from 0. */
interface Part {
  readonly part: number
  readonly of: number
}

interface SimulateCommand {
  readonly seed: number
  readonly seeds: number
  readonly steps: number
  readonly crashEvery: number
  readonly faultEvery: number
  readonly disk?: Nature
  readonly rates?: Partial<Rates>
  readonly segments?: number
  readonly checkpointEvery?: number
  readonly untilFailure?: boolean
  readonly once?: boolean
  readonly compareEvery: number
  readonly shrink: boolean
  readonly keep?: string
  readonly enumerate?: number
  readonly part?: Part
  readonly json?: boolean
}

export function add(cli: Command): void {
  cli
    .command('simulate')
    .description('drive the engine by chance, with failures and crashes, and check everything')
    .option('--seed <n>', 'the seed; the same one gives the same journal', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--seeds <n>', 'so many seeds, one after the other', wholeNumber(1), 1)
    .option('--steps <n>', 'steps of each run', wholeNumber(1, 100_000_000), 10_000)
    .option('--crash-every <n>', 'a crash once in so many steps; 0: none', wholeNumber(0), 2000)
    .option('--fault-every <n>', 'a failure once in so many disk writes; 0: none', wholeNumber(0), 1000)
    .option('--disk <nature>', `${natures.join(', ')}; the seed says it unless told otherwise`, parseNature)
    .option(
      '--rates <name=n,...>',
      `once in how many occasions the disk does what it does: ${rateNames.join(', ')}; 0: never`,
      parseRates,
    )
    .option(
      '--segments <bytes>',
      'payload of a batch from which on it goes to a segment; the seed says it unless told otherwise',
      wholeNumber(1),
    )
    .option(
      '--checkpoint-every <n>',
      'a checkpoint once in so many events; the seed says it unless told otherwise',
      wholeNumber(1),
    )
    .option('--until-failure', 'go on with the next seed until something is found')
    .option('--once', 'do not run seeds a second time to compare')
    .option('--compare-every <n>', 'run each n-th seed a second time to compare', wholeNumber(1), 1)
    .option('--no-shrink', 'show what is found as it is')
    .option(
      '--keep <place>',
      'keep the run (or, of a failure, its shortest form): a journal folder, or a recording (.trace.jsonl, .trace)',
    )
    .option(
      '--enumerate <n>',
      'instead: every sequence of up to n operations, crashed at every disk write',
      wholeNumber(1, 4),
    )
    .option('--part <k/n>', 'with --enumerate: the k-th of n equal parts', parsePart)
    .option('--json', 'one JSON object a run')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox simulate --seed 7 --steps 20000\n  blockbox simulate --until-failure --keep found.trace.jsonl\n' +
        '\nThe same seed and version give the same journal, byte for byte. What is found is made shorter before it is\n' +
        'shown; what --keep leaves, a journal or by its name a recording, is looked at with `blockbox log` and\n' +
        '`blockbox replay`. Exit code 12 with findings.\n',
    )
    .action(act)
}

/** Throws USAGE. */
function parseNature(text: string): Nature {
  const found = natures.find((nature) => nature === text)
  if (found !== undefined) return found
  throw new BlockboxError('USAGE', `there is no disk "${text}": choose one of ${natures.join(', ')}`)
}

/** NAME=N,NAME=N. Throws USAGE. */
function parseRates(text: string): Partial<Rates> {
  const rates: { -readonly [Name in keyof Rates]?: number } = {}
  for (const one of text.split(',')) {
    const [word = '', number = ''] = one.split('=')
    const name = rateNames.find((rate) => rate === word)
    if (name === undefined)
      throw new BlockboxError('USAGE', `there is no rate "${word}": there are ${rateNames.join(', ')}`)
    rates[name] = wholeNumber(0)(number)
  }
  return rates
}

/** K/N. Throws USAGE. */
function parsePart(text: string): Part {
  const [, k, n] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []
  const [part, of] = [Number(k) - 1, Number(n)]
  if (part >= 0 && part < of) return { part, of }
  throw new BlockboxError('USAGE', `"${text}" is no part: write K/N with K from 1 to N`)
}

async function enumerate(most: number, { part, json }: SimulateCommand): Promise<void> {
  const onSequence = (done: number) => showProgress(() => `${done} sequences`)
  const found = await enumerateCrashes({ most, ...part, onSequence, signal: interrupt })
  const { sequences, total, crashes, findings } = found
  if (interrupt.aborted) remark(`stopped after ${sequences} of ${total} sequences`)
  if (findings.length > 0) process.exitCode = exitCodes.verification
  const commit = builtCommit()
  if (json === true) return print(JSON.stringify({ commit, most, sequences, crashes, findings }))
  const line = `${sequences} sequences of up to ${most} operations, ${crashes} crashes: ${findings.length} findings`
  const told = findings.map((finding) => `${finding.deeds.join(', ')}: ${findingLine(finding)}`)
  const from = findings.length === 0 ? [] : [`commit ${commit}, ${program}`]
  await print([line, ...told, ...from].map(escaped).join('\n'))
}

async function act(options: SimulateCommand): Promise<void> {
  if (options.enumerate !== undefined) return enumerate(options.enumerate, options)
  const { seed: first, seeds, steps, crashEvery, faultEvery } = options
  if (options.keep !== undefined) refuseTakenPlace(options.keep)
  const last = options.untilFailure === true ? 2 ** 32 - 1 : first + seeds - 1
  for (let seed = first; seed <= last; seed++) {
    let taken = 0
    const onStep = (step: number) => {
      taken = step
      showProgress(() => `seed ${seed}, step ${step} of ${steps}`)
    }
    const asked: SimulateOptions = {
      ...{ seed, steps, crashEvery, faultEvery, onStep, signal: interrupt },
      ...(options.disk !== undefined && { disk: options.disk }),
      ...(options.rates !== undefined && { rates: options.rates }),
      ...(options.segments !== undefined && { segmentedFrom: options.segments }),
      ...(options.checkpointEvery !== undefined && { checkpointEvery: options.checkpointEvery }),
    }
    const twice = options.once !== true && seed % options.compareEvery === 0
    const plain = await unlessStopped(simulate({ ...asked, twice }))
    if (plain === undefined) {
      const before = seed === first ? '' : `; ${seed - first} seeds before it are whole`
      return remark(`stopped in seed ${seed} after step ${taken} of ${steps}${before}`)
    }
    const found = plain.findings.length > 0
    const run = (found ? await unlessStopped(withEvidence(asked, plain, twice)) : undefined) ?? plain
    const evidence = run !== plain
    const shrunk =
      found && options.shrink ? await unlessStopped(shrink({ ...asked, evidence }, run)) : undefined
    await report(run, shrunk, options)
    const isLast = seed === last || found
    if (options.keep !== undefined && isLast) await keepAt(options.keep, shrunk?.run ?? run)
    if (!found) continue
    process.exitCode = exitCodes.verification
    return
  }
}

/** The same run with all that an investigator wants to see, as long as it breaks the same rule. */
async function withEvidence(asked: SimulateOptions, run: Simulated, twice: boolean): Promise<Simulated> {
  const again = await simulate({ ...asked, evidence: true, twice })
  return again.findings[0]?.rule === run.findings[0]!.rule ? again : run
}

/** What it resolves with; undefined when the interrupt ended it. */
async function unlessStopped<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error === interrupt.reason) return undefined
    throw error
  }
}

async function report(
  run: Simulated,
  shrunk: Shrunk | undefined,
  { json, keep }: SimulateCommand,
): Promise<void> {
  const { seed, nature, mode, steps, events, crashes, lives, reports, faults, head, stateHash, findings } =
    run
  const commit = builtCommit()
  if (json === true) {
    const counted = { steps, events, crashes, journals: lives, reports, faults }
    const of = { seed, commit, program, disk: nature, mode: modeJson(mode) }
    const told = { ...of, ...counted, head, state_hash: stateHash, findings }
    const made = shrunk === undefined ? {} : { shrunk: shrunkJson(shrunk) }
    return print(JSON.stringify({ ...told, ...made }))
  }
  const done = Object.entries(faults).map(([name, count]) => `${count} ${name}`)
  const seen = `${crashes} crashes, ${[...done, lives === 1 ? '1 journal' : `${lives} journals`].join(', ')}`
  const line = `seed ${seed}, ${nature} disk${modeText(mode)}: ${steps} steps, ${events} events, ${seen}`
  if (findings.length === 0)
    return print(`${line}: 0 findings\n  state ${stateHash}, head ${head.hash}@${head.seq}`)
  const beside = run.asks.length === 0 ? '' : `, what was asked and answered in ${asksBeside(keep ?? '')}`
  const kept = keep === undefined ? 'add --keep FILE.trace.jsonl to look at it' : `kept in ${keep}${beside}`
  const found = [
    `${line}: ${findings.length} findings`,
    `commit ${commit}, ${program}`,
    ...findings.map(findingLine),
  ]
  const told = shrunk === undefined ? [kept] : shorter(shrunk, kept)
  await print([...found, ...told].map(escaped).join('\n'))
}

function modeJson({ ack, readDigests, block, large, slab, cache }: RunMode) {
  return { ack, read_digests: readDigests, block, large, slab, cache }
}

/** What is unlike the plain mode and can be told in a word. */
function modeText({ ack, block, large }: RunMode): string {
  const told = [
    ...(ack === plainMode.ack ? [] : [`${ack} answers`]),
    ...(block === plainMode.block ? [] : [`blocks of ${block}`]),
    ...(large === plainMode.large ? [] : ['a large volume']),
  ]
  return told.map((text) => `, ${text}`).join('')
}

function shrunkJson({ steps, beginning, ending, runs, run }: Shrunk) {
  const { inputs, events, findings } = run
  return { steps, beginning, ending, runs, inputs, events, findings }
}

function shorter({ run, steps, runs }: Shrunk, kept: string): string[] {
  const left = `${steps.length} steps, ${run.inputs} inputs, ${run.events} events`
  return [
    `made shorter in ${runs} runs: ${left}, still`,
    ...run.findings.map(findingLine),
    `steps ${steps.slice(0, 50).join(' ')}${steps.length > 50 ? ' ...' : ''}; ${kept}`,
  ]
}
