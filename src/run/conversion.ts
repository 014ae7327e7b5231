/**
 * Events into a trace of another format: written as they come, in constant memory, with the account of what the format
 * could not hold.
 *
 *     batches of events ─▶ account ─▶ writer ─▶ pieces, gathered ─▶ sink, no faster than it takes them
 */

import type { TraceEvent } from '../trace/event.ts'
import { Accounting, type TraceAccount } from '../trace/holding.ts'
import type { Put, TraceOutput, WriterOptions } from '../trace/writer.ts'

/** Some events; their data is valid until the next batch is asked for. */
export interface EventBatch {
  readonly events: readonly TraceEvent[]
  /** What the user ought to know of where the trace ended. */
  readonly remark?: string
}

/** Takes the next bytes of the trace; they may be used until it resolves. */
export type Sink = (bytes: Uint8Array) => Promise<void>

export interface ConversionAsk {
  readonly output: TraceOutput
  readonly options?: WriterOptions
  readonly signal?: AbortSignal
  readonly onProgress?: (events: number) => void
}

export interface Conversion {
  readonly account: TraceAccount
  readonly bytes: number
  /** To be put in place of the first bytes, where the format counts its entries there. */
  readonly head?: Uint8Array
  readonly remark?: string
}

const gatherBytes = 2 ** 20

/** Writes the events. Throws what reading them, the sink or the signal throws. */
export async function convert(
  batches: AsyncIterable<EventBatch>,
  { output, options = {}, signal, onProgress }: ConversionAsk,
  sink: Sink,
): Promise<Conversion> {
  const gathered = new Gathered()
  const accounting = new Accounting(output.holding(options))
  const writer = output.writer(gathered.put, options)
  let bytes = 0
  let events = 0
  let remark: string | undefined
  const flush = async () => {
    const piece = gathered.take()
    bytes += piece.length
    if (piece.length > 0) await sink(piece)
  }
  writer.begin()
  for await (const batch of batches) {
    for (const event of batch.events) {
      if (accounting.admit(event)) writer.write(event)
      if (gathered.waiting >= gatherBytes) await flush()
    }
    await flush()
    events += batch.events.length
    remark = batch.remark ?? remark
    onProgress?.(events)
    signal?.throwIfAborted()
  }
  writer.end()
  await flush()
  const head = writer.head?.()
  return {
    account: accounting.result(),
    bytes,
    ...(head !== undefined && { head }),
    ...(remark !== undefined && { remark }),
  }
}

class Gathered {
  waiting = 0
  #text = ''
  #pieces: Uint8Array[] = []

  readonly put: Put = (piece) => {
    this.waiting += piece.length
    if (typeof piece === 'string') this.#text += piece
    else {
      this.#close()
      this.#pieces.push(piece)
    }
  }

  take(): Uint8Array {
    this.#close()
    const [first] = this.#pieces
    const all = this.#pieces.length === 1 ? first! : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.waiting = 0
    return all
  }

  #close(): void {
    if (this.#text === '') return
    this.#pieces.push(Buffer.from(this.#text))
    this.#text = ''
  }
}
