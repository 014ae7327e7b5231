/**
 * Messages of the control network: a client's request for the restore of an image, and what the server answers. One
 * line of JSON each, at most 4096 bytes: there is no room for the image, and none of it goes this way (SPEC S0-I10).
 */

import { BlockboxError } from '../core/errors.ts'

/** No message is longer. */
export const maxMessageBytes = 4096

export interface RestoreRequest {
  readonly ask: 'restore'
  /** Name of the fence, and the session that owns it. */
  readonly fence: string
  readonly session: number
  /** The image as the server knows it. */
  readonly image: string
}

export interface StatusRequest {
  readonly ask: 'status'
  readonly fence: string
}

export type ControlRequest = RestoreRequest | StatusRequest

export interface ControlReply {
  /** ok, or why not: a code of the engine, or IMAGE when the server cannot open it. */
  readonly code: string
  readonly message?: string
  /** Bytes that were moved, and that are to be moved in all. */
  readonly moved?: number
  readonly total?: number
  /** closing, restoring, ... as the fence is; `gone` when it does not stand. */
  readonly phase?: string
}

/** The bytes of a message. */
export function encodeMessage(message: ControlRequest | ControlReply): Uint8Array {
  const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`)
  if (bytes.length <= maxMessageBytes) return bytes
  throw new BlockboxError(
    'USAGE',
    `a control message has ${bytes.length} bytes, more than ${maxMessageBytes}`,
  )
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length > maxMessageBytes) throw new BlockboxError('USAGE', 'a control message is too long')
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new BlockboxError('USAGE', 'a control message is no line of JSON', { cause })
  }
  if (typeof value !== 'object' || value === null)
    throw new BlockboxError('USAGE', 'a control message is no record')
  return value as Record<string, unknown>
}

/** A request, checked. Throws USAGE. */
export function decodeRequest(bytes: Uint8Array): ControlRequest {
  const { ask, fence, session, image } = parse(bytes)
  if (typeof fence === 'string') {
    if (ask === 'status') return { ask, fence }
    const owner = typeof session === 'number' && Number.isInteger(session) && session > 0
    if (ask === 'restore' && owner && typeof image === 'string') return { ask, fence, session, image }
  }
  throw new BlockboxError('USAGE', 'a control message asks for nothing that is known')
}

/** A reply, checked. Throws USAGE. */
export function decodeReply(bytes: Uint8Array): ControlReply {
  const { code, message, moved, total, phase } = parse(bytes)
  if (typeof code !== 'string') throw new BlockboxError('USAGE', 'a reply has no code')
  return {
    code,
    ...(typeof message === 'string' && { message }),
    ...(typeof moved === 'number' && { moved }),
    ...(typeof total === 'number' && { total }),
    ...(typeof phase === 'string' && { phase }),
  }
}
