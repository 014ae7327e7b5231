/**
 * The options of one connection, answered one after the other.
 *
 *     plain ── STARTTLS ──▶ (all forgotten) secure ── GO, EXPORT_NAME ──▶ an open export ──▶ requests
 *       └─────────── where TLS is not required ────────────────▲
 *
 * Where TLS is required nothing else is answered before it. What was agreed before STARTTLS does not count after it:
 * somebody else may have agreed it.
 */

import { BlockboxError } from '../../core/errors.ts'
import { allocationContext, info, option, type optionError, optionReply } from '../protocol/constant.ts'
import { type ExportDescription, infoData } from '../protocol/export-description.ts'
import { readContextQuestion, readExportName, readExportQuestion } from '../protocol/option.ts'
import { contextReply, exportNameAnswer, refusalOf, replyTo, serverReply } from '../protocol/option-reply.ts'
import type { Catalog, OpenExport } from './exported.ts'

/** What was agreed for the requests. */
export interface Agreed {
  readonly structured: boolean
  /** The number of the context base:allocation; undefined when it was not asked for. */
  readonly allocation: number | undefined
}

export interface Outcome {
  readonly replies: readonly Uint8Array[]
  /** What comes after the replies; nothing: the next option. */
  readonly next?: 'close' | 'secure' | { readonly opened: OpenExport; readonly agreed: Agreed }
}

export interface NegotiationTerms {
  readonly catalog: Catalog
  /** Who the other side is, for the record. */
  readonly peer: string
  /** `none`: there are no certificates; `required`: nothing is answered before it; `done`. */
  readonly tls: 'none' | 'required' | 'done'
  /** Aborted when the connection goes. */
  readonly signal: AbortSignal
}

const allocationId = 1

export class Negotiation {
  readonly #terms: NegotiationTerms
  readonly #noZeroes: boolean
  #structured = false
  /** The export for which base:allocation was asked. */
  #contextOf: string | undefined

  constructor(terms: NegotiationTerms, noZeroes: boolean) {
    this.#terms = terms
    this.#noZeroes = noZeroes
  }

  /** Answers one option. Never rejects: what goes wrong is a refusal, or the end of the connection. */
  async take(number: number, data: Uint8Array): Promise<Outcome> {
    try {
      return await this.#answer(number, data)
    } catch (error) {
      if (number === option.exportName) return { replies: [], next: 'close' }
      return { replies: [refusalOf(number, refusalFor(error), error instanceof Error ? error.message : '')] }
    }
  }

  async #answer(number: number, data: Uint8Array): Promise<Outcome> {
    if (number === option.abort) return { replies: [replyTo(number, optionReply.ack)], next: 'close' }
    if (number === option.startTls) return this.#secure(data)
    if (this.#terms.tls === 'required') {
      if (number === option.exportName) return { replies: [], next: 'close' }
      return { replies: [refusalOf(number, 'tlsRequired', 'this server wants TLS: begin with STARTTLS')] }
    }
    switch (number) {
      case option.exportName:
        return this.#exportName(readExportName(data))
      case option.list:
        return data.length > 0 ? withoutData(number) : { replies: await this.#list() }
      case option.info:
      case option.go:
        return this.#go(number, data)
      case option.structuredReply:
        if (data.length > 0) return withoutData(number)
        this.#structured = true
        return { replies: [replyTo(number, optionReply.ack)] }
      case option.listMetaContext:
      case option.setMetaContext:
        return this.#contexts(number, data)
      default:
        return { replies: [refusalOf(number, 'unsupported', `option ${number} is not known here`)] }
    }
  }

  #secure(data: Uint8Array): Outcome {
    const number = option.startTls
    if (data.length > 0) return withoutData(number)
    if (this.#terms.tls === 'required') return { replies: [replyTo(number, optionReply.ack)], next: 'secure' }
    const done = this.#terms.tls === 'done'
    const error = done ? 'invalid' : 'policy'
    return {
      replies: [refusalOf(number, error, done ? 'TLS is on already' : 'this server has no certificates')],
    }
  }

  async #exportName(name: string): Promise<Outcome> {
    const opened = await this.#open(name)
    return {
      replies: [exportNameAnswer(opened.description, this.#noZeroes)],
      next: { opened, agreed: this.#agreed(name) },
    }
  }

  async #list(): Promise<Uint8Array[]> {
    const listed = await this.#terms.catalog.list()
    return [
      ...listed.map(({ name, description }) => serverReply(option.list, name, description)),
      replyTo(option.list, optionReply.ack),
    ]
  }

  async #go(number: number, data: Uint8Array): Promise<Outcome> {
    const { name, infos } = readExportQuestion(data)
    const { catalog, signal } = this.#terms
    if (number === option.info) {
      return { replies: told(number, await catalog.describe(name, signal), infos) }
    }
    const opened = await this.#open(name)
    return { replies: told(number, opened.description, infos), next: { opened, agreed: this.#agreed(name) } }
  }

  #open(name: string): Promise<OpenExport> {
    const { catalog, peer, signal } = this.#terms
    return catalog.open(name, peer, signal)
  }

  #agreed(name: string): Agreed {
    const allocation = this.#structured && this.#contextOf === name ? allocationId : undefined
    return { structured: this.#structured, allocation }
  }

  async #contexts(number: number, data: Uint8Array): Promise<Outcome> {
    if (number === option.setMetaContext) this.#contextOf = undefined
    if (!this.#structured) {
      return {
        replies: [refusalOf(number, 'invalid', 'contexts want structured replies: ask for those first')],
      }
    }
    const { name, queries } = readContextQuestion(data)
    await this.#terms.catalog.describe(name, this.#terms.signal)
    const setting = number === option.setMetaContext
    const all = !setting && (queries.length === 0 || queries.includes('base:'))
    if (!all && !queries.includes(allocationContext)) return { replies: [replyTo(number, optionReply.ack)] }
    if (setting) this.#contextOf = name
    const id = setting ? allocationId : 0
    return { replies: [contextReply(number, id, allocationContext), replyTo(number, optionReply.ack)] }
  }
}

function withoutData(number: number): Outcome {
  return { replies: [refusalOf(number, 'invalid', 'this option has no data')] }
}

/** What a client is told of an export: always its size and flags, the rest when it asked. */
function told(number: number, about: ExportDescription, infos: readonly number[]): Uint8Array[] {
  const wanted = new Set([info.export, ...infos])
  const replies: Uint8Array[] = []
  for (const one of wanted) {
    const data = infoData(about, one)
    if (data !== undefined) replies.push(replyTo(number, optionReply.info, data))
  }
  return [...replies, replyTo(number, optionReply.ack)]
}

function refusalFor(error: unknown): keyof typeof optionError {
  if (!(error instanceof BlockboxError)) return 'invalid'
  switch (error.code) {
    case 'NBD_PROTOCOL':
      return 'invalid'
    case 'NBD_REFUSED':
      return 'policy'
    case 'ENGINE_STOPPED':
      return 'shutdown'
    default:
      return 'unknown'
  }
}
