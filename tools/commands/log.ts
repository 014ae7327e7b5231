/**
 * `blockbox log`: the events of a journal, a line each.
 *
 *     the journal, or who has it open ─▶ records ─▶ lines ─▶ -f: what is appended while this runs
 */

import type { Command } from 'commander'
import { eventRecords, type Wanted } from '../../src/control/event-log.ts'
import { kindsOf, log, seqOrPoint } from '../../src/control/stream-routes.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { type EventRecord, eventText } from '../../src/inspect/event-record.ts'
import { lineRecords, ServerStops } from '../control-client.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { wholeNumber } from '../number.ts'
import { escaped, print } from '../output.ts'
import { remarkOutside } from '../outside-time.ts'
import { isPartial, partialRecords } from '../partial-log.ts'
import { withSourceOrServer } from '../recording-use.ts'
import { remark } from '../remark.ts'
import { parseSize } from '../size.ts'

interface LogOptions extends JournalOption {
  readonly from?: string
  readonly to?: string
  readonly block?: number
  readonly offset?: number
  readonly volume?: string
  readonly kind?: readonly string[]
  readonly follow?: boolean
  readonly json?: boolean
}

const printAtOnce = 64 * 1024
const serverStopped = 'the server that has the journal open stopped: nothing more comes from it'
/** Following, the process stays alive. */
const idleMs = 60_000

export function add(program: Command): void {
  journalOption(program.command('log'))
    .description('print the events of a journal or a recording')
    .argument('[source]', 'a journal folder or a recording (.trace, .trace.jsonl), in place of -j')
    .option('--from <point>', 'the first event: its number, or a point as in VOL@POINT', aPoint)
    .option('--to <point>', 'the last event, likewise', aPoint)
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
        '\nA journal belongs to one process at a time: one that `blockbox serve` has open is read through it.\n' +
        'Exit code 12 when the journal is damaged: the events before the damage are printed.\n',
    )
    .action(act)
}

/** A word that names kinds, added to those before. Throws USAGE. */
function kindsNamed(word: string, before: readonly string[] = []): readonly string[] {
  kindsOf([word])
  return [...before, word]
}

/** A plain number is that of an event. Throws USAGE. */
function aPoint(text: string): string {
  if (/^\d+$/.test(text)) wholeNumber(1)(text)
  seqOrPoint(text)
  return text
}

async function act(source: string | undefined, options: LogOptions): Promise<void> {
  const { from, to, volume, block, offset, kind = [], json = false, follow = false } = options
  const wanted: Wanted = {
    ...{ volume, block, offset, kinds: kindsOf(kind) },
    from: from === undefined ? undefined : seqOrPoint(from),
    to: to === undefined ? undefined : seqOrPoint(to),
  }
  if (source !== undefined && (await isPartial(source))) {
    return printed(partialRecords(source, wanted), json, false)
  }
  await withSourceOrServer(
    source,
    options,
    false,
    async ({ journal }) => {
      await remarkOutside(journal, wanted.from, wanted.to)
      const grown = follow ? { grown$: journal.follow(journal.bounds().last + 1), idleMs } : {}
      await printed(await eventRecords(journal, wanted, { signal: interrupt, ...grown }), json, follow)
    },
    async (remote) => {
      const asked = { from, to, volume, block, offset, kind: [...kind], follow }
      await printed(lineRecords(await remote.stream(log, asked)), json, follow)
      if (follow && to === undefined) remark(serverStopped)
    },
  ).catch((error: unknown) => {
    if (!follow || !(error instanceof BlockboxError) || error.code !== 'JOURNAL_LOCKED') throw error
    const message =
      'the journal is in use by another process that offers no control socket: it cannot be followed from outside. ' +
      'Let `blockbox serve` have it, or stop the other and read it without -f'
    throw new BlockboxError('JOURNAL_LOCKED', message, { cause: error })
  })
}

/**
 * Prints records: a backlog many at a time, and at once what comes after it, which an empty list says. A server that stops
 * after that is the end of it, before it an error, for some of what was asked for is missing.
 */
async function printed(
  records: AsyncIterable<readonly EventRecord[]>,
  json: boolean,
  follow: boolean,
): Promise<void> {
  let lines: string[] = []
  let waiting = 0
  let caughtUp = false
  let any = false
  const flush = async () => {
    if (lines.length > 0) await print(lines.join('\n'))
    lines = []
    waiting = 0
  }
  try {
    for await (const list of records) {
      any ||= list.length > 0
      for (const record of list) {
        const line = json ? JSON.stringify(record) : escaped(eventText(record))
        lines.push(line)
        waiting += line.length
        if (waiting >= printAtOnce) await flush()
      }
      caughtUp ||= follow && list.length === 0
      if (caughtUp) await flush()
      interrupt.throwIfAborted()
    }
  } catch (error) {
    if (!caughtUp || !(error instanceof ServerStops)) throw error
  } finally {
    await flush()
  }
  if (!any && !follow) remark('no event fits what was asked for: `blockbox info` tells which there are')
}
