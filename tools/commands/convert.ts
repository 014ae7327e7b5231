/** `blockbox convert IN OUT`: a trace of one format into a trace of another, as a stream, without a journal. */

import { type Command, Option } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import { anyFormatNames, readAnyTrace } from '../../src/recording/recorded-trace.ts'
import type { EventBatch } from '../../src/run/conversion.ts'
import type { TraceOptions } from '../../src/trace/event.ts'
import { outputByName, outputNames, traceOutput } from '../../src/trace/output-format.ts'
import { standardInput } from '../../src/trace/source.ts'
import type { WriterOptions } from '../../src/trace/writer.ts'
import { conversionRecord, conversionText } from '../conversion-report.ts'
import { interrupt } from '../interrupt.ts'
import { wholeNumber } from '../number.ts'
import { plainJson, print } from '../output.ts'
import { convertRecording, recordingFormats, recordingFormOf } from '../recording-out.ts'
import { remark, showProgress } from '../remark.ts'
import { parseSize } from '../size.ts'
import { writeTraceFile } from '../trace-file.ts'
import { type ReadingOptions, readingOptions, traceOptions } from '../trace-option.ts'

interface ConvertOptions extends ReadingOptions {
  readonly from?: string
  readonly to?: string
  readonly volume?: string
  readonly size?: number
  readonly seed?: number
  readonly sector?: number
  readonly metadata?: boolean
  readonly force?: boolean
  readonly json?: boolean
}

export function add(program: Command): void {
  const command = program
    .command('convert')
    .description('write a trace in another format')
    .usage('[options] <in...> <out>')
    .argument(
      '<in>',
      'the trace, packed with gzip or zstd or not; - is standard input; blktrace: a file a CPU',
    )
    .argument('<out...>', 'the file to write, packed when it ends in .gz, comes last; - is standard output')
    .option('--from <format>', `the format of IN, where the content does not tell: ${anyFormatNames()}`)
    .option(
      '--to <format>',
      `the format of OUT, where the name does not tell: ${outputNames()}, ${recordingFormats.join(', ')}`,
    )
    .option('--volume <name>', 'only events of this device, volume, file or LUN of the trace')
    .option('--size <size>', 'leave out requests that end beyond this many bytes', parseSize)
    .option('--seed <number>', 'makes the content of writes whose trace has none', wholeNumber(0))
    .option('--sector <size>', 'dm-log-writes: the sector of the log, 512 when left out', parseSize)
    .addOption(new Option('--metadata', 'dm-log-writes: write the METADATA bit, which QEMU refuses'))
    .option('--force', 'replace a file that is there')
    .option('--json', 'print what was done, and what the format could not hold, as one JSON object')
  readingOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox convert disk.dmlog.gz disk.iolog\n' +
        '  zcat web_0.csv.gz | blockbox convert - web_0.blkparse.gz --from msr --json\n' +
        '  blockbox convert night.trace night.trace.jsonl.gz\n' +
        '  blockbox convert sda.blktrace.0 sda.blktrace.1 sda.blkparse.gz\n' +
        '\nOf a recording (.trace, .trace.jsonl) the events are what hosts asked for, in that order; the trace that gives\n' +
        'the content of a volume is written by `blockbox export`. Only a recording becomes a recording: what was decided\n' +
        'about each request is in no other trace. To get one: `blockbox import`, then `blockbox export`.\n' +
        'The report is printed on standard error when the trace goes to standard output.\n',
    )
    .action(act)
}

async function act(first: string, rest: readonly string[], options: ConvertOptions): Promise<void> {
  const out = rest.at(-1)!
  const paths = [first, ...rest.slice(0, -1)]
  const path = paths.join(' ')
  if (recordingFormOf(options.to, out) !== undefined) {
    if (paths.length > 1) throw new BlockboxError('USAGE', `a recording is one file, not ${paths.length}`)
    return convertRecording(first, out, options)
  }
  const { to = outputByName(out), volume, size, force = false, json = false } = options
  if (to === undefined) {
    const why = `the name ${out} does not tell the format to write`
    throw new BlockboxError('USAGE', `${why}: name one with --to: ${outputNames()}`)
  }
  const output = traceOutput(to)
  const dropped = new Dropped()
  const conversion = await writeTraceFile(
    {
      ...{ path: out, force, again: !paths.includes(standardInput), output, signal: interrupt },
      options: writing(options),
      onProgress: (events) => showProgress(() => `converted ${events} events`),
    },
    () => dropped.from(reading(paths, options), volume, size),
  )
  if (conversion.remark !== undefined) remark(`${path}: ${conversion.remark}`)
  const record = { ...conversionRecord(conversion, to, out), ...dropped.record() }
  const text = json ? plainJson(JSON.stringify(record)) : conversionText(record)
  if (out === '-') process.stderr.write(`${text}\n`)
  else await print(text)
}

function reading(paths: readonly string[], options: ConvertOptions): AsyncGenerator<EventBatch> {
  const { from } = options
  const request: { options: TraceOptions; signal: AbortSignal } = {
    options: traceOptions(options),
    signal: interrupt,
  }
  return readAnyTrace(paths, from === undefined ? request : { ...request, format: from })
}

function writing({ seed, sector, metadata }: ConvertOptions): WriterOptions {
  return {
    ...(seed !== undefined && { seed }),
    ...(sector !== undefined && { sector }),
    ...(metadata !== undefined && { metadata }),
  }
}

/** Events that were not asked for. */
class Dropped {
  #ofOthers = 0
  #beyond = 0
  #kept = 0
  readonly #others = new Set<string>()

  async *from(
    batches: AsyncIterable<EventBatch>,
    volume: string | undefined,
    size = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<EventBatch> {
    this.#ofOthers = 0
    this.#beyond = 0
    for await (const batch of batches) {
      const events = batch.events.filter(({ dev, offset, length }) => {
        if (volume !== undefined && dev !== volume) {
          this.#ofOthers++
          if (this.#others.size < 20) this.#others.add(dev ?? '(without a name)')
          return false
        }
        if ((offset ?? 0) + (length ?? 0) > size) {
          this.#beyond++
          return false
        }
        this.#kept++
        return true
      })
      yield { ...batch, events }
    }
    this.#refuseNothing(volume)
  }

  /** Throws USAGE when a volume was asked for that the trace does not have. */
  #refuseNothing(volume: string | undefined): void {
    if (volume === undefined || this.#kept > 0 || this.#beyond > 0) return
    const has = [...this.#others].join(', ')
    throw new BlockboxError('USAGE', `the trace has no events of "${volume}"; it has ${has || 'none at all'}`)
  }

  record(): { of_other_volumes?: number; beyond_size?: number } {
    return {
      ...(this.#ofOthers > 0 && { of_other_volumes: this.#ofOthers }),
      ...(this.#beyond > 0 && { beyond_size: this.#beyond }),
    }
  }
}
