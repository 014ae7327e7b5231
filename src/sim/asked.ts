/**
 * What was asked, held against what is on record and what was answered: nobody's request may be recorded as another one,
 * left out, or answered otherwise than the record says.
 *
 *     ask ──────────────▶ answer, with the sequence number of its input
 *      ║ asked             ║ answered
 *     input ─▶ outcomes ─▶ the code it ended with, what it made
 *
 *     asked      the input has the kind, session, request, volume, range, flags and detail of the ask; the digest is that
 *                of the bytes that came with a command
 *     answered   the code is that of the input where it passed or was refused at once, of the outcome that ended it
 *                otherwise; what was made, and what was repeated, is what the outcomes say
 */

import type { Check, MakeCheck } from '../check/check.ts'
import { sha256, shortHigh, shortLow } from '../core/digest.ts'
import type { Answer, Ask, CommandAsk, IoAsk } from '../engine/ask.ts'
import type { Code } from '../events/code.ts'
import type { Event } from '../events/columns.ts'
import { count, type Detail, noDetail } from '../events/detail.ts'
import { isInput } from '../events/kind.ts'
import { madeBy } from '../events/made.ts'
import type { World } from '../layers/layer.ts'
import { baseOf, reached } from '../layers/preserve-state.ts'

/** Codes of asks that were turned away without an event. */
const unrecorded: readonly Code[] = ['E_QUEUE_FULL', 'E_AGAIN']

const numbers = ['session', 'request', 'flags', 'offset', 'length', 'tag', 'about'] as const

type Numbers = Readonly<Record<(typeof numbers)[number], number>>

/** An input as recorded, and what became of it. */
interface Recorded extends Numbers {
  readonly kind: string
  readonly volume: number
  /** By which numbers the session could have named the volume. */
  readonly names: readonly number[]
  readonly detail: Detail
  readonly digestHigh: number
  readonly digestLow: number
  /** What must be answered; undefined as long as nothing ended it. */
  code: Code | undefined
  made: number
  repeats: number | undefined
}

interface Answered {
  readonly ask: Ask
  readonly answer: Answer
}

export class Asked {
  readonly #inputs = new Map<number, Recorded>()
  /** Answers that came before their events were durable. */
  #early: Answered[] = []
  #current: Recorded | undefined
  #names: readonly number[] = []
  #seq = 0
  /** The last event of the process before. */
  #before = 0
  #report: Parameters<MakeCheck>[0] = () => undefined

  /** The record's side, as a check of a history. */
  readonly check: MakeCheck = (report): Check => {
    this.#report = report
    return {
      rules: ['asked', 'answered'],
      before: (event, world) => {
        if (event.op !== 'none' && isInput(event.kind)) this.#names = namesOf(event, world)
      },
      after: (event) => {
        this.#seq = event.seq
        if (isInput(event.kind)) this.#entered(event)
        else this.#outcome(event)
      },
    }
  }

  /** Somebody was answered: at once compared, or when the event is durable. */
  answered(ask: Ask, answer: Answer): void {
    const { seq, code } = answer
    if (seq > this.#seq) this.#early.push({ ask, answer })
    else if (seq > this.#before) this.#compare(ask, answer)
    else if (seq === 0 && !unrecorded.includes(code)) {
      this.#find('answered', this.#seq, `${ask.kind} is answered ${code} and is on no record`)
    }
  }

  /** A frame is through: what was answered before it can be compared. */
  framed(): void {
    if (this.#early.length === 0) return
    const waiting = this.#early
    this.#early = []
    for (const { ask, answer } of waiting) this.answered(ask, answer)
  }

  /** The process is gone, and whoever waited with it. */
  crashed(): void {
    this.#inputs.clear()
    this.#early = []
    this.#before = this.#seq
  }

  #entered(event: Event): void {
    const { kind, volume, session, request, flags, offset, length, tag, about } = event
    const { detail, digestHigh, digestLow, op, fate } = event
    const isHost = op !== 'none'
    const ended = !isHost || fate === 'passed' || fate === 'refused'
    this.#current = {
      ...{ kind, volume, session, request, flags, offset, length, tag, about, detail, digestHigh, digestLow },
      names: isHost ? this.#names : [volume],
      code: ended ? (isHost ? event.code : 'ok') : undefined,
      made: 0,
      repeats: undefined,
    }
    this.#inputs.set(event.seq, this.#current)
  }

  #outcome(event: Event): void {
    const { kind, fate, code, about, detail } = event
    const current = this.#current
    switch (kind) {
      case 'command.refused':
        if (current !== undefined) current.code = code
        return
      case 'command.repeated':
        if (current === undefined) return
        current.repeats = about
        current.made = count(detail, 'made')
        return
      case 'hold.released':
      case 'cod.released':
      case 'tap.released':
        if (fate === 'passed' || fate === 'refused') this.#ended(about, code)
        return
      case 'hold.dropped':
      case 'hold.failed':
      case 'io.failed':
      case 'io.lost':
        return this.#ended(about, code)
      default: {
        const made = madeBy(event)
        if (made > 0 && current !== undefined) current.made = made
      }
    }
  }

  #ended(input: number, code: Code): void {
    const recorded = this.#inputs.get(input)
    if (recorded !== undefined) recorded.code = code
  }

  #compare(ask: Ask, answer: Answer): void {
    const { seq } = answer
    const recorded = this.#inputs.get(seq)
    if (recorded === undefined) {
      return this.#find(
        'answered',
        seq,
        `${ask.kind} is answered with event ${seq}, which is no input of its own`,
      )
    }
    this.#inputs.delete(seq)
    const wrong = differs(ask, recorded)
    if (wrong !== undefined) this.#find('asked', seq, `${ask.kind} ${seq} is on record ${wrong}`)
    const { code, made, repeats } = recorded
    const told = `${answer.code}, made ${answer.made}, repeats ${answer.repeats ?? 0}`
    const due = `${code ?? 'nothing yet'}, made ${made}, repeats ${repeats ?? 0}`
    if (told !== due)
      this.#find('answered', seq, `${ask.kind} ${seq} is answered ${told}; on record is ${due}`)
  }

  #find(rule: string, seq: number, detail: string): void {
    this.#report({ seq, rule, detail })
  }
}

/** By which numbers a session can have named the volume that its request reached. */
function namesOf({ session, volume }: Event, world: World): number[] {
  return [...new Set([volume, baseOf(world, volume)])].filter(
    (name) => reached(world, session, name) === volume,
  )
}

/** In what a recorded input is not what was asked; undefined when it is. */
function differs(ask: Ask, recorded: Recorded): string | undefined {
  if (ask.kind !== recorded.kind) return `as ${recorded.kind}`
  const { volume = 0 } = ask
  if (!recorded.names.includes(volume)) return `for volume ${recorded.volume}, asked of ${volume}`
  const asked = isHost(ask) ? hostNumbers(ask) : commandNumbers(ask)
  for (const name of numbers) {
    if (asked[name] !== recorded[name]) return `with ${name} ${recorded[name]}, asked ${asked[name]}`
  }
  return isHost(ask) ? undefined : commandDiffers(ask, recorded)
}

function isHost(ask: Ask): ask is IoAsk {
  return ask.kind.startsWith('io.')
}

function hostNumbers({
  kind,
  session,
  request = 0,
  flags = 0,
  offset = 0,
  length = 0,
  data,
}: IoAsk): Numbers {
  const none = { session, request, flags, offset: 0, length: 0, tag: 0, about: 0 }
  return kind === 'io.flush' ? none : { ...none, offset, length: data?.length ?? length }
}

function commandNumbers(ask: CommandAsk): Numbers {
  const { session = 0, request = 0, tag = 0, offset = 0, length = 0, about = 0, data } = ask
  return { session, request, flags: 0, offset, length: data?.length ?? length, tag, about }
}

function commandDiffers(
  { detail = noDetail, key, data }: CommandAsk,
  recorded: Recorded,
): string | undefined {
  const asked = plain(key === undefined ? detail : { ...detail, key })
  const found = plain(recorded.detail)
  if (asked !== found) return `with ${found}, asked ${asked}`
  if (data === undefined) return undefined
  const digest = sha256(data)
  const same = shortHigh(digest) === recorded.digestHigh && shortLow(digest) === recorded.digestLow
  return same ? undefined : 'with the digest of other bytes'
}

function plain(detail: Detail): string {
  return JSON.stringify(Object.entries(detail).sort(([a], [b]) => (a < b ? -1 : 1)))
}
