/**
 * Records of events as a stream of bytes: a JSON object a line, or server-sent events.
 *
 *     waiting ─▶ sent ─▶ taken ─▶ waiting ...          nothing is read ahead of the one who reads
 *                  └── not taken in time ──▶ "dropped", with the event to go on from ──▶ closed
 */

import type { EventRecord } from '../inspect/event-record.ts'
import { problemOf } from './problem.ts'

const encoder = new TextEncoder()

/** One JSON object a line; an error that comes in the middle is the last line. */
export function lineStream(
  records: AsyncGenerator<EventRecord[]>,
  leave: () => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await records.next()
          if (done === true) return controller.close()
          const lines = value.map((record) => `${JSON.stringify(record)}\n`).join('')
          controller.enqueue(encoder.encode(lines === '' ? '\n' : lines))
        } catch (error) {
          controller.enqueue(encoder.encode(`${JSON.stringify(problemOf(error).body)}\n`))
          controller.close()
        }
      },
      async cancel() {
        leave()
        await records.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

/**
 * Server-sent events: `id` is the number of the event, `data` its record; an empty list of records is a comment that
 * keeps the connection alive. The last event is `end` when the engine ends, `dropped` when the reader took nothing for
 * `stallMs`, and `error` when the journal cannot be read.
 */
export function sentEvents(
  records: AsyncGenerator<EventRecord[]>,
  leave: () => void,
  stallMs: number,
): ReadableStream<Uint8Array> {
  let last: number | undefined
  let stalled: NodeJS.Timeout | undefined
  let over = false
  return new ReadableStream(
    {
      async pull(controller) {
        clearTimeout(stalled)
        const finish = (name: string, data: object) => {
          if (over) return
          over = true
          controller.enqueue(encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`))
          controller.close()
          leave()
        }
        try {
          const { done, value } = await records.next()
          if (over) return
          if (done === true) return finish('end', { last: last ?? null })
          last = value.at(-1)?.seq ?? last
          controller.enqueue(encoder.encode(value.length === 0 ? ': idle\n\n' : value.map(sent).join('')))
          stalled = setTimeout(() => finish('dropped', slowReader(last)), stallMs)
        } catch (error) {
          finish('error', problemOf(error).body)
        }
      },
      async cancel() {
        over = true
        clearTimeout(stalled)
        leave()
        await records.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

function sent(record: EventRecord): string {
  return `id: ${record.seq}\ndata: ${JSON.stringify(record)}\n\n`
}

function slowReader(last: number | undefined) {
  const advice = 'connect again; the header Last-Event-ID goes on behind the last event you have'
  const message = 'you took nothing for too long'
  return { error: { code: 'SLOW_READER', message, advice, ...(last !== undefined && { seq: last }) } }
}
