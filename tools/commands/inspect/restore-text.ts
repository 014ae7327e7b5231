/** The story of a restore in words and tables. */

import type { RestoreRecord } from '../../../src/inspect/restore-record.ts'
import type { SpreadRecord } from '../../../src/inspect/spread.ts'
import { formatDuration } from '../../duration.ts'
import { escaped, table } from '../../output.ts'
import { roughSize } from '../../rough-size.ts'
import { formatSize } from '../../size.ts'
import type { Proof } from './restore-proof.ts'

export function restoreText(record: RestoreRecord, proof: Proof | undefined): string {
  const { number, pair, source, clone, how } = record
  const kind = record.protected ? 'protected' : 'unprotected'
  const head = `restore ${number} of pair ${pair}: ${source} from ${clone}, ${kind}, ${how}`
  return [
    escaped(head),
    facts(record),
    waits(record),
    hosts(record),
    answered(record),
    turns(record),
    copies(record),
    proof === undefined ? '' : proofText(proof),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function facts(record: RestoreRecord): string {
  const { asked, started, ended, extents, clone_hash: clone, rate } = record
  const all = extents.copied_in_background + extents.copied_on_demand
  const failed = extents.copies_failed + extents.copies_abandoned
  const rows: string[][] = [
    ['asked', `event ${asked.seq}, ${asked.instant}, by ${asked.by}`],
    [
      'started',
      `event ${started.seq}, ${started.instant}${rate > 0 ? `, at most ${rate} copies a second` : ''}`,
    ],
  ]
  if (ended === undefined) rows.push(['ended', `not yet: ${extents.remaining} extents are still to copy`])
  else
    rows.push([
      'ended',
      `event ${ended.seq}, ${ended.instant}, ${record.how} after ${formatDuration(record.took_ns)}`,
    ])
  if (record.how === 'cancelled') rows.push(['', `${extents.remaining} extents show their old content again`])
  rows.push(
    [
      'extents',
      `${extents.all} of ${formatSize(record.extent_bytes)}; ${extents.differing} differed when it began`,
    ],
    [
      'copied',
      `${all}: ${extents.copied_in_background} in the background, ${extents.copied_on_demand} on demand`,
    ],
    ['not copied', `${extents.never_copied_overwritten}: a host wrote the whole extent first`],
    ['by hosts', `${extents.changed_by_hosts} extents written meanwhile`],
    ['copy time', spreadText(record.copy_time)],
  )
  if (extents.moved_bytes > 0)
    rows.push(['moved', `${roughSize(extents.moved_bytes)} from the clone outside`])
  if (failed > 0) {
    rows.push([
      'failed',
      `${extents.copies_failed} copies, ${extents.copies_abandoned} abandoned at a restart; tried again`,
    ])
  }
  const same = clone.unchanged
    ? `unchanged, ${clone.after}`
    : `changed, ${clone.before} before, ${clone.after} after`
  rows.push([
    'clone',
    clone.unchanged === null
      ? 'unknown: it is outside, and its digest is not on record'
      : `${same} (hash of its map)`,
  ])
  return table(rows.map((cells) => cells.map(escaped)))
}

function spreadText(spread: SpreadRecord | undefined): string {
  if (spread === undefined) return 'none'
  const [p50, p99, max] = [spread.p50_ns, spread.p99_ns, spread.max_ns].map(formatDuration)
  return `p50 ${p50}, p99 ${p99}, longest ${max}`
}

function waits({ waited, longest_waits: longest }: RestoreRecord): string {
  const ended = `failed ${waited.failed}, lost ${waited.lost}, refused ${waited.refused}`
  if (waited.reads === undefined && waited.writes === undefined) return `no request waited; ${ended}`
  const titles = ['waited for a copy', 'count', 'p50', 'p99', 'longest']
  const rows = (['reads', 'writes'] as const).map((name) => {
    const spread = waited[name]
    if (spread === undefined) return [name, '0', '-', '-', '-']
    return [name, String(spread.count), ...[spread.p50_ns, spread.p99_ns, spread.max_ns].map(formatDuration)]
  })
  const list = longest.map((wait) => [
    String(wait.seq),
    wait.host,
    wait.op,
    `${wait.offset}+${wait.length}`,
    formatDuration(wait.waited_ns),
    wait.end,
    wait.extent_count === 0 ? 'behind an older request' : extentsText(wait.extents, wait.extent_count),
  ])
  const head = ['event', 'host', '', 'range', 'waited', '', 'for extents']
  return [
    `${table([titles, ...rows], [1, 2, 3, 4])}\n${ended}`,
    `longest waits\n${table([head, ...list.map((row) => row.map(escaped))], [0, 4])}`,
  ].join('\n\n')
}

function extentsText(extents: readonly number[], count: number): string {
  const more = count > extents.length ? ` and ${count - extents.length} more` : ''
  return `${extents.join(', ')}${more}`
}

function hosts({ hosts: all }: RestoreRecord): string {
  if (all.length === 0) return 'no host used the source meanwhile'
  const titles = ['host', 'session', 'reads', '', 'writes', '', 'waited', 'copies demanded', 'refused']
  const rows = all.map((host) => [
    host.name,
    String(host.session),
    ...[String(host.reads), roughSize(host.read_bytes), String(host.writes), roughSize(host.written_bytes)],
    ...[host.queued, host.copies_demanded, host.refused].map(String),
  ])
  return table([titles, ...rows.map((row) => row.map(escaped))], [1, 2, 3, 4, 5, 6, 7, 8])
}

function answered({ read_bytes_answered: bytes }: RestoreRecord): string {
  const rows = [
    ['reads of the source were answered', ''],
    ['  from extents copied by then', roughSize(bytes.from_extents_copied_by_then)],
    ['  from extents that hosts had written', roughSize(bytes.from_extents_hosts_had_written)],
    ['  from extents that never differed', roughSize(bytes.from_extents_that_never_differed)],
  ]
  if (bytes.reads_of_the_clone > 0) rows.push(['reads of the clone itself', String(bytes.reads_of_the_clone)])
  if (bytes.reads_of_views > 0) rows.push(['reads of views of the source', String(bytes.reads_of_views)])
  return table(rows, [1])
}

function turns({ turns: all }: RestoreRecord): string {
  if (all.length === 0) return ''
  const rows = all.map(({ seq, instant, what, remaining }) => [String(seq), instant, what, String(remaining)])
  return table([['event', 'instant', 'turn', 'extents to copy'], ...rows], [0, 3])
}

function copies({ copies: all }: RestoreRecord): string {
  if (all.length === 0) return ''
  const rows = all.map(({ extent, seq, instant, demanded_by, took_ns, code }) => [
    String(extent),
    String(seq),
    instant,
    formatDuration(took_ns),
    demanded_by === 0 ? 'background' : `demanded by event ${demanded_by}`,
    code === 'ok' ? '' : code,
  ])
  return table([['extent', 'event', 'started', 'took', 'cause', ''], ...rows], [0, 1, 3])
}

function proofText(proof: Proof): string {
  const { clone_before, clone_after, source_before, source_after, outside } = proof
  const rows = [['SHA-256 of the content', '']]
  if (clone_before !== undefined) rows.push(['clone before', clone_before])
  if (clone_after !== undefined) {
    rows.push(['clone after', clone_before === clone_after ? `${clone_after}  the same` : clone_after])
  }
  if (source_before !== undefined) rows.push(['source before', source_before])
  if (source_after !== undefined) rows.push(['source after', source_after])
  if (outside !== undefined) {
    const said = outside.findings.length === 0 ? 'are what was read then' : 'compared:'
    rows.push(['clone outside', `${outside.extents} extents, ${roughSize(outside.bytes)}, ${said}`])
    for (const finding of outside.findings) rows.push(['', finding])
  }
  return table(rows.map((row) => row.map(escaped)))
}
