/**
 * A client's side of the negotiation: one option at a time, each answered before the next.
 *
 *     greeting ─▶ [STARTTLS ─▶ TLS] ─▶ structured replies ─▶ base:allocation ─▶ GO ─▶ requests
 */

import type { Socket } from 'node:net'
import { BlockboxError } from '../../core/errors.ts'
import {
  allocationContext,
  handshakeFlag,
  info,
  option,
  optionError,
  optionReply,
} from '../protocol/constant.ts'
import { maxListed } from '../protocol/limit.ts'
import { protocolBroken } from '../protocol/nbd-error.ts'
import { clientFlags, contextMessage, goMessage, optionMessage } from '../protocol/option.ts'
import {
  type ExportFacts,
  type ListedExport,
  readContext,
  readInfo,
  readListed,
  refusalText,
} from '../protocol/server-answer.ts'
import type { OptionReply, ServerMessage, ServerStream } from '../protocol/server-stream.ts'
import { type ClientTls, secure } from './dial.ts'

/** Refusals have the highest bit set. */
const refused = 2 ** 31

export class Agreement {
  readonly #limitMs: number
  #socket: Socket
  #stream: ServerStream
  /** True from TLS to the first word of the server: it may yet turn this side's certificate down. */
  #fresh = false

  /** @param stream reads what the server says, from its greeting on */
  constructor(socket: Socket, stream: ServerStream, limitMs: number) {
    this.#socket = socket
    this.#stream = stream
    this.#limitMs = limitMs
  }

  /** The socket as it is now: another one after TLS. */
  get socket(): Socket {
    return this.#socket
  }

  /** Throws NBD_PROTOCOL when no server of the new style answers, NBD_REFUSED when it does without TLS. */
  async begin(tls: ClientTls | undefined): Promise<void> {
    const greeting = await this.#next()
    if (greeting.kind !== 'greeting' || (greeting.flags & handshakeFlag.fixedNewstyle) === 0) {
      throw protocolBroken('the server does not negotiate in the fixed new style')
    }
    this.#socket.write(clientFlags())
    if (tls === undefined) return
    await this.#startTls()
    if (this.#stream.underWay) throw protocolBroken('bytes that were not encrypted came after STARTTLS')
    this.#socket = await secure(this.#socket, tls, this.#limitMs)
    this.#fresh = true
  }

  /** True when the server will send structured replies. */
  async structured(): Promise<boolean> {
    const number = option.structuredReply
    return this.#asked(() => this.#ask(number, optionMessage(number), () => undefined))
  }

  /** The number of base:allocation for the export; undefined when the server does not know it. */
  async allocation(name: string): Promise<number | undefined> {
    let found: number | undefined
    await this.#asked(() =>
      this.#ask(option.setMetaContext, contextMessage(name, [allocationContext]), (reply) => {
        const given = readContext(reply.data)
        if (given.name === allocationContext) found = given.id
      }),
    )
    return found
  }

  /** Takes up an export. Throws NBD_REFUSED with what the server says. */
  async go(name: string): Promise<ExportFacts> {
    const facts: ExportFacts = {}
    await this.#ask(option.go, goMessage(name, [info.blockSize]), ({ type, data }) => {
      if (type === optionReply.info) readInfo(data, facts)
    })
    if (facts.size === undefined) throw protocolBroken('the server did not tell the size of the export')
    return facts
  }

  async list(): Promise<ListedExport[]> {
    const found: ListedExport[] = []
    await this.#ask(option.list, optionMessage(option.list), ({ type, data }) => {
      if (found.length === maxListed) throw protocolBroken(`a list of more than ${maxListed} exports`)
      if (type === optionReply.server) found.push(readListed(data))
    })
    return found
  }

  async #startTls(): Promise<void> {
    try {
      await this.#ask(option.startTls, optionMessage(option.startTls), () => undefined)
    } catch (error) {
      if (!(error instanceof BlockboxError && error.code === 'NBD_REFUSED')) throw error
      const message = `the server speaks no TLS: start it with certificates, or write nbd in place of nbds`
      throw new BlockboxError('NBD_REFUSED', message, { cause: error })
    }
  }

  /** True when the option was granted, false when it was refused. */
  async #asked(ask: () => Promise<void>): Promise<boolean> {
    try {
      await ask()
      return true
    } catch (error) {
      if (error instanceof BlockboxError && error.code === 'NBD_REFUSED') return false
      throw error
    }
  }

  async #ask(number: number, message: Uint8Array, each: (reply: OptionReply) => void): Promise<void> {
    this.#socket.write(message)
    for (;;) {
      const reply = await this.#next()
      if (reply.kind !== 'option' || reply.option !== number)
        throw protocolBroken('a reply to another option')
      if (reply.type >= refused) {
        const hint =
          reply.type === optionError.tlsRequired ? ': it wants TLS, write nbds in place of nbd' : ''
        const text = refusalText(reply.type, reply.data)
        throw new BlockboxError('NBD_REFUSED', `the server refused: ${text}${hint}`)
      }
      if (reply.type === optionReply.ack) return
      each(reply)
    }
  }

  /** The next message of the server, and no byte more than was sent with it. */
  #next(): Promise<ServerMessage> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        end(new BlockboxError('NBD_DEADLINE', `the server did not answer within ${this.#limitMs} ms`))
      }, this.#limitMs)
      const take = () => {
        try {
          const message = this.#stream.next()
          if (message !== undefined) end(message)
        } catch (error) {
          end(error as Error)
        }
      }
      const onData = (bytes: Buffer) => {
        this.#stream.push(bytes)
        take()
      }
      const hint = this.#fresh
        ? ' when TLS was on: does it want client-cert.pem, signed by its authority?'
        : ''
      const onClose = () => end(new BlockboxError('NBD_CLOSED', `the server closed the connection${hint}`))
      const onError = (cause: Error) =>
        end(new BlockboxError('NBD_CLOSED', `${cause.message}${hint}`, { cause }))
      const end = (result: ServerMessage | Error) => {
        clearTimeout(timer)
        socket.pause()
        socket.off('data', onData)
        socket.off('close', onClose)
        socket.off('error', onError)
        if (result instanceof Error) return reject(result)
        this.#fresh = false
        resolve(result)
      }
      socket.on('data', onData)
      socket.on('close', onClose)
      socket.on('error', onError)
      take()
      if (socket.closed) onClose()
      else socket.resume()
    })
  }
}
