/** Following a journal: the backlog, then what becomes durable, without a gap and without a duplicate. */

import { Observable } from 'rxjs'
import type { Frame } from './frame.ts'
import type { Journal } from './journal.ts'

/** @param durable$ each frame once it is durable; what comes while the backlog is read waits its turn. */
export function followed(
  journal: Pick<Journal, 'bounds' | 'batches'>,
  durable$: Observable<Frame>,
  first: number,
): Observable<Frame> {
  return new Observable<Frame>((subscriber) => {
    const live: Frame[] = []
    let next = first
    let caughtUp = false
    let ended = false
    const give = (frame: Frame) => {
      if (frame.last < next) return
      next = frame.last + 1
      subscriber.next(frame)
    }
    const subscription = durable$.subscribe({
      next: (frame) => (caughtUp ? give(frame) : live.push(frame)),
      complete: () => {
        ended = true
        if (caughtUp) subscriber.complete()
      },
    })
    const backlog = async () => {
      for await (const frames of journal.batches(first, journal.bounds().last)) {
        if (subscriber.closed) return
        frames.forEach(give)
      }
      for (let frame = live.shift(); frame !== undefined; frame = live.shift()) give(frame)
      caughtUp = true
      if (ended) subscriber.complete()
    }
    backlog().catch((error: unknown) => subscriber.error(error))
    return () => subscription.unsubscribe()
  })
}
