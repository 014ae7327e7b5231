/**
 * `blockbox export -o FILE`: a journal as a recording, or what reached a volume as a trace that other programs read.
 */

import { type Command, Option } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import type { Journal } from '../../src/journal/journal.ts'
import type { PayloadStore } from '../../src/payload/payload.ts'
import { worldAt } from '../../src/replay/at.ts'
import { type Point, parsePoint, seqOf } from '../../src/replay/point.ts'
import { volumeNamed } from '../../src/replay/volume-at.ts'
import { type ExportTally, exportEvents, exportTally } from '../../src/run/export-run.ts'
import { outputByName, traceOutput, traceOutputs } from '../../src/trace/output-format.ts'
import type { WriterOptions } from '../../src/trace/writer.ts'
import { type ConversionRecord, conversionRecord, conversionText } from '../conversion-report.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { withJournal } from '../journal-use.ts'
import { wholeNumber } from '../number.ts'
import { plainJson, print } from '../output.ts'
import { remarkOutside } from '../outside-time.ts'
import { exportRecording, recordingFormats, recordingFormOf } from '../recording-out.ts'
import { remark, showProgress } from '../remark.ts'
import { parseSize } from '../size.ts'
import { writeTraceFile } from '../trace-file.ts'

interface ExportOptions extends JournalOption {
  readonly format?: string
  readonly output: string
  readonly from?: Point
  readonly to?: Point
  readonly volume?: string
  readonly session?: number
  readonly payload?: string
  readonly sector?: number
  readonly metadata?: boolean
  readonly force?: boolean
  readonly json?: boolean
}

/** What an exporter is given. */
export interface ExportJob {
  readonly journal: Journal
  readonly payload: PayloadStore
  /** The volume by its name and its number. */
  readonly name: string
  readonly volume: number
  /** Events of the journal, both included. */
  readonly from: number
  readonly to: number
  readonly format: string
  readonly path: string
  readonly force: boolean
  readonly writing: WriterOptions
}

/** What an exporter says of its work; the keys of the printed JSON. */
export interface ExportRecord extends ConversionRecord {
  readonly volume: string
  readonly from: number
  readonly to: number
  /** Further keys, of one format. */
  readonly [key: string]: unknown
}

interface Exporter {
  readonly name: string
  readonly title: string
  run(job: ExportJob): Promise<ExportRecord>
}

/** The formats of other programs. A format that needs more of the journal than events is one more line. */
const exporters: readonly Exporter[] = [
  ...traceOutputs.map(({ name, title }) => ({ name, title, run: exportForeign })),
]

export function add(program: Command): void {
  const names = [...recordingFormats, ...exporters.map(({ name }) => name)].join(', ')
  journalOption(program.command('export'))
    .description('write a journal as a recording, or what reached a volume as a trace for other programs')
    .argument('[volume]', 'its name; a recording holds the whole journal when it is left out')
    .requiredOption(
      '-o, --output <file>',
      'the file to write, packed when it ends in .gz; - is standard output',
    )
    .option('-f, --format <name>', `the format, where the name of the file does not tell: ${names}`)
    .option(
      '--from <point>',
      'the first event: seq:N, time:ISO, mark:LABEL, backup:NAME, source:K',
      parsePoint,
    )
    .option('--to <point>', 'the last event, in the same words', parsePoint)
    .option('--volume <name>', 'the volume, in place of the argument')
    .option('--session <number>', 'recordings: only the entries of this session', wholeNumber(1))
    .option('--payload <what>', 'recordings: whole, digests, or a size up to which payloads go in')
    .option('--sector <size>', 'dm-log-writes: the sector of the log, 512 when left out', parseSize)
    .addOption(new Option('--metadata', 'dm-log-writes: write the METADATA bit, which QEMU refuses'))
    .option('--force', 'replace a file that is there')
    .option('--json', 'print what was done, and what the format could not hold, as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox export -j nightly.journal -o nightly.trace.jsonl.gz\n' +
        '  blockbox export disk0 -j nightly.journal -o disk0.dmlog.gz\n' +
        '  blockbox export disk0 -j nightly.journal --format fio-iolog --from mark:start -o disk0.iolog --json\n' +
        '\nA recording (.trace, .trace.jsonl) of the whole journal replays as the journal does; see traces/README.md for\n' +
        'what can be checked of a part. For other programs events come in the order in which they took effect:\n' +
        'whoever replays the trace gets the content of the volume. The report is printed on standard error when the trace\n' +
        'goes to standard output.\n',
    )
    .action(act)
}

async function act(argument: string | undefined, options: ExportOptions): Promise<void> {
  const { output: path, force = false, json = false, sector, metadata } = options
  const name = argument ?? options.volume
  if (recordingFormOf(options.format, path) !== undefined) {
    return withJournal(options, (open) =>
      exportRecording(open, { ...options, ...(name !== undefined && { volume: name }) }),
    )
  }
  if (name === undefined) {
    throw new BlockboxError(
      'USAGE',
      'which volume? A trace for other programs is of one: blockbox export VOL -o FILE',
    )
  }
  if (options.session !== undefined || options.payload !== undefined) {
    throw new BlockboxError('USAGE', '--session and --payload are for recordings: .trace and .trace.jsonl')
  }
  const exporter = exporterOf(options.format ?? outputByName(path), path)
  const record = await withJournal(options, async ({ journal, payload }) => {
    const { first, last } = journal.bounds()
    const { id } = volumeNamed(await worldAt(journal, last, interrupt), name)
    await remarkOutside(journal, options.from, options.to)
    const from = options.from === undefined ? first : await seqOf(journal, options.from, id, interrupt)
    const to = options.to === undefined ? last : await seqOf(journal, options.to, id, interrupt)
    if (to < from)
      throw new BlockboxError('USAGE', `the range ends with event ${to}, before its first, ${from}`)
    const writing = { ...(sector !== undefined && { sector }), ...(metadata !== undefined && { metadata }) }
    return exporter.run({
      ...{ journal, payload, name, volume: id, from, to },
      ...{ format: exporter.name, path, force, writing },
    })
  })
  const text = json ? plainJson(JSON.stringify(record)) : conversionText(record)
  if (path === '-') process.stderr.write(`${text}\n`)
  else await print(text)
}

function exporterOf(format: string | undefined, path: string): Exporter {
  const found = exporters.find(({ name }) => name === format)
  if (found !== undefined) return found
  const names = exporters.map(({ name }) => name).join(', ')
  if (format === undefined) {
    throw new BlockboxError(
      'USAGE',
      `the name ${path} does not tell the format: name one with --format: ${names}`,
    )
  }
  throw new BlockboxError('USAGE', `nothing can be exported as "${format}"; choose ${names}`)
}

async function exportForeign(job: ExportJob): Promise<ExportRecord> {
  const { journal, payload, name, volume, from, to, format, path, force, writing } = job
  const output = traceOutput(format)
  const { unit: sector } = output.holding(writing)
  let tally: ExportTally = exportTally()
  const conversion = await writeTraceFile(
    {
      ...{ path, force, again: true, options: writing, signal: interrupt },
      output,
      onProgress: (events) => showProgress(() => `exported ${events} events`),
    },
    () => {
      tally = exportTally()
      return exportEvents({ journal, payload }, { volume, from, to, sector, signal: interrupt }, tally)
    },
  )
  if (tally.onto) remark(`the trace begins with event ${from}: replay it onto ${name}@seq:${from - 1}`)
  const { without_effect, internal, partial } = tally
  return {
    ...conversionRecord(conversion, format, path),
    volume: name,
    from,
    to,
    without_effect,
    internal,
    partial_sectors: partial,
  }
}
