/**
 * Our side of durable appending: the journal in its folder with the payload store attached. A commit records its events
 * in a frame builder, digests and stores their payloads, encodes, hashes and chains the frame, and makes it durable.
 */

import { sha256, shortHigh, shortLow } from '../../src/core/digest.ts'
import { FrameBuilder } from '../../src/engine/frame-builder.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import type { NewEvent } from '../../src/events/columns.ts'
import { openJournalFolder } from '../../src/journal/folder.ts'
import type { Journal, Writer } from '../../src/journal/journal.ts'
import { type LevelPayload, openLevelPayload } from '../../src/payload/level-payload.ts'

const block = 4096
const blocks = 4 * 2 ** 20

/** What is committed at once: so many events, each with so many bytes of payload or none. */
export interface Group {
  readonly events: number
  readonly payload: number
}

export class JournalSide {
  readonly #journal: Journal
  readonly #payload: LevelPayload
  readonly #writer: Writer
  readonly #group: Group
  readonly #builder: FrameBuilder
  readonly #clock = systemClock()
  readonly #data: Uint8Array
  #requests = 0

  /** See `openJournalSide`. */
  constructor(journal: Journal, payload: LevelPayload, writer: Writer, group: Group) {
    this.#journal = journal
    this.#payload = payload
    this.#writer = writer
    this.#group = group
    this.#builder = new FrameBuilder(journal.bounds().last + 1)
    this.#data = new Uint8Array(group.payload)
  }

  /** Commits one group; resolves when it is durable, with the bytes of its frame and its payloads. */
  async commit(): Promise<number> {
    const { events, payload } = this.#group
    const builder = this.#builder
    builder.begin(this.#clock.nowNs())
    for (let k = 0; k < events; k++) this.#record()
    await this.#payload.sync()
    const added = { durableNs: 0n, replied: 0, flags: 0, stateLow: 0, stateHigh: 0 }
    const frame = await this.#writer.append({ ...builder.seal(), ...added }, builder.next - events)
    builder.restart()
    return frame.bytes.length + events * payload
  }

  async close(): Promise<void> {
    await this.#journal.close()
  }

  #record(): void {
    const request = ++this.#requests
    const data = this.#data
    const at = {
      session: 1,
      volume: 1,
      request,
      offset: (request % blocks) * block,
      length: block,
      at: request,
    }
    if (data.length === 0) {
      this.#builder.record({ kind: 'io.zeroes', op: 'zeroes', fate: 'passed', ...at })
      return
    }
    new DataView(data.buffer).setUint32(0, request, true)
    const digest = sha256(data)
    const [digestHigh, digestLow] = [shortHigh(digest), shortLow(digest)]
    const payload = this.#payload.put(data)
    const write: NewEvent = {
      kind: 'io.write',
      op: 'write',
      fate: 'passed',
      ...at,
      payload,
      digestHigh,
      digestLow,
    }
    this.#builder.record(write, digest)
  }
}

/** A new journal in folder `path`, to which groups of one kind are committed. */
export async function openJournalSide(path: string, group: Group): Promise<JournalSide> {
  let payload: LevelPayload | undefined
  const journal = await openJournalFolder(path, {
    create: true,
    attach: async (store) => {
      payload = await openLevelPayload(store)
      return payload
    },
  })
  const writer = await journal.openWriter('bench', systemClock().nowNs())
  return new JournalSide(journal, payload!, writer, group)
}
