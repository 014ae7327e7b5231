/**
 * The damage sweep: `npm run sweep [-- --every N] [-- --salvage N] [-- --json]`.
 *
 * Every byte of every file of three small journals (frames in a log, frames in a table, payload in a segment) flipped,
 * zeroed and cut at, one at a time; each copy is opened, read and verified, one reported case in 11 (`--salvage N`) is
 * salvaged. Nothing may come back altered or shorter without a word. Prints what became of them by file; ends with 12
 * when a case was silent, hung, or ended the process. `--every N` judges one in N; Ctrl-C ends it at once, with 130 and
 * what was judged so far.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { exitCodes } from './exit-code.ts'
import { interrupt, watchInterrupts } from './interrupt.ts'
import { wholeNumber } from './number.ts'
import { escaped, print, progress, table } from './output.ts'
import { remark } from './remark.ts'
import { type Damage, damageText, damageTo } from './sweep/damage.ts'
import { verdicts } from './sweep/judge.ts'
import { judgeStretch, type Line, type Stretch } from './sweep/lane.ts'
import { forms, makeForms, wholeOf } from './sweep/whole.ts'

const { values } = parseArgs({
  options: {
    every: { type: 'string', default: '1' },
    salvage: { type: 'string', default: '11' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
/** Cases that one child gets: LevelDB keeps some memory of each database it opened. */
const chunk = 1000
const salvageEvery = wholeNumber(1, 1_000_000)(values.salvage)
const columns = [...verdicts, 'aborted', 'ended', 'hung'] as const
const bad: ReadonlySet<string> = new Set(['silent', 'ended', 'hung'])

interface Count {
  readonly name: string
  cases: number
  readonly by: Map<string, number>
}

if (values.help) {
  await print(
    'usage: npm run sweep [-- --every N] [-- --salvage N] [-- --json]\n\nexample: npm run sweep -- --every 100',
  )
} else await run(wholeNumber(1, 1_000_000)(values.every))

async function run(every: number): Promise<void> {
  watchInterrupts()
  const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'blockbox-sweep-'))
  try {
    await sweep(root, every)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function sweep(root: string, every: number): Promise<void> {
  const started = Date.now()
  const folders = await makeForms(root)
  const counts = new Map<string, Count>()
  const failures: string[] = []
  const waiting: { readonly stretch: Stretch; readonly take: (line: Line) => void }[] = []
  let total = 0
  let done = 0
  for (const form of forms) {
    const { files } = await wholeOf(folders[form], join(root, 'whole'))
    const all = damageTo(files)
    total += Math.ceil(all.length / every)
    const take = (line: Line) => {
      progress(`${++done} of ${total}`)
      note(counts, failures, form, all[line.k]!, line)
    }
    for (let from = 0; from < all.length; from += chunk * every) {
      const to = Math.min(all.length, from + chunk * every)
      waiting.push({ stretch: { folder: folders[form], from, to, step: every, salvageEvery }, take })
    }
  }
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined && !interrupt.aborted; next = waiting.shift()) {
      await judgeStretch(next.stretch, root, next.take, interrupt)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, lane))
  progress('')
  if (interrupt.aborted) remark(`stopped after ${done} of ${total} cases`)
  else if (done !== total) failures.push(`${done} of ${total} cases were judged`)
  await report([...counts.values()], failures, (Date.now() - started) / 1000)
  if (failures.length > 0) process.exitCode = exitCodes.verification
  else if (interrupt.aborted) process.exitCode = exitCodes.interrupted
}

function note(
  counts: Map<string, Count>,
  failures: string[],
  form: string,
  damage: Damage,
  line: Line,
): void {
  const name = `${form}: ${damage.file} ${damage.how}`
  const count = counts.get(name) ?? { name, cases: 0, by: new Map<string, number>() }
  counts.set(name, count)
  count.cases++
  count.by.set(line.verdict, (count.by.get(line.verdict) ?? 0) + 1)
  if (bad.has(line.verdict))
    failures.push(`${form}: ${damageText(damage)}: ${line.verdict} ${line.why ?? ''}`)
}

async function report(counts: readonly Count[], failures: readonly string[], seconds: number): Promise<void> {
  const sum: Count = { name: 'all', cases: 0, by: new Map() }
  for (const { cases, by } of counts) {
    sum.cases += cases
    for (const [verdict, count] of by) sum.by.set(verdict, (sum.by.get(verdict) ?? 0) + count)
  }
  if (values.json) {
    const plain = ({ name, cases, by }: Count) => ({ name, cases, ...Object.fromEntries(by) })
    const all = { version: 1, seconds, all: plain(sum), files: counts.map(plain), failures }
    return print(JSON.stringify(all))
  }
  const row = ({ name, cases, by }: Count) => [
    name,
    String(cases),
    ...columns.map((verdict) => String(by.get(verdict) ?? 0)),
  ]
  const lines = [['damage', 'cases', ...columns], ...counts.map(row), row(sum)]
  await print(table(lines, [1, ...columns.map((_, k) => k + 2)]))
  for (const failure of failures.slice(0, 100)) await print(escaped(failure))
  await print(`${sum.cases} cases in ${seconds.toFixed(0)} s, ${failures.length} failures`)
}
