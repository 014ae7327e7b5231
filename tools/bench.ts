/**
 * The benchmark: `npm run bench -- [--quick] [--events N] [--out FILE] [--only append|replay|history|idle|import|first]`.
 *
 * Every figure stands beside its anchor, measured in the same rounds; believe ratios, not absolute figures. Prints one
 * table, keeps it with the machine's facts as JSON in .build/bench.json and in FILE. A missed target is no failure;
 * the exit code is 0 unless something broke. Measures the disk of BLOCKBOX_BENCH_DIR or the temporary folder.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { appendLines } from './bench/append.ts'
import { blockHistoryLines } from './bench/block-history.ts'
import { firstByteLines } from './bench/first-byte.ts'
import { idleLines } from './bench/idle.ts'
import { importLines } from './bench/import.ts'
import { isMet, type Line, tableOf } from './bench/line.ts'
import { machineFacts, machineText } from './bench/machine.ts'
import { replayLines } from './bench/replay.ts'
import { progress } from './output.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    events: { type: 'string' },
    out: { type: 'string' },
    only: { type: 'string', default: '' },
  },
})
const { quick, only } = values
const events = Number(values.events ?? (quick ? 100_000 : 5_000_000))
/** The journal that a block's history is asked of. */
const historyEvents = Number(values.events ?? (quick ? 200_000 : 10_000_000))
if (!Number.isSafeInteger(events) || events < 1000) throw new Error(`--events ${values.events}: 1000 or more`)

const parts: Readonly<Record<string, () => Promise<Line[]> | Line[]>> = {
  first: () => firstByteLines(quick ? { rounds: 5, warmup: 1 } : { rounds: 15, warmup: 2 }),
  idle: () => idleLines(quick ? { rounds: 3, writes: 200_000 } : { rounds: 7, writes: 1_000_000 }),
  append: () =>
    appendLines({
      groups: quick ? [1, 64] : [1, 16, 64, 256, 1024],
      rounds: (group) => (quick ? 20 : Math.max(40, Math.round(400 / Math.sqrt(group)))),
    }),
  replay: () =>
    replayLines({
      events,
      perFrame: 256,
      onePerKey: Math.ceil(events / 20),
      rounds: quick ? 3 : 5,
      warmup: quick ? 1 : 2,
    }),
  history: () => blockHistoryLines({ events: historyEvents, questions: quick ? 50 : 200 }),
  import: () =>
    importLines(
      quick
        ? { events: 200_000, payloadBytes: 64 * 2 ** 20, rounds: 3, warmup: 1 }
        : { events: 2_000_000, payloadBytes: 256 * 2 ** 20, rounds: 5, warmup: 1 },
    ),
}

const machine = await machineFacts()
console.log(`${machineText(machine)}\n`)
const lines: Line[] = []
for (const [name, measure] of Object.entries(parts)) {
  if (only === '' || only === name) lines.push(...(await measure()))
}
progress('')
console.log(tableOf(lines))
const missed = lines.filter((line) => isMet(line) === false)
console.log(`\n${missed.length === 0 ? 'every target is met' : `${missed.length} targets are missed`}`)

const kept = { version: 1, at: new Date().toISOString(), quick, machine, lines: lines.map(withVerdict) }
for (const path of ['.build/bench.json', values.out]) {
  if (path === undefined) continue
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(kept, undefined, 2)}\n`)
}

function withVerdict(line: Line): Line & { readonly met?: boolean } {
  const met = isMet(line)
  return met === undefined ? line : { ...line, met }
}
