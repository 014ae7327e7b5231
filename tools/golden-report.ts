/** Results of golden runs for machines: JSON lines, TAP version 14, JUnit XML. */

import type { GoldenResult } from '../src/golden/golden-run.ts'
import { escaped, plainJson } from './output.ts'

export function resultJson({
  ok,
  name,
  path,
  events,
  stateHash,
  findings,
  divergence,
  text,
}: GoldenResult): string {
  const parted =
    divergence === undefined
      ? null
      : {
          seq: divergence.seq,
          what: divergence.what,
          recorded: divergence.recorded ?? null,
          now: divergence.now ?? null,
          fields: divergence.fields.map(({ field, recorded = null, now = null }) => ({
            field,
            recorded,
            now,
          })),
        }
  const found = findings.map(({ seq, rule, detail }) => ({ seq, rule, detail }))
  const record = { version: 1, ok, name, file: path, events, state_hash: stateHash, findings: found }
  return plainJson(JSON.stringify({ ...record, divergence: parted, text }))
}

export function tap(results: readonly GoldenResult[]): string {
  const lines = ['TAP version 14', `1..${results.length}`]
  for (const [k, { ok, name, text }] of results.entries()) {
    lines.push(`${ok ? 'ok' : 'not ok'} ${k + 1} - ${escaped(name).replace(/[#\\]/g, (one) => `\\${one}`)}`)
    if (!ok) lines.push('  ---', '  message: |', ...told(text).map((line) => `    ${line}`), '  ...')
  }
  return lines.join('\n')
}

export function junit(results: readonly { readonly result: GoldenResult; readonly ms: number }[]): string {
  const red = results.filter(({ result }) => !result.ok).length
  const cases = results.flatMap(({ result: { ok, name, text }, ms }) => {
    const open = `  <testcase classname="golden" name="${xml(escaped(name))}" time="${(ms / 1000).toFixed(3)}"`
    if (ok) return [`${open}/>`]
    const [first = '', ...rest] = told(text)
    const body = xml([first, ...rest].join('\n'))
    return [`${open}>`, `    <failure message="${xml(first)}">${body}</failure>`, '  </testcase>']
  })
  const suite = `<testsuite name="blockbox golden runs" tests="${results.length}" failures="${red}">`
  return ['<?xml version="1.0" encoding="UTF-8"?>', suite, ...cases, '</testsuite>'].join('\n')
}

function told(text: string): string[] {
  return text.split('\n').map(escaped)
}

const marks: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function xml(text: string): string {
  return text.replace(/[&<>"]/g, (mark) => marks[mark]!)
}
