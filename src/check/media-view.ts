/**
 * The order on the media of views of an implementation that keeps a lookup table and two images in place: S2-I2, S2-I6
 * and S2-I8 of SPEC 4.4, and G-I3. For imported traces and planted histories; our own engine changes table and image
 * with one event.
 *
 *     write to the base, entry there   redo record ─▶ entry deleted, stored in image 1     no other order survives a crash
 *     write to the view, no entry      stored in image 2 ─▶ flush ─▶ entry made            or a redo record first
 *     either, and every read           under a lock of the block, shared by readers alone
 */

import type { Finding } from './check.ts'

/** What a history of one view says. `io` numbers a request, `image` is 1 or 2; a change of the table is durable. */
export type ViewMediaEvent =
  | { readonly name: 'io.submitted'; readonly io: number; readonly block: number; readonly op: ViewOp }
  | { readonly name: 'lock.acquired' | 'lock.released' | 'redo.durable'; readonly io: number }
  | { readonly name: 'table.set' | 'table.cleared'; readonly io: number }
  | { readonly name: 'image.stored' | 'image.read'; readonly io: number; readonly image: 1 | 2 }
  | { readonly name: 'media.flushed'; readonly image: 1 | 2 }
  | { readonly name: 'io.completed'; readonly io: number }

/** A write to the base, a write to the view, a read of the view. */
type ViewOp = 'W1' | 'W2' | 'R2'

interface Io {
  readonly id: number
  readonly block: number
  readonly op: ViewOp
  /** Its payload is in a durable record, from which a crash redoes it whole. */
  redo: boolean
  locked: boolean
  stored: 'no' | 'written' | 'flushed'
}

/** The findings in a history; `seq` is the place of the event, from 1. */
export function mediaView(events: readonly ViewMediaEvent[]): Finding[] {
  const history = new History()
  for (const event of events) history.take(event)
  return history.findings
}

class History {
  readonly findings: Finding[] = []
  #seq = 0
  readonly #table = new Set<number>()
  readonly #ios = new Map<number, Io>()

  take(event: ViewMediaEvent): void {
    this.#seq++
    if (event.name === 'io.submitted') {
      const { io: id, block, op } = event
      this.#ios.set(id, { id, block, op, redo: false, locked: false, stored: 'no' })
      return
    }
    if (event.name === 'media.flushed') return this.#flushed(event.image)
    const io = this.#ios.get(event.io)
    if (io === undefined) return
    switch (event.name) {
      case 'redo.durable':
        io.redo = true
        return
      case 'lock.acquired':
        return this.#lock(io)
      case 'lock.released':
        io.locked = false
        return
      case 'table.set':
        return this.#entry(io)
      case 'table.cleared':
        return this.#noEntry(io)
      case 'image.stored':
        return this.#store(io)
      case 'image.read':
        return this.#read(io, event.image)
      case 'io.completed':
        return this.#completed(io)
    }
  }

  #lock(io: Io): void {
    for (const other of this.#ios.values()) {
      if (other === io || !other.locked || other.block !== io.block) continue
      if (other.op === 'R2' && io.op === 'R2') continue
      this.#find('S2-I6', `requests ${other.id} and ${io.id} hold the lock of block ${io.block} at once`)
    }
    io.locked = true
  }

  #entry(io: Io): void {
    this.#needsLock(io, 'sets the entry')
    this.#table.add(io.block)
    if (!io.redo && io.stored !== 'flushed') {
      this.#find('S2-I8', `the entry of block ${io.block} is durable before its content in image 2`)
    }
  }

  #noEntry(io: Io): void {
    this.#needsLock(io, 'deletes the entry')
    if (this.#table.delete(io.block) && !io.redo && io.stored === 'no') {
      this.#find('S2-I8', `the entry of block ${io.block} is deleted before its content is in image 1`)
    }
  }

  #store(io: Io): void {
    this.#needsLock(io, 'stores')
    if (io.op === 'W1' && this.#table.has(io.block) && !io.redo) {
      this.#find('S2-I8', `block ${io.block} is stored in image 1 while its entry says image 2`)
    }
    io.stored = 'written'
  }

  #read(io: Io, image: 1 | 2): void {
    this.#needsLock(io, 'reads')
    const right = this.#table.has(io.block) ? 2 : 1
    if (image !== right) this.#find('S2-I2', `block ${io.block} is read from image ${image}, not ${right}`)
  }

  #completed(io: Io): void {
    if (io.op === 'R2' || io.redo || io.stored === 'flushed') return
    this.#find('G-I3', `write ${io.id} is acknowledged before its data is durable`)
  }

  #flushed(image: 1 | 2): void {
    for (const io of this.#ios.values()) {
      if (io.stored === 'written' && (io.op === 'W1' ? 1 : 2) === image) io.stored = 'flushed'
    }
  }

  #needsLock(io: Io, what: string): void {
    if (!io.locked) this.#find('S2-I6', `request ${io.id} ${what} of block ${io.block} without its lock`)
  }

  #find(rule: string, detail: string): void {
    this.findings.push({ seq: this.#seq, rule, detail })
  }
}
