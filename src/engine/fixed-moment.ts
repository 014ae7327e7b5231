/**
 * The moment that a backup fixes: the event after which everything it covers is still. A backup that only needs the
 * moment is stopped right then, for the record can show the volumes as they were at any time later.
 *
 *     backup.start ─▶ flag set ─▶ writes under way drain ─▶ backup.started: the moment
 *                                 └── deadline, a full queue ──▶ backup.aborted, backup.expired: there is none
 */

import type { Subscription } from 'rxjs'
import { BlockboxError } from '../core/errors.ts'
import type { Code } from '../events/code.ts'
import { Columns } from '../events/columns.ts'
import type { Detail } from '../events/detail.ts'
import type { Frame } from '../journal/frame.ts'
import type { Answer } from './ask.ts'
import type { Engine } from './engine.ts'

export interface FixedMoment {
  /** The backup, by its number. */
  readonly tag: number
  /** Sequence number of its backup.started. */
  readonly seq: number
}

/** How a backup came to the point where its moment is, or is not, fixed. */
type Turn = { readonly seq: number } | { readonly code: Code }

/**
 * Starts a backup and waits for its moment. Gives the answer alone when the command is refused. Throws STALLED when the
 * backup ends before it had a moment, and what ends the engine.
 *
 * @param detail that of backup.start
 */
export async function fixMoment(
  engine: Engine,
  detail: Detail,
  key?: string,
): Promise<{ readonly answer: Answer; readonly moment: FixedMoment | undefined }> {
  const turns = new Map<number, Turn>()
  let seen: () => void = () => undefined
  let failed: (error: Error) => void = () => undefined
  let watching: Subscription | undefined
  const ended = new Promise<never>((_, reject) => {
    failed = reject
  })
  ended.catch(() => undefined)
  try {
    watching = engine.frames$.subscribe({
      next: (frame) => {
        note(frame, turns)
        seen()
      },
      error: (error: Error) => failed(error),
      complete: () => failed(new BlockboxError('ENGINE_STOPPED', 'the engine has stopped')),
    })
    const answer = await engine.submit({ kind: 'backup.start', detail, ...(key !== undefined && { key }) })
    if (answer.code !== 'ok' || answer.repeats !== undefined) return { answer, moment: undefined }
    for (;;) {
      const turn = turns.get(answer.made)
      if (turn !== undefined && 'seq' in turn) return { answer, moment: { tag: answer.made, seq: turn.seq } }
      if (turn !== undefined) {
        const why = `the backup ended with ${turn.code} before what was under way had drained: try again`
        throw new BlockboxError('STALLED', why)
      }
      const next = new Promise<void>((resolve) => {
        seen = resolve
      })
      await Promise.race([next, ended])
    }
  } finally {
    watching?.unsubscribe()
  }
}

function note(frame: Frame, turns: Map<number, Turn>): void {
  const row = frame.open(new Columns())
  for (row.index = 0; row.index < frame.count; row.index++) {
    const { kind, tag, seq, code } = row
    if (kind === 'backup.started') turns.set(tag, { seq })
    else if (kind === 'backup.aborted') turns.set(tag, { code })
    else if (kind === 'backup.expired') turns.set(tag, { code: 'E_DEADLINE' })
  }
}
