/**
 * What the user of a test may do on this machine. Where something is not allowed the test says `not proved here: ...`,
 * and the runner does not count it as passed.
 */

import { spawnSync } from 'node:child_process'

const works = ([program, ...args]: readonly [string, ...string[]]) => spawnSync(program, args).status === 0

/** True when a program may mount in a name space of its own: run it behind `unshare -rm`. */
export function mayMount(): boolean {
  return works(['unshare', '-rm', 'true']) || notProved('this user may mount nothing')
}

/** True when strace with these arguments may trace a program. */
export function mayTrace(strace: readonly string[]): boolean {
  return works(['strace', ...strace, 'true']) || notProved('this process may trace no other')
}

/** Tells the runner why a test proves nothing. */
export function notProved(why: string): false {
  console.log(`not proved here: ${why}`)
  return false
}
