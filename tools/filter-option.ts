/**
 * The filters that the questions of `inspect` share: when, which volume, which host, which kinds of events.
 *
 *     --from, --to, --volume, --host, --kind ─▶ scope: numbers of events, volumes and sessions ─▶ witnesses
 */

import type { Command } from 'commander'
import { kindsOf, seqOrPoint } from '../src/control/stream-routes.ts'
import { BlockboxError } from '../src/core/errors.ts'
import type { OpenFolder } from '../src/engine/open-folder.ts'
import { Roster, RosterKeeper } from '../src/inspect/roster.ts'
import { Scope } from '../src/inspect/scope.ts'
import { observe } from '../src/replay/observe.ts'
import { seqOf } from '../src/replay/point.ts'
import { interrupt } from './interrupt.ts'
import { remarkOutside } from './outside-time.ts'

/** What was asked to be left out of an answer, on a command line. */
export interface FilterOptions {
  readonly from?: string
  readonly to?: string
  readonly volume?: string
  readonly host?: string
  /** Kinds of events, or what they begin with. */
  readonly kind?: readonly string[]
}

/** How a question reads the filters, where it is not about requests alone. */
export interface FilterWords {
  readonly volume?: string
  readonly host?: string
  /** Left out where the question has kinds of its own. */
  readonly kind?: string | false
  /** False where the question names its volume. */
  readonly hasVolume?: boolean
}

/** Adds the options to a command. */
export function filterOptions(command: Command, words: FilterWords = {}): Command {
  const { volume = 'only requests of this volume', host = 'only requests of this host', kind } = words
  command
    .option(
      '--from <point>',
      'only from here on: the number of an event, time:ISO, mark:LABEL or backup:NAME',
    )
    .option('--to <point>', 'only up to here, likewise')
  if (words.hasVolume !== false) command.option('--volume <name>', volume)
  command.option('--host <name>', host)
  if (kind === false) return command
  const said = 'only this kind, or all that begin so: io.write, io., hold; may be repeated'
  return command.option('--kind <kind>', kind ?? said, kindsNamed)
}

/** A word that names kinds, added to those before. Throws USAGE. */
function kindsNamed(word: string, before: readonly string[] = []): readonly string[] {
  kindsOf([word])
  return [...before, word]
}

/** Whether any filter was given. */
export function isFiltered({ from, to, volume, host, kind }: FilterOptions): boolean {
  return [from, to, volume, host, kind].some((one) => one !== undefined)
}

/**
 * The scope that the options choose, with the numbers behind the names, those of volumes and hosts that are gone as well.
 * Throws NO_SUCH_VOLUME, USAGE when nobody bears a name, NO_SUCH_POINT.
 */
export async function scopeOf(
  { journal }: OpenFolder,
  options: FilterOptions,
  known?: Roster,
): Promise<Scope> {
  const { from, to, volume, host, kind = [] } = options
  const kinds = kindsOf(kind)
  const at = async (text: string) => {
    const point = seqOrPoint(text)
    await remarkOutside(journal, point)
    return seqOf(journal, point, 0, interrupt)
  }
  const roster =
    known ?? (volume === undefined && host === undefined ? new Roster() : await rosterOf(journal))
  const begin = from === undefined ? undefined : await at(from)
  const end = to === undefined ? undefined : await at(to)
  if (begin !== undefined && end !== undefined && begin > end) {
    throw new BlockboxError('USAGE', `--from ${begin} is after --to ${end}`)
  }
  return new Scope({
    ...(volume !== undefined && { volumes: volumesNamed(roster, volume) }),
    ...(host !== undefined && { sessions: sessionsNamed(roster, host) }),
    ...(kinds !== undefined && { kinds: new Set(kinds) }),
    ...(begin !== undefined && { from: begin }),
    ...(end !== undefined && { to: end }),
  })
}

/** Everything that was ever named in the journal. */
export async function rosterOf(journal: OpenFolder['journal']): Promise<Roster> {
  const keeper = new RosterKeeper()
  await observe(journal, [keeper], { signal: interrupt })
  return keeper.roster
}

function volumesNamed({ entries }: Roster, name: string): number[] {
  const ids = entries.flatMap((entry) => (entry.is === 'volume' && entry.name === name ? [entry.id] : []))
  if (ids.length > 0) return ids
  throw new BlockboxError('NO_SUCH_VOLUME', `there is no volume "${name}": \`blockbox volume ls\` lists them`)
}

function sessionsNamed(roster: Roster, name: string): number[] {
  const sessions = roster.sessionsNamed(name)
  if (sessions.length > 0) return sessions
  const why = `no host "${name}" is on record`
  throw new BlockboxError('USAGE', `${why}: \`blockbox inspect session\` lists them`)
}
