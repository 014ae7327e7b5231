/**
 * Options: what their data says, and how a client puts them. All data of an option is read to its end; what is left
 * over is an error.
 */

import { handshakeFlag, magic, option } from './constant.ts'
import { FieldReader, FieldWriter } from './field.ts'
import { maxQueries, maxStringBytes } from './limit.ts'
import { protocolBroken } from './nbd-error.ts'

/** The data of INFO and GO: an export, and what the client wants to know of it. */
export interface ExportQuestion {
  readonly name: string
  readonly infos: readonly number[]
}

/** Throws NBD_PROTOCOL. */
export function readExportQuestion(data: Uint8Array): ExportQuestion {
  const fields = new FieldReader(data)
  const name = fields.text(fields.u32(), maxStringBytes)
  const count = fields.u16()
  if (fields.left !== count * 2) throw protocolBroken('a list of questions that is not as long as it says')
  const infos: number[] = []
  while (fields.left > 0) infos.push(fields.u16())
  return { name, infos }
}

/** The data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export interface ContextQuestion {
  readonly name: string
  readonly queries: readonly string[]
}

/** Throws NBD_PROTOCOL. */
export function readContextQuestion(data: Uint8Array): ContextQuestion {
  const fields = new FieldReader(data)
  const name = fields.text(fields.u32(), maxStringBytes)
  const count = fields.u32()
  if (count > maxQueries) throw protocolBroken(`${count} queries for contexts, more than ${maxQueries}`)
  const queries: string[] = []
  for (let k = 0; k < count; k++) queries.push(fields.text(fields.u32(), maxStringBytes))
  fields.end()
  return { name, queries }
}

/** The name that EXPORT_NAME brings, which is all of its data. Throws NBD_PROTOCOL. */
export function readExportName(data: Uint8Array): string {
  return new FieldReader(data).text(data.length, maxStringBytes)
}

/** What a client says first. */
export function clientFlags(): Uint8Array {
  return new FieldWriter().u32(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes).done()
}

export function optionMessage(number: number, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return new FieldWriter().u64(magic.option).u32(number).u32(data.length).bytes(data).done()
}

/** GO, or INFO when that is meant. */
export function goMessage(name: string, infos: readonly number[], number: number = option.go): Uint8Array {
  const data = new FieldWriter().counted(name).u16(infos.length)
  for (const one of infos) data.u16(one)
  return optionMessage(number, data.done())
}

export function contextMessage(name: string, queries: readonly string[]): Uint8Array {
  const data = new FieldWriter().counted(name).u32(queries.length)
  for (const query of queries) data.counted(query)
  return optionMessage(option.setMetaContext, data.done())
}
