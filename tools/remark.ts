/** What a person ought to know besides the result: one line each on standard error. */

import { escaped, progress } from './output.ts'

export function remark(text: string): void {
  progress('')
  process.stderr.write(`blockbox: ${escaped(text)}\n`)
}

const between = 100
let shownAt = Number.NEGATIVE_INFINITY

/** Shows progress, made by `text` only when it is time for it again; does nothing unless somebody watches. */
export function showProgress(text: () => string): void {
  const now = performance.now()
  if (now - shownAt < between || !process.stderr.isTTY) return
  shownAt = now
  progress(text())
}
