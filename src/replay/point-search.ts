/**
 * How a point of a journal is found that people name by a time, a mark, a backup or an event of a trace: told all events
 * in order, a search answers as soon as it can, or at the end. What is not the point of this volume is refused, and
 * what two hosts could mean is not guessed.
 */

import { BlockboxError } from '../core/errors.ts'
import type { Row } from '../events/columns.ts'
import { counts, text, textOr } from '../events/detail.ts'
import { isInput } from '../events/kind.ts'
import type { Frame } from '../journal/frame.ts'
import { wasMade } from './marks.ts'

export interface Search {
  /** The sequence number searched for, once it is known for certain. */
  see(event: Row, frame: Frame): number | undefined
  /** What it is when the last event was seen. Throws NO_SUCH_POINT. */
  end(last: number): number
}

/** So many names are told when another was not found. */
const mostTold = 20

/** The names there are of something, for who asked for one that is not there. */
function told(what: string, names: ReadonlySet<string>): string {
  if (names.size === 0) return `; it has no ${what}`
  return `; its ${what}s are ${listed([...names])}`
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, mostTold).join(', ')}${names.length > mostTold ? ', ...' : ''}`
}

function missing(what: string): BlockboxError {
  return new BlockboxError('NO_SUCH_POINT', `the journal has no such point: ${what}`)
}

/** What volumes are called, as their events tell. */
class VolumeNames {
  readonly #names = new Map<number, string>()

  see({ kind, volume, detail }: Row): void {
    if (kind === 'volume.created' || kind === 'branch.started') this.#names.set(volume, text(detail, 'name'))
  }

  of(volume: number): string {
    return this.#names.get(volume) ?? `#${volume}`
  }
}

/** The event before the first one that is later; the last one when none is. */
export function byTime(atNs: bigint): Search {
  return {
    see: (event, frame) =>
      isInput(event.kind) && frame.instantNs + BigInt(event.at) > atNs ? event.seq - 1 : undefined,
    end: (last) => last,
  }
}

/** The newest mark of that label on the volume; when it has none, the newest that is on no volume. */
export function byMark(label: string, volume: number): Search {
  let here: number | undefined
  let general: number | undefined
  const elsewhere = new Set<number>()
  const known = new Set<string>()
  const names = new VolumeNames()
  return {
    see(event, frame) {
      names.see(event)
      if (event.kind !== 'mark' || !wasMade(event, frame.count)) return undefined
      const found = text(event.detail, 'label')
      if (found !== label) {
        if (known.size <= mostTold) known.add(found)
      } else if (event.volume === volume || volume === 0) here = event.seq
      else if (event.volume === 0) general = event.seq
      else elsewhere.add(event.volume)
      return undefined
    },
    end() {
      const found = here ?? general
      if (found !== undefined) return found
      if (elsewhere.size === 0) throw missing(`mark ${label}${told('mark', known)}`)
      const others = listed([...elsewhere].map((id) => names.of(id)))
      throw missing(`mark ${label} of volume ${names.of(volume)}; there is one of ${others}: take its seq:N`)
    },
  }
}

interface BackupRun {
  readonly covers: readonly number[]
  /** Its point in time; 0 before it. */
  seq: number
  /** How it broke, for a sentence. */
  broken?: string
}

/** The newest run of that backup which covers the volume, fixed its point in time and was not broken. */
export function byBackup(name: string, volume: number): Search {
  const runs = new Map<number, BackupRun>()
  const known = new Set<string>()
  const names = new VolumeNames()
  return {
    see(event) {
      names.see(event)
      if (event.kind === 'backup.flag_set') {
        const found = text(event.detail, 'name')
        if (found === name) runs.set(event.tag, { covers: counts(event.detail, 'volumes'), seq: 0 })
        else if (known.size <= mostTold) known.add(found)
        return undefined
      }
      const run = event.kind.startsWith('backup.') ? runs.get(event.tag) : undefined
      if (run === undefined) return undefined
      if (event.kind === 'backup.started') run.seq = event.seq
      else if (event.kind === 'backup.expired') run.broken = `expired at event ${event.seq}`
      else if (event.kind === 'backup.aborted')
        run.broken = `was aborted at event ${event.seq}, ${event.code}`
      return undefined
    },
    end() {
      const all = [...runs.values()]
      const covering = all.filter(({ covers }) => volume === 0 || covers.includes(volume))
      const sound = covering.findLast(({ seq, broken }) => seq > 0 && broken === undefined)
      if (sound !== undefined) return sound.seq
      if (all.length === 0) throw missing(`a backup ${name}${told('other backup', known)}`)
      const last = covering.at(-1)
      if (last === undefined) {
        const covered = listed([...new Set(all.flatMap(({ covers }) => covers))].map((id) => names.of(id)))
        throw missing(`backup ${name} did not cover volume ${names.of(volume)}; it covered ${covered}`)
      }
      const why = last.broken ?? 'has not reached it yet'
      const which = covering.length > 1 ? `none of its ${covering.length} runs did; the last one` : 'it'
      throw missing(`a backup ${name} that reached its point in time and was not broken; ${which} ${why}`)
    },
  }
}

/**
 * The end of the entry of the K-th event of the trace that was recorded into the volume. An event that asks a volume for
 * nothing left no request: then the end of what came before the next one. Who played a trace opened its session in a
 * run; what hosts ask for otherwise, over NBD say, is no trace. Of two traces neither is taken.
 */
export function bySource(number: number, volume: number): Search {
  const players = new Map<number, string>()
  const played: number[] = []
  const names = new VolumeNames()
  let runs = false
  let seen = 0
  let lastOfEntry = 0
  let found: number | undefined

  const seeRun = ({ kind, session, detail }: Row) => {
    if (kind === 'run.begin') runs = true
    else if (kind === 'run.end' || kind === 'engine.started') runs = false
    else if (kind === 'session.opened' && runs) players.set(session, textOr(detail, 'name', '?'))
  }
  const seeRequest = (event: Row) => {
    const { seq, session, request } = event
    if (event.volume !== volume || request === 0 || !isInput(event.kind) || !players.has(session)) return
    if (!played.includes(session)) {
      played.push(session)
      if (number === 0) found ??= seq - 1
    }
    if (found !== undefined || session !== played[0] || request <= seen) return
    if (request > number) found = seq - 1
    else if (request === number) lastOfEntry = seq
    seen = request
  }
  return {
    see(event) {
      names.see(event)
      seeRun(event)
      if (lastOfEntry > 0 && found === undefined) {
        if (isInput(event.kind)) found = lastOfEntry
        else lastOfEntry = event.seq
      }
      seeRequest(event)
      return undefined
    },
    end() {
      const what = `event ${number} of the recorded trace`
      const into = `into volume ${names.of(volume)}`
      if (volume === 0) throw missing(`${what}: of which volume?`)
      if (played.length === 0) throw missing(`${what}: none was recorded ${into}; take seq:N`)
      if (played.length > 1) {
        const hosts = listed(played.map((session) => `${players.get(session)} (session ${session})`))
        const choice = 'take the seq:N of the event you mean, as `blockbox log` lists it'
        throw missing(`${what}: ${hosts} all played one ${into}; ${choice}`)
      }
      const at = found ?? (lastOfEntry > 0 ? lastOfEntry : undefined)
      if (at === undefined) throw missing(`${what}, the last one is ${seen}`)
      return at
    },
  }
}
