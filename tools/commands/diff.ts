/**
 * `blockbox diff A B`: the first event at which two runs part.
 *
 *     the same ─▶ 0      they differ ─▶ 1, the event of both sides, field by field
 */

import { realpathSync } from 'node:fs'
import type { Command } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import type { Names } from '../../src/inspect/names.ts'
import { type Difference, type DiffVerdict, diffRuns } from '../../src/replay/diff.ts'
import { keptRecord, keptText, shownFields } from '../../src/replay/difference-text.ts'
import type { KeptEvent } from '../../src/replay/run-side.ts'
import { exitCodes } from '../exit-code.ts'
import { interrupt } from '../interrupt.ts'
import { wholeNumber } from '../number.ts'
import { escaped, print, table } from '../output.ts'
import { remark, showProgress } from '../remark.ts'
import { type OpenRun, openRun } from '../run-source.ts'

interface DiffOptions {
  readonly instants?: boolean
  readonly exact?: boolean
  readonly context: number
  readonly json?: boolean
}

export function add(program: Command): void {
  program
    .command('diff')
    .description('say where two runs part: the first event that is not the same')
    .argument('<a>', 'a journal folder or a recording (.trace, .trace.jsonl)')
    .argument('<b>', 'another')
    .option('--instants', 'compare when things happened, too')
    .option('--exact', 'compare places, frames and epochs too: for runs under logical time')
    .option('--context <n>', 'events shown before and behind', wholeNumber(0, 1000), 3)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox diff monday.journal tuesday.journal\n' +
        '  blockbox diff monday.trace.jsonl.gz tuesday.journal --json\n' +
        '\nExit code 1 when they differ. Who wrote, where payload lies and how a run was driven are no difference.\n',
    )
    .action(act)
}

async function act(a: string, b: string, options: DiffOptions): Promise<void> {
  const one = await openRun(a)
  try {
    if (isSame(a, b)) throw new BlockboxError('USAGE', `${a} and ${b} are the same: name two runs`)
    const two = await openRun(b)
    try {
      await compare(one, two, options)
    } finally {
      await two.close()
    }
  } finally {
    await one.close()
  }
}

function isSame(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b)
  } catch {
    return false
  }
}

async function compare(
  a: OpenRun,
  b: OpenRun,
  { context, instants = false, exact = false, json }: DiffOptions,
): Promise<void> {
  const onEvents = (seq: number) => showProgress(() => `compared ${seq} events`)
  const verdict = await diffRuns(a, b, {
    context,
    instants: instants || exact,
    exact,
    signal: interrupt,
    onEvents,
  })
  interrupt.throwIfAborted()
  if (verdict.difference !== undefined) process.exitCode = exitCodes.error
  if (json === true) return print(verdictJson(verdict, a.names, b.names))
  for (const note of verdict.notes) remark(note)
  await print(verdictText(verdict, a, b))
}

function verdictText({ events, states, difference, before }: DiffVerdict, a: OpenRun, b: OpenRun): string {
  if (difference === undefined) return `the same: ${events} events, ${states} states`
  const { seq, what } = difference
  const lines = [
    `${headline(difference, a.name, b.name)}; ${events} events and ${states} states before it are the same`,
  ]
  lines.push(...before.map((event) => `  ${keptText(event, a.names)}`))
  lines.push(...difference.a.map((event) => `A ${keptText(event, a.names)}`))
  lines.push(...difference.b.map((event) => `B ${keptText(event, b.names)}`))
  if (what !== 'end') {
    const fields = shownFields(difference, { a: a.names, b: b.names }).map((one) => [
      `  ${one.field}`,
      `A ${one.a ?? '-'}`,
      `B ${one.b ?? '-'}`,
    ])
    lines.push(`event ${seq} differs in`, ...table(fields).split('\n'))
  }
  return lines.map(escaped).join('\n')
}

function headline({ seq, what, a }: Difference, nameA: string, nameB: string): string {
  if (what === 'event') return `they part at event ${seq}`
  if (what === 'frame') return `event ${seq} is the same and the frame that ends there is not`
  if (what === 'state') return `event ${seq} is the same and the state after it is not`
  const [ends, goesOn] = a.length === 0 ? [nameA, nameB] : [nameB, nameA]
  return `${ends} ends before event ${seq}, ${goesOn} goes on`
}

function verdictJson({ events, states, difference, before, notes }: DiffVerdict, a: Names, b: Names): string {
  const records = (kept: readonly KeptEvent[], names: Names) => kept.map((event) => keptRecord(event, names))
  const said =
    difference === undefined
      ? null
      : {
          seq: difference.seq,
          what: difference.what,
          fields: shownFields(difference, { a, b }).map(({ field, a: x = null, b: y = null }) => ({
            field,
            a: x,
            b: y,
          })),
          a: records(difference.a, a),
          b: records(difference.b, b),
        }
  const shown = { before: records(before, a), notes }
  return JSON.stringify({
    version: 1,
    same: difference === undefined,
    events,
    states,
    difference: said,
    ...shown,
  })
}
