/** How a simulated host hears its answers: bytes that are lent to it are looked at while it is told, and no later. */

import type { Answer, Ask } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'

/** The answer to an ask, with bytes of its own. Rejects as `Engine.submit`. */
export function told(engine: Engine, ask: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    engine.take(ask, {
      resolve: ({ data, ...answer }) =>
        resolve(data === undefined ? answer : { ...answer, data: data.slice() }),
      reject,
    })
  })
}
