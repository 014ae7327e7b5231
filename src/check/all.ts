/** The properties of whole histories that a replay checks, in one list. */

import type { MakeCheck } from './check.ts'
import { coverage } from './coverage.ts'
import { hold } from './hold.ts'
import { order } from './order.ts'
import { outsideCoverage } from './outside-coverage.ts'
import { refusal } from './refusal.ts'
import { repeatable } from './repeatable.ts'
import { restoreMaps } from './restore-maps.ts'
import { restoredContent } from './restored-content.ts'

export const checks: readonly MakeCheck[] = [
  order,
  hold,
  coverage,
  outsideCoverage,
  restoredContent,
  restoreMaps,
  repeatable,
  refusal,
]
