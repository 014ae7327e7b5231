/** All checks as one, and what they found. */

import { checks } from '../../src/check/all.ts'
import type { Check, Finding, MakeCheck } from '../../src/check/check.ts'

export interface Checked extends Check {
  readonly findings: readonly Finding[]
}

/** @param first is told of every event before the checks are. */
export function checked(makers: readonly MakeCheck[] = checks, first: Check = { rules: [] }): Checked {
  const findings: Finding[] = []
  const all = [first, ...makers.map((make) => make((finding) => findings.push(finding)))]
  return {
    findings,
    rules: all.flatMap((check) => check.rules),
    before(event, world) {
      for (const check of all) check.before?.(event, world)
    },
    after(event, world) {
      for (const check of all) check.after?.(event, world)
    },
    end(world) {
      for (const check of all) check.end?.(world)
    },
  }
}
