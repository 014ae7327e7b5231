/** `blockbox inspect queue`: what waits at a point, since when and why; without one, what waited over the whole run. */

import type { Command } from 'commander'
import { kindsOf } from '../../../src/control/stream-routes.ts'
import { BlockboxError } from '../../../src/core/errors.ts'
import type { OpenFolder } from '../../../src/engine/open-folder.ts'
import type { Kind } from '../../../src/events/kind.ts'
import { isoNs } from '../../../src/inspect/event-record.ts'
import { QueueStories, type QueueStory } from '../../../src/inspect/queue-story.ts'
import type { Roster } from '../../../src/inspect/roster.ts'
import type { SpreadRecord } from '../../../src/inspect/spread.ts'
import { waitingIn } from '../../../src/inspect/waiting.ts'
import type { Moment } from '../../../src/inspect/witness.ts'
import { worldAt } from '../../../src/replay/at.ts'
import { parsePoint, seqOf } from '../../../src/replay/point.ts'
import { rowsAt } from '../../../src/replay/rows-at.ts'
import { formatDuration } from '../../duration.ts'
import { type FilterOptions, filterOptions, scopeOf } from '../../filter-option.ts'
import { inspected } from '../../inspection.ts'
import { interrupt } from '../../interrupt.ts'
import { type JournalOption, journalOption } from '../../journal-option.ts'
import { withJournal } from '../../journal-use.ts'
import { escaped, print, table } from '../../output.ts'
import { remarkOutside } from '../../outside-time.ts'
import { sparkline } from '../../sparkline.ts'

interface QueueOptions extends JournalOption, FilterOptions {
  readonly at?: string
  readonly json?: boolean
}

export function addQueue(inspect: Command): void {
  const command = journalOption(inspect.command('queue'))
    .description('what waited for the end of a backup or for a copy, how long, and what was refused')
    .option(
      '--at <point>',
      'who waits just then, since when and why: seq:N, time:ISO, mark:LABEL or backup:ID',
    )
  filterOptions(command)
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox inspect queue -j nightly.journal\n' +
        '  blockbox inspect queue --at seq:1200 --volume vol -j nightly.journal\n',
    )
    .action(act)
}

async function act(options: QueueOptions): Promise<void> {
  const { at, from, to, json = false } = options
  if (at !== undefined && (from ?? to) !== undefined) {
    throw new BlockboxError(
      'USAGE',
      '--at asks of one moment, --from and --to of a stretch: leave one of them out',
    )
  }
  const text = await withJournal(options, async (open) => {
    if (at === undefined) {
      const said = await overAll(open, options)
      return json ? JSON.stringify(said) : overAllText(said)
    }
    const said = await atPoint(open, at, options)
    return json ? JSON.stringify(said) : atPointText(said)
  })
  await print(text)
}

async function atPoint({ journal }: OpenFolder, at: string, { volume, host, kind = [] }: QueueOptions) {
  const point = parsePoint(at)
  await remarkOutside(journal, point)
  const seq = await seqOf(journal, point, 0, interrupt)
  const world = await worldAt(journal, seq, interrupt)
  if (volume !== undefined && !world.volumes.some(({ name }) => name === volume)) {
    throw new BlockboxError(
      'NO_SUCH_VOLUME',
      `there is no volume "${volume}": \`blockbox volume ls\` lists them`,
    )
  }
  const kinds = kindsOf(kind)
  const all = waitingIn(world).filter(
    (one) =>
      (volume ?? one.volume) === one.volume &&
      (host ?? one.host) === one.host &&
      (kinds === undefined || kinds.includes(`io.${one.op}` as Kind)),
  )
  const rows = await rowsAt(journal, [seq, ...all.map((one) => one.seq)])
  const now = rows.get(seq)?.atNs
  const waiting = all.map((one) => {
    const since = rows.get(one.seq)?.atNs
    if (since === undefined || now === undefined) return one
    return { ...one, since: isoNs(since), waited_ns: Number(now - since) }
  })
  return { version: 1, seq, ...(now !== undefined && { instant: isoNs(now) }), waiting }
}

function atPointText({ seq, instant, waiting }: Awaited<ReturnType<typeof atPoint>>): string {
  const when = instant === undefined ? '' : `, ${instant}`
  if (waiting.length === 0) return `after event ${seq}${when}: nothing waits`
  const rows = waiting.map((one) => [
    String(one.seq),
    one.queue,
    one.volume,
    `${one.host} (${one.session})`,
    one.op,
    `${one.offset}+${one.length}`,
    formatDuration('waited_ns' in one ? one.waited_ns : undefined),
    one.why,
  ])
  const titles = ['event', 'queue', 'volume', 'host', '', 'range', 'for', 'why']
  const head = `after event ${seq}${when}: ${waiting.length} requests wait`
  return `${head}\n\n${table([titles, ...rows.map((row) => row.map(escaped))], [0, 6])}`
}

async function overAll(open: OpenFolder, options: QueueOptions) {
  const stories = new QueueStories(await scopeOf(open, options))
  const { originNs, end, roster } = await inspected(open, [stories])
  const moment = ({ seq, at }: Moment) => ({ seq, instant: isoNs(originNs + BigInt(Math.round(at))) })
  return {
    version: 1,
    hold: queueRecord(stories.hold, roster, moment, end),
    copy: queueRecord(stories.copy, roster, moment, end),
    ...(stories.far.most !== undefined && { far: queueRecord(stories.far, roster, moment, end) }),
    refused: [...stories.refused].map(([code, { count, first, last }]) => {
      return { code, count, first: moment(first), last: moment(last) }
    }),
  }
}

/** An event by its number, and when it was. */
type Told = (one: Moment) => { readonly seq: number; readonly instant: string }

function queueRecord(story: QueueStory, roster: Roster, moment: Told, end: number) {
  return {
    waited: story.waits.record(),
    ended: Object.fromEntries(story.ends),
    still_waiting: story.waiting.size,
    most: story.most === undefined ? undefined : { ...moment(story.most), depth: story.most.depth },
    interval_ns: story.depth.width,
    depth: story.depth.upTo(end),
    longest: story.longest.items.map((one) => ({
      ...moment(one),
      volume: roster.volumeName(one.volume),
      host: roster.sessionName(one.session) ?? '',
      request: one.request,
      ...{
        op: one.op,
        offset: one.offset,
        length: one.length,
        waited_ns: one.ns,
        end: one.end,
        code: one.code,
      },
    })),
  }
}

function overAllText(said: Awaited<ReturnType<typeof overAll>>): string {
  const parts = [
    queueText('held until the end of a backup', said.hold),
    queueText('queued for the copy of an extent', said.copy),
    ...(said.far === undefined ? [] : [queueText('forwarded to a far server', said.far)]),
  ]
  const rows = said.refused.map(({ code, count, first, last }) => {
    return [code, String(count), `${first.seq}`, first.instant, `${last.seq}`]
  })
  if (rows.length === 0) parts.push('no request was refused')
  else parts.push(table([['refused', 'requests', 'first', '', 'last'], ...rows], [1, 2, 4]))
  return parts.join('\n\n')
}

function queueText(title: string, record: ReturnType<typeof queueRecord>): string {
  const { waited, ended, still_waiting, most, depth, interval_ns, longest } = record
  if (waited === undefined && still_waiting === 0) return `${title}: nothing ever`
  const facts = [
    ['waited', spreadText(waited)],
    [
      'ended',
      Object.entries(ended)
        .map(([how, count]) => `${how} ${count}`)
        .join(', '),
    ],
    ['depth', `${sparkline(depth)}  every ${formatDuration(interval_ns)}`],
  ]
  if (most !== undefined) facts.push(['', `${most.depth} at most`])
  if (still_waiting > 0) facts.push(['waiting', `${still_waiting} when the record ends`])
  const rows = longest.map((one) => [
    ...[String(one.seq), one.volume, one.host, one.op, `${one.offset}+${one.length}`],
    formatDuration(one.waited_ns),
    one.code === 'ok' ? one.end : `${one.end} ${one.code}`,
  ])
  const list = table(
    [['event', 'volume', 'host', '', 'range', 'waited', 'ended'], ...rows.map((row) => row.map(escaped))],
    [0, 5],
  )
  return `${title}\n${table(facts)}\n\nlongest\n${list}`
}

function spreadText(spread: SpreadRecord | undefined): string {
  if (spread === undefined) return 'nothing yet'
  const [p50, p99, max] = [spread.p50_ns, spread.p99_ns, spread.max_ns].map(formatDuration)
  return `${spread.count} requests: p50 ${p50}, p99 ${p99}, longest ${max}`
}
