/**
 * `blockbox import FILE`: reads a trace of another program and prints it, as lines of JSON or as a summary.
 *
 *     FILE (or -) -> events -> --json: a line each · --summary: one object
 */

import { type Command, Option } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import type { TraceOptions } from '../../src/trace/event.ts'
import { formatNames } from '../../src/trace/format.ts'
import { eventLine } from '../../src/trace/line.ts'
import { readTrace, type TraceBatch } from '../../src/trace/source.ts'
import { summarise } from '../../src/trace/summary.ts'
import { interrupt } from '../interrupt.ts'
import { escaped, print } from '../output.ts'

interface ImportOptions {
  readonly format?: string
  readonly producer?: 'dm' | 'qemu'
  readonly salvage?: boolean
  readonly json?: boolean
  readonly summary?: boolean
}

const printAtOnce = 64 * 1024

export function add(program: Command): void {
  program
    .command('import')
    .description('read a trace of another program')
    .argument('<file>', 'the trace, compressed with gzip or not; - is standard input')
    .option('-f, --format <name>', `its format, where the content does not tell: ${formatNames()}`)
    .addOption(
      new Option(
        '--producer <name>',
        'who wrote a dm-log-writes log: its order is that of durability (dm) or of completion (qemu)',
      ).choices(['dm', 'qemu']),
    )
    .option('--salvage', 'dm-log-writes: read past the count of entries, forgive a torn end')
    .option('--json', 'print the events, one JSON object a line')
    .addOption(new Option('--summary', 'print counts and digests as one JSON object').conflicts('json'))
    .action(async (file: string, options: ImportOptions) => {
      if (options.json === true) await printEvents(file, options)
      else if (options.summary === true) await printSummary(file, options)
      else throw new BlockboxError('USAGE', 'what shall be done with the trace? Choose --json or --summary')
    })
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
