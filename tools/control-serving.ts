/** The control API beside the volumes of a server, as its options say. */

import { resolve } from 'node:path'
import { type ControlOptions, type ControlServer, serveControl } from '../src/control/control-server.ts'
import { controlSocket, fitsSocket } from '../src/control/control-socket.ts'
import { BlockboxError } from '../src/core/errors.ts'
import type { Reign, Succession } from '../src/engine/succession.ts'
import type { Places } from '../src/images/places.ts'
import { readBounded } from './bounded-file.ts'
import { type JournalOption, journalDir } from './journal-option.ts'
import { remark } from './remark.ts'

const maxTokenBytes = 4096

export interface ControlServing extends JournalOption {
  /** A path; false: none; left out: the usual one. */
  readonly control?: string | boolean
  readonly controlPort?: number
  readonly controlToken?: string
}

/** What it is served in front of; `succession` where the journal may be opened anew. */
export interface Controllable extends Reign {
  readonly places: Places
  readonly succession?: Succession
}

/** Serves the API; undefined where there is to be none. Throws USAGE, SOCKET. */
export async function controlFor(
  options: ControlServing,
  { engine, journal, payload, places, succession }: Controllable,
): Promise<ControlServer | undefined> {
  const { control, controlPort, controlToken } = options
  const folder = resolve(journalDir(options))
  if (controlPort === undefined && controlToken !== undefined) {
    throw new BlockboxError('USAGE', '--control-token goes with --control-port')
  }
  if (control === false && controlPort === undefined) return undefined
  let how: ControlOptions = { folder, places, ...(succession && { succession }) }
  if (controlPort !== undefined) how = { ...how, port: controlPort, token: tokenIn(controlToken) }
  else if (typeof control === 'string') how = { ...how, path: resolve(control) }
  else if (!fitsSocket(controlSocket(folder))) {
    remark('there is no control socket: its path would be too long. Name a shorter one with --control PATH')
    return undefined
  }
  const server = await serveControl(engine, journal, payload, how)
  if ('port' in server.address) remark(`the control API listens on 127.0.0.1 port ${server.address.port}`)
  return server
}

/** The token in a file, without the line end. */
function tokenIn(file: string | undefined): string {
  if (file === undefined) {
    throw new BlockboxError(
      'USAGE',
      '--control-port needs a token: name a file that holds it with --control-token',
    )
  }
  return readBounded(file, maxTokenBytes).toString('utf8').trim()
}
