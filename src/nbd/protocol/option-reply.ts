/** The server's side of the negotiation: its greeting, and the replies to options. */

import { handshakeFlag, magic, optionError, optionReply } from './constant.ts'
import { type ExportDescription, transmissionFlags } from './export-description.ts'
import { FieldWriter } from './field.ts'

const nothing = new Uint8Array(0)

/** What a server says first. */
export function greeting(): Uint8Array {
  return new FieldWriter()
    .u64(magic.greeting)
    .u64(magic.option)
    .u16(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes)
    .done()
}

export function replyTo(option: number, type: number, data: Uint8Array = nothing): Uint8Array {
  return new FieldWriter().u64(magic.optionReply).u32(option).u32(type).u32(data.length).bytes(data).done()
}

/** A refusal, with a word for people. */
export function refusalOf(option: number, error: keyof typeof optionError, why: string): Uint8Array {
  return replyTo(option, optionError[error], new FieldWriter().text(why.slice(0, 1000)).done())
}

/** One export of a list. */
export function serverReply(option: number, name: string, description: string): Uint8Array {
  return replyTo(option, optionReply.server, new FieldWriter().counted(name).text(description).done())
}

export function contextReply(option: number, id: number, name: string): Uint8Array {
  return replyTo(option, optionReply.metaContext, new FieldWriter().u32(id).text(name).done())
}

/** The answer to EXPORT_NAME, which is no reply like the others: size, flags, and zeros unless the client does without. */
export function exportNameAnswer(about: ExportDescription, noZeroes: boolean): Uint8Array {
  const fields = new FieldWriter().u64(about.size).u16(transmissionFlags(about))
  return (noZeroes ? fields : fields.bytes(new Uint8Array(124))).done()
}
