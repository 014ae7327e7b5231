/** Where copies go, by name: a file by its path, an export of an NBD server by its URI. */

import { isNbdUri } from '../nbd/client/uri.ts'
import { openCopyFile } from './copy-file.ts'
import type { CopyTarget, TargetAsk } from './copy-target.ts'
import { openNbdTarget } from './nbd-target.ts'

/** Opens a target to be written. Throws USAGE when it may not be or cannot, or what the connection or system throws. */
export function openTarget(ask: TargetAsk): Promise<CopyTarget> {
  return isNbdUri(ask.target) ? openNbdTarget(ask) : openCopyFile(ask)
}
