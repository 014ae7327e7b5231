/**
 * `blockbox diff A B`: the first event at which two runs part.
 *
 *     the same ─▶ 0      they differ ─▶ 1, the event of both sides, field by field
 */

import { realpathSync } from 'node:fs'
import type { Command } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import { type EventRecord, eventRecord, eventText } from '../../src/inspect/event-record.ts'
import type { Names } from '../../src/inspect/names.ts'
import { type Difference, type DiffVerdict, diffRuns } from '../../src/replay/diff.ts'
import type { KeptEvent } from '../../src/replay/run-side.ts'
import { exitCodes } from '../exit-code.ts'
import { interrupt } from '../interrupt.ts'
import { wholeNumber } from '../number.ts'
import { escaped, print, table } from '../output.ts'
import { remark, showProgress } from '../remark.ts'
import { type OpenRun, openRun } from '../run-source.ts'

interface DiffOptions {
  readonly instants?: boolean
  readonly context: number
  readonly json?: boolean
}

export function add(program: Command): void {
  program
    .command('diff')
    .description('say where two runs part: the first event that is not the same')
    .argument('<a>', 'a journal')
    .argument('<b>', 'another')
    .option('--instants', 'compare when things happened, too')
    .option('--context <n>', 'events shown before and behind', wholeNumber(0, 1000), 3)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox diff monday.journal tuesday.journal\n' +
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
  { context, instants = false, json }: DiffOptions,
): Promise<void> {
  const onEvents = (seq: number) => showProgress(() => `compared ${seq} events`)
  const verdict = await diffRuns(a, b, { context, instants, signal: interrupt, onEvents })
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
  lines.push(...before.map((event) => `  ${lineOf(event, a.names)}`))
  lines.push(...difference.a.map((event) => `A ${lineOf(event, a.names)}`))
  lines.push(...difference.b.map((event) => `B ${lineOf(event, b.names)}`))
  if (what !== 'end') {
    const fields = fieldsOf(difference, a.names, b.names).map((one) => [
      `  ${one.field}`,
      `A ${one.a}`,
      `B ${one.b}`,
    ])
    lines.push(`event ${seq} differs in`, ...table(fields).split('\n'))
  }
  return lines.map(escaped).join('\n')
}

function headline({ seq, what, a }: Difference, nameA: string, nameB: string): string {
  if (what === 'event') return `they part at event ${seq}`
  if (what === 'state') return `event ${seq} is the same and the state after it is not`
  const [ends, goesOn] = a.length === 0 ? [nameA, nameB] : [nameB, nameA]
  return `${ends} ends before event ${seq}, ${goesOn} goes on`
}

function lineOf(event: KeptEvent, names: Names): string {
  return eventText(recordOf(event, names))
}

function recordOf({ event, atNs }: KeptEvent, names: Names): EventRecord {
  return eventRecord({ ...event, at: 0 }, atNs, names)
}

/** The fields that differ, as they are printed where they are printed at all. */
function fieldsOf({ what, fields, a, b }: Difference, namesA: Names, namesB: Names): Difference['fields'] {
  const [one, two] = [a[0], b[0]]
  if (what !== 'event' || one === undefined || two === undefined) return fields
  const [left, right] = [flat(recordOf(one, namesA)), flat(recordOf(two, namesB))]
  const raw = new Map(fields.map((field) => [snakeCase(field.field), field]))
  return [...raw].map(([field, { a: x, b: y }]) => {
    const [shownA, shownB] = [left.get(field) ?? '-', right.get(field) ?? '-']
    return shownA === shownB ? { field, a: x, b: y } : { field, a: shownA, b: shownB }
  })
}

function flat(record: EventRecord): Map<string, string> {
  const { detail = {}, ...rest } = record
  const details = Object.entries(detail).map(([name, value]) => [`detail.${name}`, String(value)] as const)
  return new Map([...Object.entries(rest).map(([name, value]) => [name, String(value)] as const), ...details])
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function verdictJson({ events, states, difference, before, notes }: DiffVerdict, a: Names, b: Names): string {
  const records = (kept: readonly KeptEvent[], names: Names) => kept.map((event) => recordOf(event, names))
  const said =
    difference === undefined
      ? null
      : {
          seq: difference.seq,
          what: difference.what,
          fields: fieldsOf(difference, a, b),
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
