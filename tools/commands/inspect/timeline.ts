/** `blockbox inspect timeline`: what lasted and how it ended, what happened, and how busy the hosts were. */

import { type Command, Option } from 'commander'
import { isoNs } from '../../../src/inspect/event-record.ts'
import { Names } from '../../../src/inspect/names.ts'
import { type SpanKind, spanKinds } from '../../../src/inspect/span-kind.ts'
import { type Point, type Span, Timeline } from '../../../src/inspect/timeline.ts'
import type { Moment } from '../../../src/inspect/witness.ts'
import { nearestWorld } from '../../../src/journal/state.ts'
import { observe } from '../../../src/replay/observe.ts'
import { formatDuration } from '../../duration.ts'
import { type FilterOptions, filterOptions, scopeOf } from '../../filter-option.ts'
import { interrupt } from '../../interrupt.ts'
import { type JournalOption, journalOption } from '../../journal-option.ts'
import { withJournal } from '../../journal-use.ts'
import { escaped, print, table } from '../../output.ts'
import { showProgress } from '../../remark.ts'
import { sparkline } from '../../sparkline.ts'

interface TimelineOptions extends JournalOption, FilterOptions {
  readonly kind?: readonly string[]
  readonly json?: boolean
}

export function addTimeline(inspect: Command): void {
  const kinds = [...spanKinds, 'mark', 'refused', 'crash', 'created', 'deleted']
  const command = journalOption(inspect.command('timeline')).description(
    'backups, restores, fences, views, sessions, crashes and marks, and how busy the hosts were',
  )
  filterOptions(command, {
    volume: 'only what is about this volume, and its requests',
    host: 'of the sessions and the requests, only those of this host',
    kind: false,
  })
    .addOption(new Option('--kind <kind...>', 'only these').choices(kinds))
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox inspect timeline -j nightly.journal\n' +
        '  blockbox inspect timeline --kind backup restore --from mark:before-restore -j nightly.journal\n',
    )
    .action(act)
}

async function act(options: TimelineOptions): Promise<void> {
  const { kind: _, ...when } = options
  const said = await withJournal(options, async (open) => {
    const { journal } = open
    const { first, last } = journal.bounds()
    const scope = await scopeOf(open, when)
    const from = Math.max(first, scope.from)
    const to = Math.min(last, scope.to)
    const timeline = new Timeline(new Names(await nearestWorld(journal, first - 1)), scope)
    const onProgress = (seq: number) => showProgress(() => `event ${seq} of ${last}`)
    const { originNs, end } = await observe(journal, [timeline], { to, signal: interrupt, onProgress })
    return recordOf(timeline, { from, to, originNs, end }, options)
  })
  await print(options.json === true ? JSON.stringify(said) : textOf(said))
}

interface Stretch {
  readonly from: number
  readonly to: number
  readonly originNs: bigint
  readonly end: number
}

function recordOf(timeline: Timeline, { from, to, originNs, end }: Stretch, options: TimelineOptions) {
  const { volume, host, kind } = options
  const moment = (one: Moment | undefined) =>
    one === undefined ? undefined : { seq: one.seq, instant: isoNs(originNs + BigInt(Math.round(one.at))) }
  const isOf = ({ volumes }: Span | Point) => volume === undefined || volumes.includes(volume)
  const isKind = (what: string) => kind === undefined || kind.includes(what)
  const isHost = ({ what, name }: Span) =>
    host === undefined || (what === 'session' && name.replace(/ \(\d+\)$/, '') === host)
  const spans = timeline.spans
    .filter((span) => isKind(span.what) && isOf(span) && isHost(span))
    .filter((span) => (span.end?.seq ?? Number.POSITIVE_INFINITY) >= from && (span.begin?.seq ?? 0) <= to)
    .map((span) => ({
      kind: span.what as SpanKind,
      name: span.name,
      volumes: span.volumes,
      begin: moment(span.begin),
      end: moment(span.end),
      took_ns: span.begin === undefined ? undefined : (span.end?.at ?? end) - span.begin.at,
      outcome: span.outcome,
      notes: span.notes,
    }))
  const points = timeline.points
    .filter((point) => point.seq >= from && point.seq <= to && isKind(point.what) && isOf(point))
    .filter(() => host === undefined)
    .map(({ what, name, volumes, ...one }) => ({ kind: what, name, volumes, ...moment(one)! }))
  const { reads, writes, waiting } = timeline
  const lasted = Math.max(0, end - timeline.begin)
  const counts = [reads, writes, waiting].map((series) => series.upTo(lasted)) as [
    number[],
    number[],
    number[],
  ]
  return {
    version: 1,
    from,
    to,
    begin: isoNs(originNs + BigInt(Math.round(timeline.begin))),
    end: isoNs(originNs + BigInt(Math.round(end))),
    spans,
    points,
    more_points: timeline.morePoints,
    requests: {
      interval_ns: reads.width,
      reads: counts[0],
      writes: counts[1],
      most_waiting: counts[2],
    },
  }
}

function textOf(said: ReturnType<typeof recordOf>): string {
  const { spans, points, requests, begin, end, more_points } = said
  const parts = [`events ${said.from} to ${said.to}, ${begin} to ${end}`]
  const rows = spans.map(({ kind, name, volumes, begin: began, end: ended, took_ns, outcome, notes }) => [
    kind,
    name,
    volumes.join(', '),
    began === undefined ? 'before' : String(began.seq),
    ended === undefined ? '' : String(ended.seq),
    began?.instant ?? '',
    formatDuration(took_ns),
    outcome,
    notes.join('; '),
  ])
  const titles = ['', 'name', 'volumes', 'from event', 'to', 'began', 'lasted', 'ended', '']
  if (rows.length > 0) parts.push(table([titles, ...rows.map((row) => row.map(escaped))], [3, 4, 6]))
  const moments = points.map(({ kind, name, volumes, seq, instant }) => [
    kind,
    name,
    volumes.join(', '),
    String(seq),
    instant,
  ])
  if (moments.length > 0) {
    parts.push(
      table([['', 'name', 'volume', 'event', 'instant'], ...moments.map((row) => row.map(escaped))], [3]),
    )
  }
  if (more_points > 0)
    parts.push(`${more_points} more points are not kept: choose with --from and --to in blockbox log`)
  const sum = (numbers: readonly number[]) => String(numbers.reduce((a, b) => a + b, 0))
  const most = (numbers: readonly number[]) => `${Math.max(0, ...numbers)} at most`
  parts.push(
    `every ${formatDuration(requests.interval_ns)} from ${begin}\n` +
      table([
        ['reads', sparkline(requests.reads), sum(requests.reads)],
        ['writes', sparkline(requests.writes), sum(requests.writes)],
        ['waiting', sparkline(requests.most_waiting), most(requests.most_waiting)],
      ]),
  )
  return parts.join('\n\n')
}
