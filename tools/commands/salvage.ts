/**
 * `blockbox salvage DAMAGED NEW`: a new journal of the part of a damaged one that verifies.
 *
 *     all of it kept ─▶ 0      something lost, and said what ─▶ 12
 */

import type { Command } from 'commander'
import { type Salvaged, salvage } from '../../src/replay/salvage.ts'
import { exitCodes } from '../exit-code.ts'
import { findingLine } from '../finding.ts'
import { escaped, print } from '../output.ts'

export function add(program: Command): void {
  program
    .command('salvage')
    .description('make a new journal of the part of a damaged one that verifies; the old one is not touched')
    .argument('<damaged>', 'the damaged journal')
    .argument('<new>', 'the journal to make; must not exist')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox salvage broken.journal good.journal\n')
    .action(async (damaged: string, made: string, options: { readonly json?: boolean }) => {
      const found = await salvage(damaged, made)
      if (found.fault !== undefined || isShort(found)) process.exitCode = exitCodes.verification
      await print(
        options.json === true ? JSON.stringify(plain(found)) : lines(found, made).map(escaped).join('\n'),
      )
    })
}

/** True when the head knew of more events than there are. */
function isShort({ durable, last }: Salvaged): boolean {
  return durable !== undefined && durable > last
}

function lines(found: Salvaged, made: string): string[] {
  const { first, last, frames, head, fault, durable, behind, unlisted } = found
  const some = `events ${first} to ${last} in ${frames} frames verify and are kept in ${made}`
  const kept = last < first ? `no event verifies: ${made} is empty` : some
  const lost = isShort(found) ? [`lost: events ${last + 1} to ${durable}, which were durable`] : []
  const unknown =
    durable === undefined ? ['the head file is gone or damaged: how many events are lost cannot be told'] : []
  return [
    kept,
    `head   ${head.hash}@${head.seq}`,
    ...(fault === undefined ? [] : [findingLine(fault)]),
    ...lost,
    ...unknown,
    ...(behind > 0 ? [behindLine(behind, fault?.rule === 'PAYLOAD_CORRUPT')] : []),
    ...(unlisted ? ["the database's own list of its tables is lost: all that are there were read"] : []),
  ]
}

function behindLine(frames: number, onlyPayload: boolean): string {
  const whole = `${frames} frames behind the fault look whole and are not kept`
  return onlyPayload
    ? `${whole}, for without that payload a volume is not what it was: read them in the damaged journal`
    : `${whole}: nothing ties them to what is`
}

function plain({
  first,
  last,
  frames,
  head,
  fault = null,
  durable = null,
  behind,
  unlisted,
}: Omit<Salvaged, 'fault' | 'durable'> & {
  fault?: Salvaged['fault'] | null
  durable?: number | null | undefined
}) {
  return { version: 1, first, last, frames, head, fault, durable, frames_behind: behind, unlisted }
}
