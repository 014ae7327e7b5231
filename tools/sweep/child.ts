/**
 * One process of the sweep: `child.js FOLDER WORK FROM TO STEP SALVAGE`. Judges the damage FROM, FROM + STEP ... below TO of
 * the journal in FOLDER, each on a copy in WORK, one reported case in SALVAGE salvaged too, and says a line of each as
 * soon as it is known. LevelDB ends the process on some damage when it reads without a scrub; whoever reads the lines
 * then knows on which.
 *
 *     judged as `verify` does, salvaged ─▶ {k, verified} ─▶ where the scrub found something: read without it ─▶ {k, verdict}
 */

import { rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { damaged, damageTo } from './damage.ts'
import { type Judged, judge, salvageFault } from './judge.ts'
import { wholeOf, writeFiles } from './whole.ts'

const [folder, work] = process.argv.slice(2, 4) as [string, string]
const [from, to, step, salvageEvery] = process.argv.slice(4, 8).map(Number) as [
  number,
  number,
  number,
  number,
]
const whole = await wholeOf(folder, join(work, 'whole'))
const all = damageTo(whole.files)
const copy = join(work, 'copy')
const salvaged = join(work, 'salvaged')

for (let k = from; k < Math.min(to, all.length); k += step) {
  say({ k, ...(await judgedCase(k)) })
  for (const path of [copy, salvaged]) rmSync(path, { recursive: true, force: true })
}

async function judgedCase(k: number): Promise<Judged> {
  const damage = all[k]!
  write(k)
  try {
    const judged = await judge(copy, whole)
    const isReported = judged.verdict === 'open' || judged.verdict === 'verify'
    if (isReported && damage.file !== 'head' && (k / step) % salvageEvery === 0) {
      rmSync(copy, { recursive: true })
      write(k)
      const why = await salvageFault(copy, salvaged, whole, judged)
      if (why !== undefined) return { verdict: 'silent', why }
    }
    if (judged.isScrubbed !== true || judged.verdict === 'silent') return judged
    say({ k, verified: true })
    const read = await judge(copy, whole, { scrubs: false })
    return read.verdict === 'silent' ? read : judged
  } catch (error) {
    return { verdict: 'silent', why: String((error as Error).stack ?? error) }
  }
}

function write(k: number): void {
  const { file } = all[k]!
  const files = new Map<string, Uint8Array>(whole.files)
  const bytes = damaged(whole.files.get(file)!, all[k]!)
  if (bytes === undefined) files.delete(file)
  else files.set(file, bytes)
  writeFiles(files, copy)
}

function say(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}
