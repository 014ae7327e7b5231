/**
 * Where a run anew parts from its recording: an exact diff (replay/diff.ts) of the two, told as a reader of a test wants
 * it: what led to the first difference, then both sides, field by field.
 */

import type { Names } from '../inspect/names.ts'
import type { Journal } from '../journal/journal.ts'
import { type Difference, diffRuns } from '../replay/diff.ts'
import { keptText, shownFields } from '../replay/difference-text.ts'
import { journalRun } from '../replay/journal-run.ts'
import type { KeptEvent } from '../replay/run-side.ts'

/** One field that is not the same on both sides, as it would be printed; undefined where a side has none. */
export interface FieldDifference {
  readonly field: string
  readonly recorded: string | undefined
  readonly now: string | undefined
}

export interface Divergence {
  /** The first sequence number at which the two part. */
  readonly seq: number
  /** What was compared: an event, what a frame says of itself, or the end. */
  readonly what: 'event' | 'frame' | 'end'
  /** The last events that both have, and the one of each side, as lines with names. */
  readonly before: readonly string[]
  readonly recorded: string | undefined
  readonly now: string | undefined
  readonly fields: readonly FieldDifference[]
}

/** The first difference of two journals; undefined when there is none. Hashes of frames are not compared. */
export async function firstDivergence(recorded: Journal, now: Journal): Promise<Divergence | undefined> {
  const [a, b] = [await journalRun(recorded, 'recorded'), await journalRun(now, 'now')]
  const { difference, before } = await diffRuns(a, b, { exact: true })
  return difference === undefined ? undefined : told(difference, before, { a: a.names, b: b.names })
}

function told(
  difference: Difference,
  before: readonly KeptEvent[],
  names: { readonly a: Names; readonly b: Names },
): Divergence {
  const { seq, what } = difference
  const [one, two] = [difference.a[0], difference.b[0]]
  const isFrame = what === 'frame' || what === 'state'
  return {
    seq,
    what: isFrame ? 'frame' : what,
    before: before.map((kept) => keptText(kept, names.a)),
    recorded: isFrame || one === undefined ? undefined : keptText(one, names.a),
    now: isFrame || two === undefined ? undefined : keptText(two, names.b),
    fields: shownFields(difference, names).map(({ field, a, b }) => ({ field, recorded: a, now: b })),
  }
}

/** The difference as lines for people: what led to it, then both sides, as a diff shows them. */
export function divergenceText({ seq, what, before, recorded, now, fields }: Divergence): string[] {
  const said = {
    event: `the runs part at event ${seq}`,
    frame: `the runs part in the frame that ends with event ${seq}`,
    end: now === undefined ? `the run ends before event ${seq}` : `the recording ends before event ${seq}`,
  }[what]
  return [
    `${said} (- recorded, + now):`,
    ...before.map((line) => `    ${line}`),
    ...(recorded === undefined ? [] : [`  - ${recorded}`]),
    ...(now === undefined ? [] : [`  + ${now}`]),
    ...fields.map((one) => `    ${one.field}: recorded ${one.recorded ?? 'none'}, now ${one.now ?? 'none'}`),
  ]
}
