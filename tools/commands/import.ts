/**
 * `blockbox import FILE`: reads a trace of another program, prints it or records it into a journal.
 *
 *     FILE (or -) ─▶ events ─▶ --json: a line each · --summary: one object · --volume: requests, recorded
 *              ├─▶ --detect: the name of the format
 *              └─▶ a recording and -j: the journal that it is of
 */

import { stat } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { hex } from '../../src/core/digest.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import {
  anyFormatNames,
  detectAnyFormat,
  readAnyTrace,
  recordedTrace,
} from '../../src/recording/recorded-trace.ts'
import { isRecording } from '../../src/recording/recording-file.ts'
import { restoreJournal } from '../../src/recording/restore.ts'
import { eventLine } from '../../src/trace/line.ts'
import type { TraceBatch } from '../../src/trace/source.ts'
import { summarise } from '../../src/trace/summary.ts'
import { gathered } from '../control.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalDir, journalOption } from '../journal-option.ts'
import { wholeNumber } from '../number.ts'
import { escaped, plainJson, print } from '../output.ts'
import { record } from '../recording.ts'
import { showProgress } from '../remark.ts'
import { parseSize } from '../size.ts'
import { type ReadingOptions, readingOptions, traceOptions } from '../trace-option.ts'

interface ImportOptions extends JournalOption, ReadingOptions {
  readonly format?: string
  readonly detect?: boolean
  readonly json?: boolean
  readonly summary?: boolean
  readonly volume?: string
  readonly dev?: readonly string[]
  readonly mergeDevices?: boolean
  readonly size?: number
  readonly block?: number
  readonly seed?: number
  readonly ack: 'durable' | 'buffered'
  readonly readDigests: boolean
}

const printAtOnce = 64 * 1024

export function add(program: Command): void {
  readingOptions(journalOption(program.command('import')))
    .description('read a trace of another program: print it, or record it into a new volume of a journal')
    .argument(
      '<file...>',
      'the trace, packed with gzip or zstd or not; - is standard input; blktrace: a file a CPU',
    )
    .option('-f, --format <name>', `its format, where the content does not tell: ${anyFormatNames()}`)
    .addOption(
      new Option('--detect', 'print the name of the format, as the content tells').conflicts([
        'json',
        'summary',
        'volume',
      ]),
    )
    .option('--json', 'print the events, one JSON object a line; with --volume the report')
    .addOption(new Option('--summary', 'print counts and digests as one JSON object').conflicts('json'))
    .addOption(
      new Option('--volume <name>', 'record into this new volume of the journal').conflicts('summary'),
    )
    .option('--dev <name>', 'only events of this device of the trace; may be repeated', gathered)
    .option('--merge-devices', 'record several devices of the trace over each other in one volume')
    .option('--size <size>', 'bytes of the volume; the end of the furthest request when left out', parseSize)
    .option(
      '--block <size>',
      'bytes of a block of the volume; 4K, or 512 where the trace asks for it',
      parseSize,
    )
    .option('--seed <number>', 'makes the content of writes whose trace has none', wholeNumber(0))
    .option('--no-read-digests', 'do not note what reads return: faster, a replay cannot check it')
    .addOption(
      new Option('--ack <when>', 'a write is answered when it is durable, or when it is accepted')
        .choices(['durable', 'buffered'])
        .default('durable'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox import disk.dmlog.gz --summary\n' +
        '  blockbox import disk.dmlog.gz -j nightly.journal --volume disk0\n' +
        '  blockbox import nightly.trace.jsonl.gz -j again.journal\n' +
        '\nA recording (.trace, .trace.jsonl) becomes the journal that it was exported from; with --summary, or --json and\n' +
        'no -j, its requests are shown like those of any trace. With --volume the exit code\n' +
        'is 1 when requests were refused.\n',
    )
    .action(act)
}

async function act(files: readonly string[], options: ImportOptions): Promise<void> {
  if (await isRestored(files, options)) return importRecording(files[0]!, options)
  if (options.volume !== undefined) await recordInto(options.volume, files, options)
  else if (options.detect === true) await printFormat(only(files, 'looked at'))
  else if (
    [options.size, options.block, options.seed, options.mergeDevices].some((one) => one !== undefined)
  ) {
    const only = '--size, --block, --seed and --merge-devices are for recording'
    throw new BlockboxError('USAGE', `${only}: name the volume with --volume`)
  } else if (options.json === true) await printEvents(files, options)
  else if (options.summary === true) await printSummary(files, options)
  else {
    const choice = 'choose --json or --summary, or record it with -j DIR --volume NAME'
    throw new BlockboxError('USAGE', `what shall be done with the trace? ${choice}`)
  }
}

/**
 * True for a recording that is to become a journal again; to be looked at it is a trace like others. Its content tells
 * what it is, unless a format is named. Pipes are read once.
 */
async function isRestored(files: readonly string[], options: ImportOptions): Promise<boolean> {
  const { format = recordedTrace.name, detect, summary, json, journal } = options
  const [file] = files
  if (format !== recordedTrace.name || file === undefined || files.length > 1) return false
  if (detect === true || summary === true || (json === true && journal === undefined)) return false
  const isFile = (await stat(file).catch(() => undefined))?.isFile() === true
  return isFile && (await isRecording(file))
}

/** A recording becomes the journal that it was exported from. */
async function importRecording(path: string, options: ImportOptions): Promise<void> {
  if (options.volume !== undefined) {
    const how =
      'it becomes a journal of its own: leave --volume out, name a new folder with -j DIR; `blockbox run` plays it anew'
    throw new BlockboxError('USAGE', `${path} is a recording of a journal: ${how}`)
  }
  const folder = journalDir(options)
  const end = await restoreJournal(path, folder, {
    signal: interrupt,
    onFrame: (seq, of) => showProgress(() => `stored ${seq} of ${of} events`),
  })
  const { events, frames, payloads, payloadBytes } = end
  const head = hex(end.head)
  if (options.json === true) {
    const counted = { events, frames, payloads, payload_bytes: payloadBytes }
    return print(JSON.stringify({ version: 1, journal: folder, ...counted, head }))
  }
  const what = `${events} events in ${frames} frames, ${payloads} payloads of ${payloadBytes} bytes`
  await print([`journal ${folder}: ${what}`, `head   ${head}`].map(escaped).join('\n'))
}

function recordInto(volume: string, files: readonly string[], options: ImportOptions): Promise<void> {
  const { format, size, block, seed, ack, readDigests, journal, json = false } = options
  const { dev: devices, mergeDevices } = options
  const ask = {
    path: files,
    volume,
    options: traceOptions(options),
    ...(format !== undefined && { format }),
    ...(devices !== undefined && { devices }),
    ...(mergeDevices !== undefined && { mergeDevices }),
    ...(size !== undefined && { size }),
    ...(block !== undefined && { block }),
    ...(seed !== undefined && { seed }),
  }
  return record(ask, { ack, readDigests, json, ...(journal !== undefined && { journal }) })
}

function only(files: readonly string[], what: string): string {
  if (files.length === 1) return files[0]!
  throw new BlockboxError('USAGE', `one trace is ${what} at a time, not ${files.length}`)
}

async function printFormat(file: string): Promise<void> {
  await print(await detectAnyFormat(file, interrupt))
}

async function printEvents(files: readonly string[], options: ImportOptions): Promise<void> {
  let lines: string[] = []
  let waiting = 0
  for await (const { events } of batches(files, options)) {
    for (const event of events) {
      const line = plainJson(eventLine(event))
      lines.push(line)
      waiting += line.length
    }
    if (waiting < printAtOnce) continue
    await print(lines.join('\n'))
    lines = []
    waiting = 0
  }
  if (lines.length > 0) await print(lines.join('\n'))
}

async function printSummary(files: readonly string[], options: ImportOptions): Promise<void> {
  const sum = summarise()
  for await (const { events } of batches(files, options)) {
    for (const event of events) sum.add(event)
  }
  await print(JSON.stringify(sum.result()))
}

/** The trace in batches, as the options name it; what must be said of its end goes to standard error. */
async function* batches(files: readonly string[], options: ImportOptions): AsyncGenerator<TraceBatch> {
  const { format, dev } = options
  const request = {
    options: traceOptions(options),
    signal: interrupt,
    ...(format !== undefined && { format }),
  }
  for await (const batch of readAnyTrace(files, request)) {
    yield dev === undefined
      ? batch
      : { ...batch, events: batch.events.filter((one) => dev.includes(one.dev ?? '')) }
    if (batch.remark !== undefined)
      process.stderr.write(`blockbox: ${escaped(`${files.at(-1)}: ${batch.remark}`)}\n`)
  }
}
