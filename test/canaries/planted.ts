/**
 * A program: plants every canary of a history or of media, and prints one line of JSON for each: what it is called, what
 * it was planted in, whether its rule found it, and what did. tools/canaries.ts runs it.
 */

import { canaries } from './all-canaries.ts'
import { findingsOf } from './canary.ts'
import { mediaCanaries } from './media-canaries.ts'

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

for (const { rule, what, past, fault, sound } of canaries) {
  const { thrown, checks } = findingsOf([...past, ...fault])
  const clean = findingsOf([...past, ...sound])
  const isSound = clean.thrown === undefined && clean.checks.length === 0
  const by = checks.includes(rule) ? `check ${rule}` : `fold ${thrown ?? '-'}`
  const caught = checks.includes(rule) || thrown === rule
  say({ rule, what, planted: 'history', caught: caught && isSound, by: isSound ? by : 'its sound twin too' })
}
for (const { rule, what, findings, sound } of mediaCanaries) {
  const found = findings().some((finding) => finding.rule === rule)
  const isSound = sound().length === 0
  const by = isSound ? `check ${rule}` : 'its sound twin too'
  say({ rule, what, planted: 'media', caught: found && isSound, by })
}
