/** What goes wrong between two sides of an NBD connection, as errors a caller can act on. */

import { BlockboxError } from '../../core/errors.ts'
import type { Errno } from './constant.ts'

/** The other side broke the protocol: nothing it says further on can be understood. */
export function protocolBroken(what: string): BlockboxError {
  return new BlockboxError('NBD_PROTOCOL', `the other side broke the NBD protocol: ${what}`)
}

/** A request that the server answered with an error. */
export class RequestFailed extends BlockboxError {
  readonly errno: Errno

  constructor(errno: Errno, what: string, said = '') {
    super('NBD_FAILED', `${what} failed with ${errno}${said === '' ? '' : `: ${said}`}`)
    this.errno = errno
  }
}
