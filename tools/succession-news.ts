/** What a server says on standard error when its engine fails, and when another one takes over. */

import type { News } from '../src/engine/succession.ts'
import { isoNs } from '../src/inspect/event-record.ts'

/** One line each. */
export function newsText(news: News): readonly string[] {
  if (news.what === 'recording') {
    const { takeover, remarks } = news
    const { seq, failedNs, atNs } = takeover
    const since = `it could not be recorded into from ${isoNs(failedNs)} to ${isoNs(atNs)}`
    return [...remarks, `the journal is recorded into again, behind event ${seq}: ${since}`]
  }
  const { what, reason, awaitsRoom } = news
  const said =
    what === 'failed' ? 'nothing is recorded any more' : 'the journal was opened anew and cannot be written'
  const next = awaitsRoom
    ? 'recording goes on by itself when there is room, or with `blockbox reopen`'
    : 'see to it, then `blockbox reopen`, or stop this and start it again'
  return [`${said}: ${reason.message}. Reads go on, of what is durable; ${next}`]
}
