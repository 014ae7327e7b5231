/** Every canary that is planted in a history, in one list. */

import { branchCanaries } from './branch-canaries.ts'
import type { Canary } from './canary.ts'
import { compositionCanaries } from './composition-canaries.ts'
import { fenceCanaries } from './fence-canaries.ts'
import { holdCanaries } from './hold-canaries.ts'
import { mergeCanaries } from './merge-canaries.ts'
import { moverCanaries } from './mover-canaries.ts'
import { orderCanaries } from './order-canaries.ts'
import { pairCanaries } from './pair-canaries.ts'
import { preserveCanaries } from './preserve-canaries.ts'
import { rebindCanaries } from './rebind-canaries.ts'
import { restoreCanaries } from './restore-canaries.ts'
import { scopeCanaries } from './scope-canaries.ts'
import { tapCanaries } from './tap-canaries.ts'
import { unprotectedCanaries } from './unprotected-canaries.ts'

export const canaries: readonly Canary[] = [
  ...orderCanaries,
  ...fenceCanaries,
  ...moverCanaries,
  ...holdCanaries,
  ...scopeCanaries,
  ...preserveCanaries,
  ...mergeCanaries,
  ...rebindCanaries,
  ...pairCanaries,
  ...restoreCanaries,
  ...unprotectedCanaries,
  ...compositionCanaries,
  ...branchCanaries,
  ...tapCanaries,
]
