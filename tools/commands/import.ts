/**
 * `blockbox import FILE`: reads a trace of another program, prints it or records it into a journal.
 *
 *     FILE (or -) ─▶ events ─▶ --json: a line each · --summary: one object · --volume: requests, recorded
 */

import { type Command, Option } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import type { TraceOptions } from '../../src/trace/event.ts'
import { formatNames } from '../../src/trace/format.ts'
import { eventLine } from '../../src/trace/line.ts'
import { readTrace, type TraceBatch } from '../../src/trace/source.ts'
import { summarise } from '../../src/trace/summary.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { wholeNumber } from '../number.ts'
import { escaped, print } from '../output.ts'
import { record } from '../recording.ts'
import { parseSize } from '../size.ts'

interface ImportOptions extends JournalOption {
  readonly format?: string
  readonly producer?: 'dm' | 'qemu'
  readonly salvage?: boolean
  readonly json?: boolean
  readonly summary?: boolean
  readonly volume?: string
  readonly size?: number
  readonly seed?: number
  readonly ack: 'durable' | 'buffered'
}

const printAtOnce = 64 * 1024

export function add(program: Command): void {
  journalOption(program.command('import'))
    .description('read a trace of another program: print it, or record it into a new volume of a journal')
    .argument('<file>', 'the trace, compressed with gzip or not; - is standard input')
    .option('-f, --format <name>', `its format, where the content does not tell: ${formatNames()}`)
    .addOption(
      new Option(
        '--producer <name>',
        'who wrote a dm-log-writes log: its order is that of durability (dm) or of completion (qemu)',
      ).choices(['dm', 'qemu']),
    )
    .option('--salvage', 'dm-log-writes: read past the count of entries, forgive a torn end')
    .option('--json', 'print the events, one JSON object a line; with --volume the report')
    .addOption(new Option('--summary', 'print counts and digests as one JSON object').conflicts('json'))
    .addOption(
      new Option('--volume <name>', 'record into this new volume of the journal').conflicts('summary'),
    )
    .option('--size <size>', 'bytes of the volume; the end of the furthest request when left out', parseSize)
    .option('--seed <number>', 'makes the content of writes whose trace has none', wholeNumber(0))
    .addOption(
      new Option('--ack <when>', 'a write is answered when it is durable, or when it is accepted')
        .choices(['durable', 'buffered'])
        .default('durable'),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox import disk.dmlog.gz --summary\n' +
        '  blockbox import disk.dmlog.gz -j nightly.journal --volume disk0\n' +
        '\nWith --volume the exit code is 1 when requests were refused.\n',
    )
    .action(act)
}

async function act(file: string, options: ImportOptions): Promise<void> {
  if (options.volume !== undefined) await recordInto(options.volume, file, options)
  else if (options.size !== undefined || options.seed !== undefined) {
    throw new BlockboxError('USAGE', '--size and --seed are for recording: name the volume with --volume')
  } else if (options.json === true) await printEvents(file, options)
  else if (options.summary === true) await printSummary(file, options)
  else {
    const choice = 'choose --json or --summary, or record it with -j DIR --volume NAME'
    throw new BlockboxError('USAGE', `what shall be done with the trace? ${choice}`)
  }
}

function recordInto(volume: string, file: string, options: ImportOptions): Promise<void> {
  const { format, size, seed, ack, journal, json = false } = options
  const ask = {
    path: file,
    volume,
    options: traceOptions(options),
    ...(format !== undefined && { format }),
    ...(size !== undefined && { size }),
    ...(seed !== undefined && { seed }),
  }
  return record(ask, { ack, json, ...(journal !== undefined && { journal }) })
}

async function printEvents(file: string, options: ImportOptions): Promise<void> {
  let lines: string[] = []
  let waiting = 0
  for await (const { events } of batches(file, options)) {
    for (const event of events) {
      const line = eventLine(event)
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

async function printSummary(file: string, options: ImportOptions): Promise<void> {
  const sum = summarise()
  for await (const { events } of batches(file, options)) {
    for (const event of events) sum.add(event)
  }
  await print(JSON.stringify(sum.result()))
}

/** The trace in batches, as the options name it; what must be said of its end goes to standard error. */
async function* batches(file: string, options: ImportOptions): AsyncGenerator<TraceBatch> {
  const { format } = options
  const request = {
    options: traceOptions(options),
    signal: interrupt,
    ...(format !== undefined && { format }),
  }
  for await (const batch of readTrace(file, request)) {
    yield batch
    if (batch.remark !== undefined) process.stderr.write(`blockbox: ${escaped(`${file}: ${batch.remark}`)}\n`)
  }
}

function traceOptions({ producer, salvage }: ImportOptions): TraceOptions {
  return { ...(producer !== undefined && { producer }), ...(salvage !== undefined && { salvage }) }
}
