/**
 * Recovery: a state from the journal alone, then a new epoch, then the end of what waited when the process went.
 *
 *     newest checkpoint ─▶ fold the frames behind it ─▶ epoch frame ─▶ engine.recover ─▶ hosts may come (G-I7)
 */

import { BlockboxError } from '../core/errors.ts'
import { lanesText } from '../core/lanes.ts'
import { Columns } from '../events/columns.ts'
import { checkRows, type Frame } from '../journal/frame.ts'
import type { Journal } from '../journal/journal.ts'
import { nearestWorld, unfoldable } from '../journal/state.ts'
import type { World } from '../layers/layer.ts'
import { foldFrame, isEpoch, stateHash } from '../volume/snapshot.ts'
import { Engine, type EngineOptions } from './engine.ts'

/** Opens an engine on a journal: recovers, takes the journal over as `writer`, ends what waited. */
export async function openEngine(options: EngineOptions, writer = 'blockbox'): Promise<Engine> {
  const { journal, clock } = options
  const world = await recoverWorld(journal)
  const own = await journal.openWriter(writer, clock.nowNs())
  const columns = new Columns()
  for await (const frame of journal.read(world.seq + 1)) foldChecked(world, frame, columns)
  const engine = new Engine(options, own, world, recoverWorld)
  await engine.submit({ kind: 'engine.recover' })
  engine.recovered()
  return engine
}

/** The state after the last durable frame. Throws JOURNAL_CORRUPT when a recorded state hash does not come out. */
export async function recoverWorld(journal: Journal): Promise<World> {
  const { first, last } = journal.bounds()
  const world = await nearestWorld(journal, last)
  if (world.seq + 1 < first) {
    throw new BlockboxError(
      'JOURNAL_CORRUPT',
      `no checkpoint leads to event ${first}, where the journal begins: the state before it is lost`,
      { seq: first },
    )
  }
  const columns = new Columns()
  for await (const frame of journal.read(world.seq + 1)) foldChecked(world, frame, columns)
  return world
}

function foldChecked(world: World, frame: Frame, columns: Columns): void {
  const row = frame.open(columns)
  checkRows(frame, row)
  try {
    foldFrame(world, row)
  } catch (error) {
    throw unfoldable(world, error)
  }
  const { low, high } = stateHash(world)
  if (isEpoch(row) || (low === frame.stateLow && high === frame.stateHigh)) return
  throw new BlockboxError(
    'JOURNAL_CORRUPT',
    `the state after event ${frame.last} is ${lanesText(low, high)}, not as recorded: run \`blockbox replay\``,
    { seq: frame.first },
  )
}
