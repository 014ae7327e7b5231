/** What a host sees of an NBD request. */

import { RequestFailed } from '../../src/nbd/protocol/nbd-error.ts'

/** The errno a request fails with, or ok; rejects with any other error. */
export async function errnoOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked
    return 'ok'
  } catch (error) {
    if (error instanceof RequestFailed) return error.errno
    throw error
  }
}
