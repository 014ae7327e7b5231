/**
 * The order on the media of an implementation that writes payload in place and journals only its maps (P2), as imported
 * traces of other systems are: S3-I13 to S3-I16, of copiers and writes that meet S3-I2 and S3-I3, and of unprotected
 * restores S3-I9 and G-I3 (SPEC 5.4, 5.5, section 9).
 *
 *     still to copy, partly written    copy, flush ─▶ CDM-  and  copy, flush ─▶ PRM+      (S3-I13)
 *     any write                        PRM+ ─▶ acknowledged                               (S3-I14)
 *     copied or equal                  PRM+ ─▶ data                                       (S3-I15)
 *     still to copy, written whole     data, flush ─▶ PRM+                                (S3-I16)
 *     unprotected                      CDM+ ─▶ data on either side, flush both ─▶ acknowledged
 *
 * The events are plain records, one restore a history; a map change is durable where it stands. Our own engine has one
 * record a write (P1) and stores none of these.
 */

import type { Finding } from './check.ts'

type Image = 'source' | 'clone'

/** What a history of media says. `io` numbers a host's write, `extent` an extent of the pair. */
export type MediaEvent =
  | { readonly name: 'restore.started'; readonly protected: boolean; readonly cdm: readonly number[] }
  | { readonly name: 'io.submitted'; readonly io: number; readonly extent: number; readonly whole: boolean }
  | {
      readonly name: 'media.written'
      readonly image: Image
      readonly extent: number
      readonly by: number | 'copy'
    }
  | { readonly name: 'media.flushed'; readonly image: Image }
  /** The copier has begun with the extent; it ends with what the copy writes. */
  | { readonly name: 'copy.started'; readonly extent: number }
  | { readonly name: 'cdm.set' | 'cdm.cleared' | 'prm.set'; readonly extent: number }
  | { readonly name: 'io.completed'; readonly io: number }

/** What is known of an extent. */
interface Extent {
  cdm: boolean
  prm: boolean
  /** A copy of it was written to the source, and whether that is flushed. */
  copy: 'none' | 'written' | 'flushed'
  /** A copy of it is being made. */
  copying: boolean
  /** Writes of hosts that are on the source's medium and not flushed, and those that are. */
  readonly unflushed: Set<number>
  readonly flushed: Set<number>
}

interface Write {
  readonly extent: number
  readonly whole: boolean
  /** Where its data is, and where that is flushed. */
  readonly on: Set<Image>
  readonly safe: Set<Image>
  completed: boolean
}

/** The findings in a history; `seq` is the place of the event, from 1. */
export function mediaOrder(events: readonly MediaEvent[]): Finding[] {
  const history = new History()
  for (const event of events) history.take(event)
  return history.findings
}

class History {
  readonly findings: Finding[] = []
  #seq = 0
  #protected = true
  readonly #extents = new Map<number, Extent>()
  readonly #writes = new Map<number, Write>()

  take(event: MediaEvent): void {
    this.#seq++
    switch (event.name) {
      case 'restore.started':
        this.#protected = event.protected
        for (const e of event.cdm) this.#extent(e).cdm = true
        return
      case 'io.submitted': {
        const { extent, whole } = event
        this.#writes.set(event.io, { extent, whole, on: new Set(), safe: new Set(), completed: false })
        return
      }
      case 'media.written':
        return event.by === 'copy' ? this.#copied(event.extent) : this.#written(event.by, event.image)
      case 'media.flushed':
        return this.#flushed(event.image)
      case 'copy.started':
        return this.#copying(event.extent)
      case 'cdm.set':
        this.#extent(event.extent).cdm = true
        return
      case 'cdm.cleared':
        return this.#cleared(event.extent)
      case 'prm.set':
        return this.#protect(event.extent)
      case 'io.completed':
        return this.#completed(event.io)
    }
  }

  #copying(e: number): void {
    for (const [io, write] of this.#writes) {
      if (write.extent !== e || write.completed || write.on.size === 0) continue
      this.#find('S3-I2', `a copy of extent ${e} starts under write ${io}`)
    }
    this.#extent(e).copying = true
  }

  #copied(e: number): void {
    const one = this.#extent(e)
    one.copy = 'written'
    one.copying = false
  }

  #written(io: number, image: Image): void {
    const write = this.#writes.get(io)
    if (write === undefined) return
    const { extent: e, whole } = write
    const one = this.#extent(e)
    write.on.add(image)
    if (one.copying) return this.#find('S3-I3', `write ${io} reaches extent ${e} during its copy`)
    if (image === 'source') one.unflushed.add(io)
    if (!this.#protected) {
      if (!one.cdm)
        this.#find('S3-I9', `write ${io} reaches the ${image} before a bit of extent ${e} says so`)
      return
    }
    const copied = !one.cdm || one.copy === 'flushed'
    if (one.prm) return
    if (copied) this.#find('S3-I15', `write ${io} reaches extent ${e}, which is copied, before PRM is set`)
    else if (!whole) this.#find('S3-I13', `write ${io} reaches extent ${e} before its copy is flushed`)
  }

  #flushed(image: Image): void {
    for (const write of this.#writes.values()) if (write.on.has(image)) write.safe.add(image)
    if (image === 'clone') return
    for (const one of this.#extents.values()) {
      if (one.copy === 'written') one.copy = 'flushed'
      for (const io of one.unflushed) one.flushed.add(io)
      one.unflushed.clear()
    }
  }

  /** Only a copy that is flushed, or in an unprotected restore a write that is on both sides, clears the bit. */
  #cleared(e: number): void {
    const one = this.#extent(e)
    one.cdm = false
    if (one.copy === 'flushed') return
    const both = [...this.#writes.values()].some(({ extent, safe }) => extent === e && safe.size === 2)
    if (this.#protected || !both)
      this.#find('S3-I13', `CDM of extent ${e} is cleared before its copy is flushed`)
  }

  #protect(e: number): void {
    const one = this.#extent(e)
    const open = [...this.#writes.values()].filter(({ extent }) => extent === e)
    const first = !one.prm
    one.prm = true
    if (!first || !one.cdm || one.copy === 'flushed') return
    if (!open.some(({ whole }) => whole) || one.copy === 'written') {
      return this.#find('S3-I13', `PRM of extent ${e} is set before its copy is flushed`)
    }
    if (one.flushed.size === 0) {
      this.#find('S3-I16', `PRM of extent ${e} is set before the data that covers it is flushed`)
    }
  }

  #completed(io: number): void {
    const write = this.#writes.get(io)
    if (write === undefined) return
    const { extent: e, safe } = write
    write.completed = true
    if (this.#protected && !this.#extent(e).prm) {
      this.#find('S3-I14', `write ${io} is acknowledged before PRM of extent ${e} is set`)
    }
    const sides: readonly Image[] = this.#protected ? ['source'] : ['source', 'clone']
    const missing = sides.find((side) => !safe.has(side))
    if (missing !== undefined) {
      this.#find('G-I3', `write ${io} is acknowledged before its data is flushed on the ${missing}`)
    }
  }

  #extent(e: number): Extent {
    let one = this.#extents.get(e)
    if (one === undefined) {
      one = { cdm: false, prm: false, copy: 'none', copying: false, unflushed: new Set(), flushed: new Set() }
      this.#extents.set(e, one)
    }
    return one
  }

  #find(rule: string, detail: string): void {
    this.findings.push({ seq: this.#seq, rule, detail })
  }
}
