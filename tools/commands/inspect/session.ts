/** `blockbox inspect session ID|NAME`: what a host did, how long it took, what was refused, how it left. */

import type { Command } from 'commander'
import { BlockboxError } from '../../../src/core/errors.ts'
import type { OpenFolder } from '../../../src/engine/open-folder.ts'
import { isoNs } from '../../../src/inspect/event-record.ts'
import { Names } from '../../../src/inspect/names.ts'
import type { Scope } from '../../../src/inspect/scope.ts'
import { SessionStory } from '../../../src/inspect/session-story.ts'
import type { SpreadRecord } from '../../../src/inspect/spread.ts'
import type { Moment, Witness } from '../../../src/inspect/witness.ts'
import { nearestWorld } from '../../../src/journal/state.ts'
import { observe } from '../../../src/replay/observe.ts'
import { formatDuration } from '../../duration.ts'
import { type FilterOptions, filterOptions, isFiltered, scopeOf } from '../../filter-option.ts'
import { interrupt } from '../../interrupt.ts'
import { type JournalOption, journalOption } from '../../journal-option.ts'
import { withJournal } from '../../journal-use.ts'
import { escaped, print, table } from '../../output.ts'
import { showProgress } from '../../remark.ts'
import { roughSize } from '../../rough-size.ts'

interface SessionOptions extends JournalOption, FilterOptions {
  readonly json?: boolean
}

export function addSession(inspect: Command): void {
  const command = journalOption(inspect.command('session'))
    .description('what a host did: requests, bytes, latencies, refusals, waits, how it left')
    .argument('[session]', 'its number, or the name of the host for all its sessions; without it: a list')
  filterOptions(command)
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox inspect session writer -j nightly.journal\n')
    .action(act)
}

/** Tells each session its story. */
class Sessions implements Witness {
  readonly stories = new Map<number, SessionStory>()
  readonly #scope: Scope

  /** @param scope the requests that are told. */
  constructor(scope: Scope) {
    this.#scope = scope
  }

  see(event: Parameters<NonNullable<Witness['see']>>[0], at: number): void {
    if (event.kind === 'engine.started') for (const story of this.stories.values()) story.see(event, at)
    else if (event.session > 0 && (event.op === 'none' || this.#scope.has(event)))
      this.#of(event.session).see(event, at)
  }

  durable(seq: number, at: number): void {
    for (const story of this.stories.values()) story.durable(seq, at)
  }

  #of(session: number): SessionStory {
    const story = this.stories.get(session) ?? new SessionStory(session)
    this.stories.set(session, story)
    return story
  }
}

async function act(asked: string | undefined, options: SessionOptions): Promise<void> {
  const { json = false } = options
  const said = await withJournal(options, (open) => tell(open, asked, options))
  if (json) return print(JSON.stringify({ version: 1, sessions: said }))
  if (asked === undefined) return print(listText(said))
  await print(said.map(storyText).join('\n\n'))
}

async function tell(open: OpenFolder, asked: string | undefined, options: FilterOptions) {
  const { journal } = open
  const { first, last } = journal.bounds()
  const sessions = new Sessions(await scopeOf(open, options))
  const before = await nearestWorld(journal, first - 1)
  const names = new Names(before)
  const namer: Witness = { see: (event) => void (event.op === 'none' && names.note(event)) }
  const onProgress = (seq: number) => showProgress(() => `event ${seq} of ${last}`)
  const { originNs } = await observe(journal, [namer, sessions], { signal: interrupt, onProgress })
  const named = [...sessions.stories].map(([id, story]) => {
    if (story.name === '') story.name = before.sessions.get(id) ?? ''
    return { id, story }
  })
  const isListed = ({ first }: SessionStory) => first !== undefined || !isFiltered(options)
  const chosen = named.filter(({ id, story }) =>
    asked === undefined ? isListed(story) : story.name === asked || String(id) === asked,
  )
  if (chosen.length === 0 && asked !== undefined) {
    const there = [...new Set(named.map(({ story }) => story.name))].slice(0, 20).join(', ')
    throw new BlockboxError('USAGE', `no session "${asked}" is on record: there are ${there || 'none'}`)
  }
  const moment = (one: Moment | undefined) =>
    one === undefined ? undefined : { seq: one.seq, instant: isoNs(originNs + BigInt(Math.round(one.at))) }
  return chosen.map(({ id, story }) => ({
    session: id,
    name: story.name,
    opened: moment(story.opened),
    closed: moment(story.closed),
    left: leftText(story),
    first: moment(story.first),
    last: moment(story.last),
    volumes: [...story.volumes].map(([volume, requests]) => ({ volume: names.volume(volume), requests })),
    operations: [...story.ops].map(([op, part]) => ({ op, ...part })),
    refused: Object.fromEntries(story.refusals),
    ended_without_effect: Object.fromEntries(story.ends),
    still_waiting: story.waiting,
    to_durable: story.toDurable.record(),
    held: story.held.record(),
    queued: story.queued.record(),
    forwarded: story.forwarded.record(),
    slowest: story.slowest.items.map(({ seq, at, op, offset, length, ns }) => ({
      ...moment({ seq, at })!,
      ...{ op, offset, length, took_ns: ns },
    })),
  }))
}

function leftText({ closed, cutOff }: SessionStory): string {
  if (closed !== undefined) {
    return `${closed.orderly ? 'closed in order' : 'closed'}${closed.code === 'ok' ? '' : ` ${closed.code}`}`
  }
  return cutOff === undefined ? 'open' : `cut off: the recorder began anew with event ${cutOff.seq}`
}

type Said = Awaited<ReturnType<typeof tell>>[number]

function listText(all: readonly Said[]): string {
  if (all.length === 0) return 'no such session is on record'
  const rows = all.map(({ session, name, opened, operations, to_durable, left }) => [
    String(session),
    name,
    opened?.instant ?? 'before',
    String(operations.reduce((sum, { count }) => sum + count, 0)),
    roughSize(operations.reduce((sum, { bytes }) => sum + bytes, 0)),
    formatDuration(to_durable?.p50_ns),
    formatDuration(to_durable?.p99_ns),
    left,
  ])
  const titles = ['', 'host', 'opened', 'requests', 'bytes', 'p50', 'p99', 'left']
  return table([titles, ...rows.map((row) => row.map(escaped))], [0, 3, 4, 5, 6])
}

function storyText(said: Said): string {
  const { session, name, opened, first, last, volumes, operations, left, still_waiting } = said
  const facts = [
    ['opened', opened === undefined ? 'before the record' : `event ${opened.seq}, ${opened.instant}`],
    ['left', said.closed === undefined ? left : `event ${said.closed.seq}, ${said.closed.instant}, ${left}`],
    ['requests', first === undefined ? 'none' : `events ${first.seq} to ${last!.seq}`],
    ['volumes', volumes.map(({ volume, requests }) => `${volume} (${requests})`).join(', ')],
  ]
  if (still_waiting > 0) facts.push(['waiting', `${still_waiting} requests, when the record ends`])
  const ops = operations.map((part) => [
    part.op,
    String(part.count),
    part.op === 'flush' ? '' : roughSize(part.bytes),
    ...[part.passed, part.held, part.queued, part.refused, part.ended].map(String),
  ])
  const parts = [
    escaped(`session ${session}, ${name}`),
    table(facts.map((row) => row.map(escaped))),
    table(
      [['', 'requests', 'bytes', 'at once', 'held', 'queued', 'refused', 'failed'], ...ops],
      [1, 2, 3, 4, 5, 6, 7],
    ),
    table(
      [
        ['', 'count', 'p50', 'p99', 'longest'],
        spreadRow('writes and flushes, until durable', said.to_durable),
        spreadRow('held by a backup', said.held),
        spreadRow('queued for a copy', said.queued),
        ...(said.forwarded === undefined ? [] : [spreadRow('answered by a far server', said.forwarded)]),
      ],
      [1, 2, 3, 4],
    ),
  ]
  const codes = [...Object.entries(said.refused), ...Object.entries(said.ended_without_effect)]
  if (codes.length > 0) {
    parts.push(
      table([['without effect', 'requests'], ...codes.map(([code, count]) => [code, String(count)])], [1]),
    )
  }
  const slow = said.slowest.map(({ seq, instant, op, offset, length, took_ns }) => [
    ...[String(seq), instant, op, op === 'flush' ? '' : `${offset}+${length}`, formatDuration(took_ns)],
  ])
  if (slow.length > 0)
    parts.push(`slowest\n${table([['event', 'submitted', '', 'range', 'took'], ...slow], [0, 4])}`)
  return parts.join('\n\n')
}

function spreadRow(name: string, spread: SpreadRecord | undefined): string[] {
  if (spread === undefined) return [name, '0', '-', '-', '-']
  const { count, p50_ns, p99_ns, max_ns } = spread
  return [name, String(count), ...[p50_ns, p99_ns, max_ns].map(formatDuration)]
}
