/**
 * Ctrl-C, and SIGTERM likewise. The first asks: the signal is aborted, the command closes what it has open and
 * returns, the program exits with 130. The second ends the program at once.
 *
 *     running ── first ──▶ stopping ── command returns ──▶ exit 130
 *                             └─────── second ───────────▶ exit 130 at once
 */

import { exitCodes } from './exit-code.ts'

/** The reason `interrupt` is aborted with; a command may let it propagate. */
export class Interrupted extends Error {
  readonly signal: 'SIGINT' | 'SIGTERM'

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super('interrupted')
    this.name = 'AbortError'
    this.signal = signal
  }
}

const controller = new AbortController()

/** Aborted by the first Ctrl-C. Commands that run for long look at it, or pass it on. */
export const interrupt: AbortSignal = controller.signal

/** Starts listening. Called once, by the program. */
export function watchInterrupts(): void {
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => onSignal(name))
}

function onSignal(signal: 'SIGINT' | 'SIGTERM'): void {
  if (controller.signal.aborted) process.exit(exitCodes.interrupted)
  if (process.stderr.isTTY) process.stderr.write('\nstopping; once more to stop at once\n')
  controller.abort(new Interrupted(signal))
}
