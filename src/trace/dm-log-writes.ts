/**
 * The log of dm-log-writes and of QEMU's blklogwrites: every write with its data, flushes, discards, marks.
 *
 *     super | header | payload | header | header | payload ...        S is the sector size
 *       S       S       n * S      S        S       n * S
 *
 * Only writes have a payload. Entries come in file order, which is the order of durability in the kernel's log
 * and of completion in QEMU's; the file does not say which of them wrote it.
 *
 *     super -> padding -> header <-> payload        header -> beyond -> over
 *
 * `beyond`: all entries that the super block promises are seen. The promise lags behind when the writer was
 * killed: `salvage` never leaves `header` for it and reads on while headers make sense. `over`: whatever
 * follows is not looked at. A header of zeros ends the log in any case.
 * Inline data (data length without a mark, the kernel's DAX path) fills whole sectors, so it reads as a payload.
 */

import { ByteCutter } from './byte-cutter.ts'
import {
  type DmLogHeader,
  dmLogDamage,
  dmLogSuperBytes,
  readDmLogHeader,
  readDmLogSuper,
} from './dm-log-header.ts'
import type { TraceEvent, TraceOptions, TraceParser } from './event.ts'

type Stage = 'super' | 'padding' | 'header' | 'payload' | 'beyond' | 'over'

export interface DmLogParser extends TraceParser {
  /** What the user ought to know of where the log ended, asked after the end; undefined when all is well. */
  remark(): string | undefined
}

/** A parser of one log. `salvage` reads past the count in the super block and forgives a torn last entry. */
export function dmLogWrites(options: TraceOptions = {}): DmLogParser {
  return new DmLogWrites(options.salvage === true, options.places === true)
}

class DmLogWrites implements DmLogParser {
  readonly #salvage: boolean
  readonly #places: boolean
  readonly #cutter = new ByteCutter()
  #stage: Stage = 'super'
  #sectorBytes = 0
  #promised = 0
  #entries = 0
  #header: DmLogHeader | undefined
  #remark: string | undefined

  constructor(salvage: boolean, places: boolean) {
    this.#salvage = salvage
    this.#places = places
  }

  push(bytes: Uint8Array): TraceEvent[] {
    const events: TraceEvent[] = []
    this.#cutter.push(bytes)
    while (this.#stage !== 'over') {
      const piece = this.#cutter.take(this.#wanted())
      if (piece === undefined) return events
      this.#accept(piece, events)
    }
    this.#cutter.drop()
    return events
  }

  end(): TraceEvent[] {
    const at = this.#cutter.offset + this.#cutter.waiting
    if (this.#stage === 'super' || this.#stage === 'padding') {
      throw dmLogDamage(at, 'the log ends inside its super block; get the whole file')
    }
    if (this.#stage === 'beyond' || this.#stage === 'over' || this.#salvage) return []
    const torn = this.#stage === 'payload' || this.#cutter.waiting > 0 ? ', inside the next one' : ''
    throw dmLogDamage(
      at,
      `the log ends after ${this.#entries} of the ${this.#promised} entries its super block promises${torn}; ` +
        'get the whole file, or take the whole entries with --salvage',
    )
  }

  remark(): string | undefined {
    return this.#remark
  }

  #wanted(): number {
    switch (this.#stage) {
      case 'super':
        return dmLogSuperBytes
      case 'padding':
        return this.#sectorBytes - dmLogSuperBytes
      case 'payload':
        return this.#header!.payload
      default:
        return this.#sectorBytes
    }
  }

  #accept(piece: Uint8Array, events: TraceEvent[]): void {
    switch (this.#stage) {
      case 'super': {
        const { entries, sectorBytes } = readDmLogSuper(piece)
        this.#promised = entries
        this.#sectorBytes = sectorBytes
        this.#stage = 'padding'
        return
      }
      case 'padding':
        this.#awaitEntry()
        return
      case 'header':
        this.#takeHeader(piece)
        if (this.#header !== undefined && this.#header.op !== 'write') this.#emit(undefined, events)
        return
      case 'payload':
        this.#emit(piece, events)
        return
      default:
        this.#lookBeyond(piece)
    }
  }

  #awaitEntry(): void {
    this.#stage = this.#entries >= this.#promised && !this.#salvage ? 'beyond' : 'header'
  }

  #takeHeader(piece: Uint8Array): void {
    const at = this.#cutter.offset - piece.length
    const header = readDmLogHeader(piece)
    const promised = this.#entries < this.#promised
    if (header === undefined) {
      if (promised) {
        this.#remark = `byte ${at}: zeros end the log after ${this.#entries} of the ${this.#promised} promised entries`
      }
      this.#stage = 'over'
    } else if ('reason' in header) {
      if (promised) {
        throw dmLogDamage(
          at + header.byte,
          `entry ${this.#entries}: ${header.reason}; the log is damaged here`,
        )
      }
      this.#stage = 'over'
    } else {
      this.#header = header
      this.#stage = 'payload'
    }
  }

  #emit(data: Uint8Array | undefined, events: TraceEvent[]): void {
    const { op, offset, length, flags, label } = this.#header!
    const index = this.#entries++
    this.#header = undefined
    events.push({
      index,
      op,
      offset,
      length,
      tNs: null,
      dev: null,
      flags,
      ...(data !== undefined && { data }),
      ...(label !== undefined && { label }),
      ...(this.#places && { byte: this.#cutter.offset - (data?.length ?? 0) - this.#sectorBytes }),
    })
    this.#awaitEntry()
  }

  #lookBeyond(piece: Uint8Array): void {
    const header = readDmLogHeader(piece)
    if (header !== undefined && !('reason' in header)) {
      const at = this.#cutter.offset - piece.length
      this.#remark =
        `byte ${at}: more entries follow the ${this.#promised} that the super block promises, ` +
        'as after a crash of the writer; take them too with --salvage'
    }
    this.#stage = 'over'
  }
}
