/** The properties of whole histories that a replay checks, in one list. */

import type { MakeCheck } from './check.ts'

export const checks: readonly MakeCheck[] = []
