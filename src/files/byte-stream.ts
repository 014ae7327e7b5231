/**
 * The bytes of what somebody names, as a stream: a plain file, a device, or a pipe, which may still have nobody who writes
 * into it. A pipe is waited for where a signal can end that: opening it as a file would not let the process end.
 */

import { constants, createReadStream, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'

/** What is at `path`, in pieces of up to `pieceBytes`. The stream ends with what the file system throws. */
export function byteStream(path: string, pieceBytes: number): Readable {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (fstatSync(file).isFIFO()) return new Socket({ fd: file, readable: true, writable: false })
    return createReadStream(path, { fd: file, highWaterMark: pieceBytes })
  } catch (error) {
    return new Readable({
      read() {
        this.destroy(error as Error)
      },
    })
  }
}
