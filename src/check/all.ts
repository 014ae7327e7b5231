/** The properties of whole histories that a replay checks, in one list. */

import type { MakeCheck } from './check.ts'
import { coverage } from './coverage.ts'
import { disjoint } from './disjoint.ts'
import { fence } from './fence.ts'
import { hold } from './hold.ts'
import { holdBounds } from './hold-bounds.ts'
import { locking } from './locking.ts'
import { mirror } from './mirror.ts'
import { order } from './order.ts'
import { outsideCoverage } from './outside-coverage.ts'
import { rebound } from './rebound.ts'
import { refusal } from './refusal.ts'
import { repeatable } from './repeatable.ts'
import { repeatedCommand } from './repeated-command.ts'
import { requestEnd } from './request-end.ts'
import { restoreMaps } from './restore-maps.ts'
import { restoredContent } from './restored-content.ts'
import { viewLife } from './view-life.ts'

export const checks: readonly MakeCheck[] = [
  order,
  hold,
  holdBounds,
  requestEnd,
  repeatedCommand,
  disjoint,
  fence,
  coverage,
  outsideCoverage,
  restoredContent,
  restoreMaps,
  repeatable,
  mirror,
  locking,
  viewLife,
  rebound,
  refusal,
]
