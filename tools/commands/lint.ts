/** `blockbox lint TRACE`: what makes a trace doubtful, each with its place and what to do; exit code 12 with findings. */

import type { Command } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import { anyFormatNames, readAnyTrace } from '../../src/recording/recorded-trace.ts'
import type { TraceEvent } from '../../src/trace/event.ts'
import { Linter, type LintFinding, lintRules } from '../../src/trace/lint/linter.ts'
import { exitCodes } from '../exit-code.ts'
import { interrupt } from '../interrupt.ts'
import { wholeNumber } from '../number.ts'
import { escaped, plainJson, print } from '../output.ts'
import { showProgress } from '../remark.ts'
import { parseSize } from '../size.ts'
import { type ReadingOptions, readingOptions, traceOptions } from '../trace-option.ts'

interface LintCommandOptions extends ReadingOptions {
  readonly format?: string
  readonly size?: number
  readonly most: number
  readonly json?: boolean
}

export function add(program: Command): void {
  const command = program
    .command('lint')
    .description('report what makes a trace doubtful')
    .argument('<file...>', 'the trace; - is standard input; blktrace: a file a CPU')
    .option('-f, --format <name>', `its format, where the content does not tell: ${anyFormatNames()}`)
    .option('--size <size>', 'bytes of the device; requests beyond are findings', parseSize)
    .option('--most <number>', 'print so many findings of each rule, count the rest', wholeNumber(0, 1e6), 10)
    .option('--json', 'one JSON object a finding, then one with the counts')
  const rules = lintRules.map(({ name, title }) => `  ${name.padEnd(14)} ${title}`)
  const parsers = [
    `  ${'capture-hole'.padEnd(14)} numbers of records are missing, or the recorder says that it lost some`,
    `  ${'remark'.padEnd(14)} the trace makes sense, but its end is not where it says`,
    `  ${'damaged'.padEnd(14)} the trace stops making sense, or ends too early`,
  ]
  readingOptions(command)
    .addHelpText(
      'after',
      `\nRules:\n${[...rules, ...parsers].join('\n')}\n\nExample:\n  blockbox lint disk.iolog --size 64M\n` +
        '\nThe exit code is 12 when there are findings.\n',
    )
    .action(act)
}

async function act(files: readonly string[], options: LintCommandOptions): Promise<void> {
  const { format, size, most, json = false } = options
  const linter = new Linter({ most, ...(size !== undefined && { size }) })
  const request = {
    options: { ...traceOptions(options), places: true },
    signal: interrupt,
    ...(format !== undefined && { format }),
  }
  const say = async () => {
    const findings = linter.take()
    if (findings.length > 0) await print(findings.map(json ? findingJson : findingText).join('\n'))
  }
  try {
    for await (const { events, doubts = [], remark } of readAnyTrace(files, request)) {
      for (const event of events as readonly TraceEvent[]) linter.see(event)
      for (const doubt of doubts) linter.doubt(doubt)
      if (remark !== undefined) linter.complain('remark', remark)
      await say()
      showProgress(() => `looked at ${linter.events} events`)
    }
  } catch (error) {
    if (!(error instanceof BlockboxError) || error.code !== 'TRACE_FORMAT') throw error
    linter.complain('damaged', error.message)
  }
  linter.end()
  await say()
  await print(json ? countsJson(linter) : countsText(linter))
  if (Object.keys(linter.counts).length > 0) process.exitCode = exitCodes.verification
}

function findingJson(finding: LintFinding): string {
  return plainJson(JSON.stringify(finding))
}

function findingText({ rule, event, line, byte, detail, advice }: LintFinding): string {
  const places = [
    line === undefined ? undefined : `line ${line}`,
    byte === undefined ? undefined : `byte ${byte}`,
    event === undefined ? undefined : `event ${event}`,
  ].filter((place) => place !== undefined)
  const place = places.length === 0 ? 'the trace' : places.join(', ')
  return escaped(`${place}: ${rule}: ${detail}; ${advice}`)
}

function countsJson({ events, counts }: Linter): string {
  return JSON.stringify({ version: 1, events, findings: counts })
}

function countsText({ events, counts }: Linter): string {
  const found = Object.entries(counts).map(([rule, count]) => `${count} ${rule}`)
  return `${events} events: ${found.length === 0 ? 'nothing doubtful' : found.join(', ')}`
}
