/**
 * The long run: `npm run soak -- --minutes 60 [--from SEED] [--steps N]`.
 *
 * Simulates seed after seed on every processor until the time is over, prints what was run as one row of the README's
 * table, and ends with 12 at the first finding, whose shortest form is kept in .build/found-SEED.journal.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { exitCodes } from './exit-code.ts'
import { wholeNumber } from './number.ts'

interface Line {
  readonly seed: number
  readonly steps: number
  readonly events: number
  readonly crashes: number
  readonly faults: number
  readonly findings: readonly { readonly seq: number; readonly rule: string; readonly detail: string }[]
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    from: { type: 'string', default: '1' },
    steps: { type: 'string', default: '100000' },
  },
})
const minutes = wholeNumber(1, 100_000)(values.minutes)
const steps = wholeNumber(1)(values.steps)
const program = fileURLToPath(new URL('blockbox.js', import.meta.url))
const built = fileURLToPath(new URL('..', import.meta.url))
const until = Date.now() + minutes * 60_000
const sum = { seeds: 0, steps: 0, events: 0, crashes: 0, faults: 0, findings: 0 }
let next = wholeNumber(0, 2 ** 31)(values.from)

/** Simulates one seed in a process of its own. */
async function simulated(seed: number): Promise<void> {
  const keep = `${built}found-${seed}.journal`
  const args = [program, 'simulate', '--seed', `${seed}`, '--steps', `${steps}`, '--json']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const text of createInterface({ input: child.stdout })) take(JSON.parse(text) as Line)
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
  if (code === 0) return
  if (code !== exitCodes.verification) throw new Error(`seed ${seed} ended with ${code}`)
  const again = spawn(process.execPath, [...args.slice(0, -1), '--keep', keep], { stdio: 'inherit' })
  await once(again, 'exit')
}

function take({ seed, steps: taken, events, crashes, faults, findings }: Line): void {
  sum.seeds++
  sum.steps += taken
  sum.events += events
  sum.crashes += crashes
  sum.faults += faults
  sum.findings += findings.length
  for (const { seq, rule, detail } of findings) console.log(`seed ${seed}, event ${seq}: ${rule}: ${detail}`)
}

async function lane(): Promise<void> {
  while (Date.now() < until && sum.findings === 0) await simulated(next++)
}

const started = Date.now()
await Promise.all(Array.from({ length: availableParallelism() }, lane))
const seconds = (Date.now() - started) / 1000
const number = (value: number) => value.toLocaleString('en-US')
console.log('| seeds | steps | events | crashes | failed writes | findings | minutes |')
console.log('|---|---|---|---|---|---|---|')
const row = [sum.seeds, sum.steps, sum.events, sum.crashes, sum.faults, sum.findings].map(number)
console.log(`| ${[...row, (seconds / 60).toFixed(1)].join(' | ')} |`)
process.exitCode = sum.findings > 0 ? exitCodes.verification : exitCodes.ok
