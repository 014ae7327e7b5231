/** Which error a host sees for each reason that a request did not succeed. */

import { BlockboxError } from '../../core/errors.ts'
import { advice, type Code } from '../../events/code.ts'
import type { Errno } from '../protocol/constant.ts'

export interface Failure {
  readonly errno: Errno
  /** For people; structured replies carry it to the client. */
  readonly why: string
}

const errnoOf: Readonly<Partial<Record<Code, Errno>>> = {
  E_RANGE: 'EINVAL',
  E_ALIGN: 'EINVAL',
  E_UNSUPPORTED: 'ENOTSUP',
  E_CLONE_PROTECTED: 'EPERM',
  E_READ_ONLY: 'EPERM',
  E_FENCED: 'EPERM',
  E_NOT_OWNER: 'EPERM',
  E_BUSY_SYNC: 'EPERM',
  E_QUEUE_FULL: 'ENOMEM',
  E_AGAIN: 'ENOMEM',
  E_BOUND: 'ENOSPC',
  E_NOSPC: 'ENOSPC',
  E_TAP_ENDED: 'ESHUTDOWN',
  E_CRASH: 'ESHUTDOWN',
  E_SESSION_CLOSED: 'ESHUTDOWN',
  E_STOPPED: 'ESHUTDOWN',
}

/** @param changes true for a request that changes content: past the end there is no space for it */
export function failureOf(code: Code, changes: boolean): Failure {
  const errno = code === 'E_RANGE' && changes ? 'ENOSPC' : (errnoOf[code] ?? 'EIO')
  return { errno, why: `${code}: ${advice[code]}` }
}

/** What an error that was thrown means to the host whose request met it. */
export function failureFrom(error: unknown): Failure {
  if (!(error instanceof BlockboxError)) return { errno: 'EIO', why: 'an internal error' }
  const why = `${error.code}: ${error.message}`
  switch (error.code) {
    case 'ENGINE_STOPPED':
      return { errno: 'ESHUTDOWN', why }
    case 'JOURNAL_FULL':
      return { errno: 'ENOSPC', why }
    case 'USAGE':
      return { errno: 'EINVAL', why }
    default:
      return { errno: 'EIO', why }
  }
}
