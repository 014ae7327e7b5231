/**
 * Harm: what a disk did to a journal, known from the disk itself, and what opening must say of it. Silence is a finding.
 *
 *     K   the end of the last frame on the disk that is whole      H   the last event that the head file knows
 *
 *     H > K                    opening refuses with K + 1: a lost tail, or damage where the frame behind K is torn or rotten;
 *                              or with a frame further behind that is torn
 *     another frame at H       opening refuses with its first event: it was replaced, or came back when a removal was lost
 *     no head that verifies    opening refuses with event 1
 *     else                     opening ends at K, and says so when a torn frame behind K is cut back
 *     a frame is misread       opening may refuse with its first event, or take it for torn and say that it cut it back
 *     a frame has rotted       the same, and audit.ts asks verify
 *     a read failed            opening may refuse with that as its reason, never with damage, and cuts back nothing for it
 *
 * So an event that somebody was told is durable can be gone only where a sync lied, or where the frame at the very end
 * was not what had been written: then whoever watches goes back to what is left.
 */

import { sameBytes } from '../core/digest.ts'
import { BlockboxError } from '../core/errors.ts'
import { decodeFrame, type Frame } from '../journal/frame.ts'
import { type Head, newestHead } from '../journal/head.ts'
import type { Journal } from '../journal/journal.ts'
import { key, numberOf, tables } from '../journal/keys.ts'
import type { Dice } from './dice.ts'
import type { Disk } from './disk.ts'
import type { FaultyHead } from './faulty-head.ts'

/** What the disk and the head file hold. */
interface Ending {
  /** The end of the last frame that is whole. */
  readonly last: number
  /** The first event of a frame behind it that is not. */
  readonly torn: number | undefined
  /** The last event that the head knows to be durable; undefined where no head verifies though there is one. */
  readonly head: number | undefined
  /** The first event of the frame that holds the head's event and is not the one the head remembers. */
  readonly replaced?: number | undefined
}

const damageCodes = ['JOURNAL_LOST_TAIL', 'JOURNAL_CORRUPT', 'JOURNAL_GAP']

export class Harm {
  readonly #disk: Disk
  readonly #head: FaultyHead
  #ending: Ending = { last: 0, torn: undefined, head: 0 }
  /** First events of frames that were misread since the boot at which the journal opened last. */
  readonly #misread = new Set<number>()
  #misreads = 0
  /** Reads that failed since the last boot. */
  #unread = 0
  #broken = false
  #hasOpened = true
  #headHarmed = false
  /** The frame that has rotted, by its first event. */
  #rottenFrame: number | undefined

  constructor(disk: Disk, head: FaultyHead) {
    this.#disk = disk
    this.#head = head
  }

  /** True when something that is read may not be what was written. */
  get misleads(): boolean {
    return this.#misreads > 0 || this.#disk.isHarmed
  }

  /** True when the disk may be the reason of an error: something misled, or a read failed and the reason says so. */
  excuses(error: Error): boolean {
    return this.misleads || (this.#unread > 0 && namesDisk(error))
  }

  /** True when the disk and the head file disagree for good, so that opening has to refuse. */
  get isLost(): boolean {
    const { head, last, replaced } = this.#ending
    return head === undefined || head > last || replaced !== undefined
  }

  /** The head file lost what its sync had promised, or a bit of it flipped. */
  headHarmed(): void {
    this.#headHarmed = true
  }

  /** A read brought nothing but an error. */
  unread(): void {
    this.#unread++
  }

  /** A read of this key, or of a file, brought something else. */
  misread(at: Uint8Array | undefined): void {
    this.#misreads++
    if (at?.[0] === tables.frame) this.#misread.add(numberOf(at))
  }

  /** @param broken true when something that a sync had promised is gone: it is until the journal opened. */
  powerCut(broken: boolean): void {
    this.#broken = broken || (this.#broken && !this.#hasOpened)
  }

  /** A bit flips for good: of the head file, of a segment, of a value that will be read soon, or of any other. */
  decay(dice: Dice): void {
    if (dice.once(8)) {
      this.#headHarmed = true
      return this.#head.rot(dice.of(0, 1), dice.below(2 ** 16))
    }
    const { files } = this.#disk
    const segment = dice.once(3) ? dice.pick(files.numbers() ?? []) : undefined
    if (segment !== undefined) {
      return this.#disk.rotFile(segment, dice.below(files.size(segment)), dice.below(8))
    }
    const table = dice.of(
      tables.frame,
      tables.frame,
      tables.payload,
      tables.payload,
      tables.checkpoint,
      tables.part,
    )
    const [first] = this.#disk.content.nextHigherPair(Uint8Array.of(table)) ?? []
    const [last] = this.#disk.content.nextLowerPair(Uint8Array.of(table + 1)) ?? []
    if (first?.[0] !== table || last === undefined) return
    const span = numberOf(last) - numberOf(first)
    const back = dice.below(dice.once(2) ? Math.min(span, 300) + 1 : span + 1)
    const at = this.#disk.content.nextLowerPair(key(table, numberOf(last) - back + 1)) ?? [last]
    if (at[0][0] === table) this.#disk.rot(at[0], dice.below(2 ** 20))
  }

  /** The journal is about to be opened. */
  boot(): void {
    if (this.#hasOpened) this.#misread.clear()
    this.#hasOpened = false
    this.#misreads = 0
    this.#unread = 0
    const { rotten } = this.#disk
    this.#rottenFrame = rotten?.key[0] === tables.frame ? numberOf(rotten.key) : undefined
    const slots = this.#head.slots
    const known = slots.some(({ length }) => length > 0) || this.#disk.content.size > 0
    const durable = newestHead(slots)?.durable
    const head = durable?.seq ?? (known ? undefined : 0)
    this.#ending = { ...this.#frames(), head, replaced: durable && this.#replaced(durable) }
  }

  /** The journal opened: what is wrong with where it ends and with what it says of it; undefined when nothing is. */
  opened(journal: Pick<Journal, 'bounds'> & { readonly remarks?: readonly string[] }): string | undefined {
    this.#hasOpened = true
    const { last, torn, head, replaced } = this.#ending
    const found = journal.bounds().last
    if (head === undefined) return 'the journal opens though no copy of its head verifies'
    if (head > last)
      return `the journal opens, ends with ${found}, and the head knows of ${head}: that is not said`
    if (replaced !== undefined) return `the journal opens, and its frame of event ${replaced} was replaced`
    const cut = found < last ? found + 1 : torn
    if (found !== last && !(found < last && this.#misread.has(found + 1)))
      return `the journal ends with event ${found}, the disk has whole frames up to ${last}`
    const says = (text: string) => journal.remarks?.some((remark) => remark.includes(text)) === true
    if (cut !== undefined && !says(`torn frame at event ${cut}:`))
      return `the frame of event ${cut} was cut back, and that is not said`
    const harmed = this.#head.slots.some((slot) => slot.length > 0 && newestHead([slot]) === undefined)
    return harmed && !says('copies of the head')
      ? 'a copy of the head is damaged, and that is not said'
      : undefined
  }

  /** The journal did not open: what is wrong with the reason; undefined when the disk is to blame just so. */
  refused(error: Error): string | undefined {
    const { last, replaced } = this.#ending
    const isDamage = error instanceof BlockboxError && damageCodes.includes(error.code)
    if (!isDamage) return this.excuses(error) && error instanceof BlockboxError ? undefined : error.message
    const { seq } = error
    if (this.#ending.head === undefined && seq === 1 && this.#headHarmed) return undefined
    const isNamed = seq === (replaced ?? last + 1) || this.#isTorn(seq)
    if (this.isLost && this.#broken && isNamed) return undefined
    if (seq !== undefined && (this.#misread.has(seq) || seq === this.#rottenFrame)) return undefined
    return `opening blames event ${seq}, the disk did not harm it: ${error.message}`
  }

  /** True when an event that was acknowledged may be gone from a journal that ends with `last`. */
  mayLose(last: number): boolean {
    return this.#broken || this.#misread.has(last + 1) || this.#rottenFrame === last + 1
  }

  /** True when power failed in the middle of the frame that begins with this event, and nothing was written over it. */
  #isTorn(seq: number | undefined): boolean {
    return this.#disk.torn.some((at) => at[0] === tables.frame && numberOf(at) === seq)
  }

  #replaced({ seq, hash }: Head['durable']): number | undefined {
    const [at, value] = this.#disk.content.nextLowerPair(key(tables.frame, seq + 1)) ?? []
    if (at?.[0] !== tables.frame) return undefined
    const frame = wholeFrame(value!, numberOf(at))
    if (frame === undefined || frame.last < seq) return undefined
    return frame.last === seq && sameBytes(frame.hash, hash) ? undefined : frame.first
  }

  #frames(): Pick<Ending, 'last' | 'torn'> {
    let torn: number | undefined
    for (let before = Uint8Array.of(tables.frame + 1); ; ) {
      const [at, value] = this.#disk.content.nextLowerPair(before) ?? []
      if (at?.[0] !== tables.frame) return { last: 0, torn }
      const first = numberOf(at)
      const frame = wholeFrame(value!, first)
      if (frame !== undefined) return { last: frame.last, torn }
      torn = first
      before = at as Uint8Array<ArrayBuffer>
    }
  }
}

/** True when an error, or what it was caused by, is that of a disk that could not read. */
function namesDisk(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) if (one.message.includes('EIO')) return true
  return false
}

function wholeFrame(value: Uint8Array, first: number): Frame | undefined {
  try {
    return decodeFrame(value, first)
  } catch {
    return undefined
  }
}
