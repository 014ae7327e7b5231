/**
 * The long run: `npm run soak -- --minutes 60` or `npm run soak -- --seeds 1000 [--steps N] [--from SEED] [--lanes N]`.
 *
 *     lane (one a processor) ─▶ a process that simulates a few seeds ─▶ a line a seed ─▶ sums, told once a minute
 *                        ▲                │ a finding: told, with the command that shows it again
 *                        └── next seeds ──┘
 *
 * A seed ends at its first finding; the others go on. Processes are new ones every few seeds, so that memory stays what
 * it is. Every 16th seed is run a second time and compared. At the end one row of the README's table. Exit code 12 with
 * findings, 130 when interrupted.
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
  readonly disk: string
  readonly steps: number
  readonly events: number
  readonly crashes: number
  readonly journals: number
  readonly reports: number
  readonly faults: Readonly<Record<string, number>>
  readonly findings: readonly { readonly seq: number; readonly rule: string; readonly detail: string }[]
}

/** Seeds that one process simulates. */
const batch = 8
const comparedEvery = 16
const tellEveryMs = 60_000
/** A simulation leaves much garbage and keeps little: the longer it may lie, the less of it has to be copied. */
const memory = ['--max-semi-space-size=64']

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    steps: { type: 'string', default: '100000' },
    lanes: { type: 'string', default: `${availableParallelism()}` },
  },
})
const steps = wholeNumber(1)(values.steps)
const lanes = wholeNumber(1, 256)(values.lanes)
const from = wholeNumber(0, 2 ** 31)(values.from)
const end = values.seeds === undefined ? 2 ** 32 : from + wholeNumber(1, 2 ** 31)(values.seeds)
const minutes = values.minutes ?? (values.seeds === undefined ? '10' : '30000')
const started = Date.now()
const until = started + wholeNumber(1, 30_000)(minutes) * 60_000
const program = fileURLToPath(new URL('blockbox.js', import.meta.url))
const sum = { seeds: 0, steps: 0, events: 0, crashes: 0, journals: 0, faults: 0, reports: 0, findings: 0 }
const children = new Set<ReturnType<typeof spawn>>()
let next = from
let interrupted = false

process.once('SIGINT', () => {
  interrupted = true
  for (const child of children) child.kill('SIGTERM')
})

const isOver = () => interrupted || Date.now() >= until || next >= end

/** Simulates `count` seeds in a process of its own; what a finding cuts short goes on in another one. */
async function simulated(seed: number, count: number): Promise<void> {
  for (let at = seed; at < seed + count && !interrupted && Date.now() < until; ) {
    const chance = ['--steps', `${steps}`, '--compare-every', `${comparedEvery}`, '--no-shrink', '--json']
    const args = [
      ...memory,
      program,
      'simulate',
      '--seed',
      `${at}`,
      '--seeds',
      `${seed + count - at}`,
      ...chance,
    ]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const gone = once(child, 'close')
    children.add(child)
    const timer = setTimeout(() => child.kill('SIGTERM'), until - Date.now()).unref()
    for await (const text of createInterface({ input: child.stdout! })) {
      const line = JSON.parse(text) as Line
      take(line)
      at = line.seed + 1
    }
    clearTimeout(timer)
    children.delete(child)
    const [code] = (await gone) as [number | null]
    const ended = code === exitCodes.ok || code === exitCodes.verification
    if (ended || interrupted || Date.now() >= until) continue
    sum.findings++
    console.log(`seed ${at}: the process ended with ${code}\n${commandOf(at)}`)
    at++
  }
}

function take({ seed, disk, findings, faults, ...line }: Line): void {
  sum.seeds++
  sum.steps += line.steps
  sum.events += line.events
  sum.crashes += line.crashes
  sum.journals += line.journals
  sum.reports += line.reports
  sum.faults += Object.values(faults).reduce((total, count) => total + count, 0)
  sum.findings += findings.length
  const [first] = findings
  if (first === undefined) return
  const { seq, rule, detail } = first
  console.log(
    `seed ${seed}, ${disk} disk, event ${seq}: ${JSON.stringify(`${rule}: ${detail}`)}\n${commandOf(seed)}`,
  )
}

function commandOf(seed: number): string {
  return `  npx blockbox simulate --seed ${seed} --steps ${steps} --keep found-${seed}.trace.jsonl`
}

async function lane(): Promise<void> {
  while (!isOver()) {
    const seed = next
    next = Math.min(end, next + batch)
    await simulated(seed, next - seed)
  }
}

function tell(): void {
  const seconds = (Date.now() - started) / 1000
  const rate = Math.round(sum.events / seconds)
  const { seeds, findings } = sum
  const so = `${number(seeds)} seeds, ${number(sum.steps)} steps, ${number(rate)} events/s, ${findings} findings`
  console.log(`${(seconds / 60).toFixed(1)} min: ${so}`)
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}

const telling = setInterval(tell, tellEveryMs)
await Promise.all(Array.from({ length: lanes }, lane))
clearInterval(telling)
tell()
const spent = ((Date.now() - started) / 60_000).toFixed(1)
console.log(
  '| seeds | steps | events | crashes | journals | faults of disks | damage reported | findings | minutes |',
)
console.log('|---|---|---|---|---|---|---|---|---|')
console.log(`| ${[...Object.values(sum).map(number), spent].join(' | ')} |`)
if (interrupted) process.exitCode = exitCodes.interrupted
else process.exitCode = sum.findings > 0 ? exitCodes.verification : exitCodes.ok
