/** A request as a client puts it. */

import { command, magic } from './constant.ts'
import { FieldWriter } from './field.ts'

/** What may be asked of an export, by name. */
export type Command = keyof typeof command

export interface RequestHead {
  readonly type: Command
  /** Bits of `commandFlag`. */
  readonly flags: number
  readonly cookie: number
  readonly offset: number
  readonly length: number
}

/** The head of a request; the data of a write follows it. */
export function requestHead({ type, flags, cookie, offset, length }: RequestHead): Uint8Array {
  return new FieldWriter()
    .u32(magic.request)
    .u16(flags)
    .u16(command[type])
    .u64(cookie)
    .u64(offset)
    .u32(length)
    .done()
}
