/** How far a copy is, as server-sent events: one at once, one whenever it got further, the last when it has ended. */

import { setTimeout } from 'node:timers/promises'
import type { Copy } from './copy.ts'

/** At most so often something is said, and at least so often, milliseconds. */
const betweenMs = 200
const aliveMs = 15_000

export function progressStream(copy: Copy, signal: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let said = ''
  let gone = false
  return new ReadableStream(
    {
      async pull(controller) {
        const since = performance.now()
        while (!gone && !signal.aborted) {
          const data = JSON.stringify(copy.record())
          if (copy.isOver) {
            controller.enqueue(encoder.encode(`event: end\ndata: ${data}\n\n`))
            return controller.close()
          }
          const alive = performance.now() - since >= aliveMs
          if (data !== said || alive) {
            said = data
            return controller.enqueue(encoder.encode(`data: ${data}\n\n`))
          }
          await setTimeout(betweenMs)
        }
        if (!gone) controller.close()
      },
      cancel() {
        gone = true
      },
    },
    { highWaterMark: 0 },
  )
}
