/** What the commands of `inspect` share: a journal looked at with witnesses, progress shown, names learnt. */

import type { OpenFolder } from '../src/engine/open-folder.ts'
import { type Roster, RosterKeeper } from '../src/inspect/roster.ts'
import type { Witness } from '../src/inspect/witness.ts'
import { type Observed, observe } from '../src/replay/observe.ts'
import { interrupt } from './interrupt.ts'
import { showProgress } from './remark.ts'

export interface Inspection extends Observed {
  readonly roster: Roster
}

/** Tells the witnesses of all events up to `to`, folding them; knows who took part. */
export async function inspected(
  { journal }: OpenFolder,
  witnesses: readonly Witness[],
  to?: number,
): Promise<Inspection> {
  const keeper = new RosterKeeper()
  const { last } = journal.bounds()
  const observed = await observe(journal, [keeper, ...witnesses], {
    ...(to !== undefined && { to }),
    signal: interrupt,
    onProgress: (seq) => showProgress(() => `event ${seq} of ${Math.min(to ?? last, last)}`),
  })
  return { ...observed, roster: keeper.roster }
}
