/**
 * The marks that a server tells its clients of: those in the journal when it starts, found in the background, and
 * those that are made while it runs. The newest are kept.
 */

import type { Engine } from '../../engine/engine.ts'
import { Columns } from '../../events/columns.ts'
import { text } from '../../events/detail.ts'
import type { Frame } from '../../journal/frame.ts'
import type { Journal } from '../../journal/journal.ts'
import type { Volume } from '../../layers/layer.ts'
import { wasMade } from '../../replay/marks.ts'

/** No more marks are known at once. */
const maxMarks = 1000
/** Longer labels are not listed; they can be asked for. */
const maxLabel = 256

export interface MarkedView {
  /** `NAME@mark:LABEL` */
  readonly name: string
  readonly seq: number
}

interface Mark {
  /** 0: of no volume in particular. */
  readonly volume: number
  readonly label: string
  readonly seq: number
}

export class Marks {
  readonly #found = new Map<string, Mark>()
  readonly #subscription: { unsubscribe(): void }
  #closed = false

  constructor(journal: Journal, engine: Engine) {
    const columns = new Columns()
    this.#subscription = engine.frames$.subscribe({
      next: (frame) => this.#note(frame, columns),
      error: () => undefined,
    })
    this.#scan(journal).catch(() => undefined)
  }

  /** The views of these volumes that have a mark. */
  known(volumes: readonly Volume[]): MarkedView[] {
    const views: MarkedView[] = []
    for (const { id, name } of volumes) {
      for (const { volume, label, seq } of this.#found.values()) {
        if (volume === id) views.push({ name: `${name}@mark:${label}`, seq })
      }
    }
    return views
  }

  close(): void {
    this.#closed = true
    this.#subscription.unsubscribe()
  }

  async #scan(journal: Journal): Promise<void> {
    const { first, last } = journal.bounds()
    const columns = new Columns()
    for await (const frame of journal.read(first, last)) {
      if (this.#closed) return
      this.#note(frame, columns)
    }
  }

  /** The newest of a label counts, as it does where a mark is asked for. */
  #note(frame: Frame, columns: Columns): void {
    const row = frame.open(columns)
    for (row.index = 0; row.index < frame.count; row.index++) {
      if (row.kind !== 'mark' || !wasMade(row, frame.count)) continue
      const mark = { volume: row.volume, label: text(row.detail, 'label'), seq: row.seq }
      const key = `${mark.volume} ${mark.label}`
      const there = this.#found.get(key)
      if (mark.label.length > maxLabel || (there !== undefined && there.seq > mark.seq)) continue
      this.#found.delete(key)
      this.#found.set(key, mark)
      if (this.#found.size > maxMarks) this.#found.delete(this.#found.keys().next().value!)
    }
  }
}
