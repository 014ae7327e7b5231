/** The story of a restore as plain values: instants for distances, names for numbers. Keys are those of printed JSON. */

import { isoNs } from './event-record.ts'
import type { RestoreStory } from './restore-story.ts'
import type { Roster } from './roster.ts'
import type { Moment } from './witness.ts'

/** @param originNs what the instants of the story count from. */
export function restoreRecord(story: RestoreStory, roster: Roster, originNs: bigint) {
  const { started, ended, how } = story
  const moment = ({ seq, at }: Moment) => ({ seq, instant: isoNs(originNs + BigInt(at)) })
  return {
    number: story.number,
    pair: story.pair,
    source: roster.volumeName(story.source),
    clone: story.clone > 0 ? roster.volumeName(story.clone) : story.path,
    clone_is_outside: story.clone === 0,
    protected: story.protected,
    how,
    asked: { ...moment(story.asked), by: roster.sessionName(story.asked.session) ?? 'a command' },
    started: moment(started),
    ...(ended !== undefined && { ended: moment(ended), took_ns: ended.at - started.at }),
    rate: story.rate,
    extent_bytes: story.extent,
    extents: {
      all: story.extents,
      differing: story.differing,
      copied_in_background: story.background,
      copied_on_demand: story.demand,
      never_copied_overwritten: story.overwritten,
      remaining: story.remaining,
      changed_by_hosts: story.changedByHosts,
      copies_failed: story.failed,
      copies_abandoned: story.abandoned,
      moved_bytes: story.movedBytes,
    },
    copy_time: story.copying.record(),
    clone_hash: cloneHash(story),
    waited: {
      reads: story.readWaits.record(),
      writes: story.writeWaits.record(),
      failed: story.failedRequests,
      lost: story.lost,
      refused: story.refused,
    },
    longest_waits: story.waits.items.map((wait) => ({
      ...moment(wait),
      host: roster.sessionName(wait.session) ?? '',
      request: wait.request,
      op: wait.op,
      offset: wait.offset,
      length: wait.length,
      waited_ns: wait.ns,
      end: wait.end,
      extent_count: wait.extentCount,
      extents: wait.extents,
    })),
    read_bytes_answered: {
      from_extents_copied_by_then: story.answered.copied,
      from_extents_hosts_had_written: story.answered.written,
      from_extents_that_never_differed: story.answered.same,
      reads_of_the_clone: story.cloneReads,
      reads_of_views: story.viewReads,
    },
    hosts: [...story.hosts].map(([session, host]) => ({
      session,
      name: host.name,
      reads: host.reads,
      read_bytes: host.readBytes,
      writes: host.writes,
      written_bytes: host.writtenBytes,
      queued: host.queued,
      copies_demanded: host.demanded,
      refused: host.refused,
    })),
    turns: story.turns.map((turn) => ({ ...moment(turn), what: turn.what, remaining: turn.remaining })),
    copies: story.copies.map(({ extent, demandedBy, ns, code, ...copy }) => ({
      extent,
      ...moment(copy),
      demanded_by: demandedBy,
      took_ns: ns,
      code,
    })),
  }
}

/** All null where nothing is on record that could differ: of a clone outside that was named without its digest. */
function cloneHash({ cloneBefore: before, cloneAfter: after }: RestoreStory) {
  if (before === '' || after === '') return { before: null, after: null, unchanged: null }
  return { before, after, unchanged: before === after }
}

export type RestoreRecord = ReturnType<typeof restoreRecord>
