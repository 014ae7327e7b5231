/** The client of the control API: routes taken over HTTP on the unix socket of whoever has the journal open. */

import { type IncomingMessage, request } from 'node:http'
import { shortest } from '../src/control/control-socket.ts'
import { hasJsonBody } from '../src/control/openapi.ts'
import type { ProblemBody } from '../src/control/problem.ts'
import { type CommandRoute, pathParameters, type ReadRoute, type StreamRoute } from '../src/control/route.ts'
import { BlockboxError, type ErrorCode } from '../src/core/errors.ts'
import { advice, type Code } from '../src/events/code.ts'
import type { EventRecord } from '../src/inspect/event-record.ts'
import type { ControlLink, LinkCall } from './control-link.ts'
import { isErrorCode } from './exit-code.ts'

type Target = Pick<CommandRoute, 'method' | 'path' | 'takesBytes'>

export class RemoteControl implements ControlLink {
  readonly #path: string
  readonly #signal: AbortSignal

  constructor(path: string, signal: AbortSignal) {
    this.#path = path
    this.#signal = signal
  }

  async command<I>(
    route: CommandRoute<I>,
    input: Partial<I>,
    call: LinkCall = {},
  ): ReturnType<ControlLink['command']> {
    const response = await this.#ask(route, input, call)
    const body = JSON.parse(await textOf(response)) as Record<string, unknown>
    if (response.statusCode !== 200) return refusal(body as unknown as ProblemBody)
    const { version: _, command, code, seq, made, repeats, ...about } = body
    const answer = { code: code as Code, seq: Number(seq), made: Number(made) }
    const repeated = repeats === undefined ? answer : { ...answer, repeats: Number(repeats) }
    return { command: String(command), answer: repeated, about }
  }

  /** What a route tells. */
  async read<I>(route: ReadRoute<I>, input: Partial<I>): Promise<Record<string, unknown>> {
    const response = await this.#ask(route, input)
    const body = JSON.parse(await textOf(response)) as Record<string, unknown>
    if (response.statusCode === 200) return body
    throw errorOf(body as unknown as ProblemBody)
  }

  /** The response of a route, to be read as it comes. */
  async stream<I>(route: StreamRoute<I>, input: Partial<I>): Promise<IncomingMessage> {
    const response = await this.#ask(route, input)
    if (response.statusCode === 200) return response
    throw errorOf(JSON.parse(await textOf(response)) as ProblemBody)
  }

  #ask(route: Target, input: object, { key, bytes }: LinkCall = {}): Promise<IncomingMessage> {
    const given = Object.entries(input).filter(([, value]) => value !== undefined)
    const inPath = pathParameters(route.path)
    const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(String(given.find(([one]) => one === name)?.[1] ?? '')),
    )
    const rest = given.filter(([name]) => !inPath.includes(name))
    const asJson = hasJsonBody(route)
    const body = asJson ? Buffer.from(JSON.stringify(Object.fromEntries(rest))) : bytes
    const headers = {
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(body !== undefined && {
        'content-type': asJson ? 'application/json' : 'application/octet-stream',
        'content-length': body.length,
      }),
    }
    const query = asJson || rest.length === 0 ? '' : `?${queryOf(rest)}`
    return new Promise((resolve, reject) => {
      const asking = request({
        ...{ socketPath: shortest(this.#path), method: route.method, path: `${path}${query}`, headers },
        ...{ signal: this.#signal, agent: false },
      })
      asking.once('response', resolve)
      asking.once('error', reject)
      asking.end(body)
    })
  }
}

/** The server said that it stops, and ended the stream in order. */
export class ServerStops extends BlockboxError {}

function queryOf(given: readonly (readonly [string, unknown])[]): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of given) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
  }
  return query
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString()
}

/** A refusal on record is an answer; any other problem is an error. */
function refusal(body: ProblemBody) {
  const { code, seq, command } = body.error
  if (command === undefined || !Object.hasOwn(advice, code)) throw errorOf(body)
  return { command, answer: { code: code as Code, seq: seq ?? 0, made: 0 } }
}

/** The problem as the error that it was on the other side: of this program, of the system, or of HTTP. */
export function errorOf({ error: { code, message, seq } }: ProblemBody): Error {
  if (isErrorCode(code))
    return new BlockboxError(code as ErrorCode, message, seq === undefined ? {} : { seq })
  if (code === 'BAD_REQUEST') return new BlockboxError('USAGE', message)
  if (message.startsWith('cannot use ')) return new BlockboxError('USAGE', message)
  if (/^E[A-Z]+$/.test(code)) return Object.assign(new Error(message), { code, syscall: 'open' })
  return new BlockboxError('ENGINE_STOPPED', `the server says ${code}: ${message}`)
}

/** The records of a stream of lines; an empty list for an empty line. */
export async function* lineRecords(response: IncomingMessage): AsyncGenerator<EventRecord[]> {
  let rest = ''
  for await (const part of response.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + part).split('\n')
    rest = lines.pop()!
    yield lines.filter((line) => line !== '').map(parsed)
    if (lines.includes('')) yield []
  }
  if (rest !== '') throw new BlockboxError('ENGINE_STOPPED', 'the server broke off in the middle of an event')
}

function parsed(line: string): EventRecord {
  const value = JSON.parse(line) as EventRecord | ProblemBody
  if (!('error' in value)) return value
  const { code, message } = value.error
  throw code === 'ENGINE_STOPPED' ? new ServerStops(code, message) : errorOf(value)
}
