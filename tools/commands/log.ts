/**
 * `blockbox log`: the events of a journal, a line each.
 *
 *     names from the nearest state ─▶ events up to --from, for their names ─▶ lines ─▶ -f: what is appended here
 */

import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import { Columns, type Event, type Row } from '../../src/events/columns.ts'
import { type Kind, kindNames, kinds } from '../../src/events/kind.ts'
import { eventRecord, eventText } from '../../src/inspect/event-record.ts'
import { Names } from '../../src/inspect/names.ts'
import { checkRows, type Frame } from '../../src/journal/frame.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { nearestWorld } from '../../src/journal/state.ts'
import { isWhole } from '../../src/recording/header.ts'
import { isRecording, openRecording } from '../../src/recording/recording-file.ts'
import { worldAt } from '../../src/replay/at.ts'
import { type Point, parsePoint, seqOf } from '../../src/replay/point.ts'
import { volumeNamed } from '../../src/replay/volume-at.ts'
import { newWorld } from '../../src/volume.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { wholeNumber } from '../number.ts'
import { escaped, print } from '../output.ts'
import { withSource } from '../recording-use.ts'
import { parseSize } from '../size.ts'

interface LogOptions extends JournalOption {
  readonly from?: Point
  readonly to?: Point
  readonly block?: number
  readonly offset?: number
  readonly volume?: string
  readonly kind?: readonly Kind[]
  readonly follow?: boolean
  readonly json?: boolean
}

const printAtOnce = 64 * 1024

export function add(program: Command): void {
  journalOption(program.command('log'))
    .description('print the events of a journal or a recording')
    .argument('[source]', 'a journal folder or a recording (.trace, .trace.jsonl), in place of -j')
    .option('--from <point>', 'the first event: its number, or a point as in VOL@POINT', seqOrPoint)
    .option('--to <point>', 'the last event, likewise', seqOrPoint)
    .option('--volume <name>', 'only events about this volume, its pairs and its backups')
    .option('--block <n>', 'with --volume: only events about this block', wholeNumber(0))
    .option('--offset <bytes>', 'with --volume: only events about this byte', parseSize)
    .option(
      '--kind <kind>',
      'only this kind, or all that begin so: io.write, io., backup; may be repeated',
      kindsNamed,
    )
    .option('-f, --follow', 'go on with what is appended while this runs, until Ctrl-C')
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox log -j nightly.journal --volume disk0 --kind io.write --kind hold\n' +
        '  blockbox log -j nightly.journal --from 1200 --to mark:before-upgrade --json | head\n' +
        '  blockbox log -j nightly.journal --volume disk0 --block 7 --kind io.\n' +
        '\nA journal belongs to one process at a time: one that another process records into cannot be followed.\n',
    )
    .action(act)
}

/** The kinds that a word names, added to those named before. Throws USAGE. */
function kindsNamed(word: string, before: readonly Kind[] = []): readonly Kind[] {
  const all = kindNames.filter((kind) => kind !== undefined)
  const named = all.filter((kind) => kind === word || kind.startsWith(word.endsWith('.') ? word : `${word}.`))
  if (named.length > 0) return [...before, ...named]
  const known = [...new Set(all.map((kind) => kind.split('.')[0]!))].join(', ')
  throw new BlockboxError('USAGE', `there is no kind of event "${word}"; they begin with ${known}`)
}

/** A plain number is that of an event. Throws USAGE. */
function seqOrPoint(text: string): Point {
  return /^\d+$/.test(text) ? { by: 'seq', number: wholeNumber(1)(text) } : parsePoint(text)
}

async function act(source: string | undefined, options: LogOptions): Promise<void> {
  const { follow = false } = options
  try {
    if (source !== undefined && (await isPartial(source))) return await logPartial(source, options)
    await withSource(source, options, false, async ({ journal }) => {
      const chosen = await choose(journal, options)
      const { to } = chosen
      const log = await openLog(journal, chosen)
      for await (const frames of journal.batches(log.next, to)) {
        for (const frame of frames) await log.add(frame)
        await log.flush()
        interrupt.throwIfAborted()
      }
      log.assertVolume(follow)
      if (follow) await followed(journal, log)
    })
  } catch (error) {
    if (!follow || !(error instanceof BlockboxError) || error.code !== 'JOURNAL_LOCKED') throw error
    const message =
      'the journal is in use by another process, and belongs to one at a time: it cannot be followed from outside. ' +
      'Stop the other, then read it without -f'
    throw new BlockboxError('JOURNAL_LOCKED', message, { cause: error })
  }
}

/** True for a recording that holds only some entries: there is no journal to make of it. */
async function isPartial(path: string): Promise<boolean> {
  if ((await stat(path).catch(() => undefined))?.isFile() !== true || !(await isRecording(path, interrupt)))
    return false
  const { header, items } = await openRecording(path, interrupt)
  await items.return()
  return !isWhole(header)
}

async function logPartial(path: string, options: LogOptions): Promise<void> {
  const { header, items } = await openRecording(path, interrupt)
  const names = new Names(newWorld())
  for (const { number, name } of header.volumes) names.volumeIs(number, name)
  const { volume, block, offset, from, to, ...rest } = options
  const size = header.volumes.findLast(({ name }) => name === volume)?.block ?? 0
  const byte = block === undefined ? offset : block * size
  const range = { from: numberOf(from, header.first), to: numberOf(to, header.last) }
  const log = new Log(
    { ...rest, ...range, byte, ...(volume !== undefined && { volume }) },
    names,
    header.first,
  )
  for await (const item of items) if (item.is === 'entry') await log.rows(item.row, item.instantNs)
  await log.flush()
  log.assertVolume(false)
}

/** Where only some entries are there, other points may not be among them. */
function numberOf(point: Point | undefined, otherwise: number): number {
  if (point === undefined) return otherwise
  if (point.by === 'seq') return point.number
  throw new BlockboxError('USAGE', 'this recording holds only some entries: name events by their numbers')
}

/** Prints what becomes durable from now on, until the interrupt. */
async function followed(journal: Journal, log: Log): Promise<void> {
  const alive = setInterval(() => undefined, 60_000)
  let printing = Promise.resolve()
  try {
    await new Promise<void>((resolve, reject) => {
      interrupt.addEventListener('abort', () => resolve(), { once: true })
      if (interrupt.aborted) resolve()
      journal.follow(log.next).subscribe({
        next: (frame) => {
          printing = printing.then(() => log.add(frame)).then(() => log.flush())
          printing.catch(reject)
        },
        error: reject,
        complete: resolve,
      })
    })
    await printing
  } finally {
    clearInterval(alive)
  }
}

/** The options with their points found, and the byte of a volume that events have to be about. */
interface Chosen extends Pick<LogOptions, 'volume' | 'kind' | 'json'> {
  readonly from: number
  readonly to: number
  readonly byte: number | undefined
}

/** Throws USAGE, NO_SUCH_POINT, NO_SUCH_VOLUME. */
async function choose(journal: Journal, options: LogOptions): Promise<Chosen> {
  const { volume, from, to, block, offset, ...rest } = options
  const { first, last } = journal.bounds()
  const isPoint = (point: Point | undefined) => point !== undefined && point.by !== 'seq'
  const known =
    isPoint(from) || isPoint(to) || block !== undefined ? await worldAt(journal, last, interrupt) : undefined
  const named = volume === undefined || known === undefined ? undefined : volumeNamed(known, volume)
  const seq = (point: Point) => seqOf(journal, point, named?.id ?? 0, interrupt)
  const found = {
    from: from === undefined ? first : await seq(from),
    to: to === undefined ? Number.MAX_SAFE_INTEGER : await seq(to),
  }
  if (found.to < found.from)
    throw new BlockboxError('USAGE', `--to ${found.to} is before --from ${found.from}`)
  if (volume === undefined && (block ?? offset) !== undefined) {
    throw new BlockboxError('USAGE', 'a block or a byte of which volume? Name it with --volume')
  }
  const byte = block === undefined ? offset : block * named!.block
  return { ...rest, ...found, ...(volume !== undefined && { volume }), byte }
}

/** The log of a journal, its names known up to --from or a state before it. */
async function openLog(journal: Journal, options: Chosen): Promise<Log> {
  const { first } = journal.bounds()
  const { from } = options
  if (from < first) {
    throw new BlockboxError(
      'JOURNAL_TRUNCATED',
      `event ${from} was given up: the journal begins with event ${first}`,
    )
  }
  const world = await nearestWorld(journal, from - 1)
  return new Log(options, new Names(world), Math.max(first, world.seq + 1))
}

/** True for an event with a range that holds this byte. */
function isAbout({ kind, offset, length }: Event, byte: number): boolean {
  const ranged = (kinds[kind].columns as readonly string[]).includes('offset')
  return ranged && offset <= byte && byte < offset + length
}

class Log {
  /** The event that is awaited next. */
  next: number
  readonly #options: Chosen
  readonly #names: Names
  readonly #columns = new Columns()
  #lines: string[] = []
  #waiting = 0

  constructor(options: Chosen, names: Names, next: number) {
    this.#options = options
    this.#names = names
    this.next = next
  }

  async add(frame: Frame): Promise<void> {
    const row = frame.open(this.#columns)
    checkRows(frame, row)
    await this.rows(row, frame.instantNs)
  }

  async rows(row: Row, instantNs: bigint): Promise<void> {
    const { from, to, volume, kind, byte, json = false } = this.#options
    for (row.index = 0; row.index < row.columns.count && row.seq <= to; row.index++) {
      this.#names.note(row)
      this.next = row.seq + 1
      if (row.seq < from || (kind !== undefined && !kind.includes(row.kind))) continue
      if (volume !== undefined && !this.#names.concerns(row, volume)) continue
      if (byte !== undefined && !isAbout(row, byte)) continue
      const record = eventRecord(row, instantNs, this.#names)
      const line = json ? JSON.stringify(record) : escaped(eventText(record))
      this.#lines.push(line)
      this.#waiting += line.length
      if (this.#waiting >= printAtOnce) await this.flush()
    }
  }

  async flush(): Promise<void> {
    const lines = this.#lines
    this.#lines = []
    this.#waiting = 0
    if (lines.length > 0) await print(lines.join('\n'))
  }

  /** Throws NO_SUCH_VOLUME when the volume asked for never was; one that is awaited may still come. */
  assertVolume(awaited: boolean): void {
    const { volume } = this.#options
    if (volume === undefined || awaited || this.#names.has(volume)) return
    const message = `there is no volume "${volume}" up to event ${this.next - 1}: \`blockbox volume ls\` lists them`
    throw new BlockboxError('NO_SUCH_VOLUME', message)
  }
}
