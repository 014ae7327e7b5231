/**
 * Problems: what the API answers when it does not do what was asked. One form for all of them,
 * `{"error":{"code","message","advice"}}`, the status of HTTP that fits, and for a refusal on record its event.
 */

import { Violation } from '../core/assert.ts'
import { BlockboxError, type ErrorCode } from '../core/errors.ts'
import { fileRefusal } from '../core/file-reason.ts'
import type { Answer } from '../engine/ask.ts'
import { advice, type Code } from '../events/code.ts'

/** Codes of HTTP itself, besides those of errors and refusals. */
export type HttpCode =
  | 'BAD_REQUEST'
  | 'UNAUTHORIZED'
  | 'NO_SUCH_ROUTE'
  | 'NO_SUCH_METHOD'
  | 'TOO_LARGE'
  | 'TOO_SLOW'
  | 'MEDIA_TYPE'
  | 'INTERNAL'

export interface ProblemBody {
  readonly error: {
    readonly code: string
    readonly message: string
    /** What to do next. */
    readonly advice: string
    /** The event that says so, for a refusal that is on record. */
    readonly seq?: number
    /** What was asked, for a refusal that is on record. */
    readonly command?: string
  }
}

export class Problem extends Error {
  readonly status: number
  readonly body: ProblemBody
  /** Headers that go with the status. */
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, error: ProblemBody['error'], headers: Readonly<Record<string, string>> = {}) {
    super(error.message)
    this.name = 'Problem'
    this.status = status
    this.body = { error }
    this.headers = headers
  }
}

const ofHttp: Readonly<Record<HttpCode, readonly [number, string]>> = {
  BAD_REQUEST: [400, 'GET /openapi.json says what every route takes'],
  UNAUTHORIZED: [401, 'send the header "Authorization: Bearer TOKEN" with the token of the server'],
  NO_SUCH_ROUTE: [404, 'GET /openapi.json lists the routes'],
  NO_SUCH_METHOD: [405, 'the header Allow names the methods of this path'],
  TOO_SLOW: [408, 'send the request in one go, or over a faster connection'],
  TOO_LARGE: [413, 'send less at once: a body has at most 1 MiB'],
  MEDIA_TYPE: [415, 'send the header "Content-Type: application/json"'],
  INTERNAL: [500, 'the log of the server says more; please report it'],
}

/** A problem of HTTP, before anything was asked of the engine. */
export function httpProblem(code: HttpCode, message: string, headers?: Record<string, string>): Problem {
  const [status, next] = ofHttp[code]
  return new Problem(status, { code, message, advice: next }, headers)
}

const ofRefusal: Readonly<Partial<Record<Code, number>>> = {
  E_NO_VOLUME: 404,
  E_NO_SESSION: 404,
  E_NO_PAIR: 404,
  E_NOT_ACTIVE: 404,
  E_NOT_OWNER: 403,
  E_READ_ONLY: 403,
  E_RANGE: 422,
  E_ALIGN: 422,
  E_SIZE: 422,
  E_NAME: 422,
  E_KEY_USED: 422,
  E_SHARED_META: 422,
  E_UNSUPPORTED: 501,
  E_QUEUE_FULL: 503,
  E_AGAIN: 503,
  E_STOPPED: 503,
  E_IO: 500,
  E_NOSPC: 507,
}

/** A refusal that is on record. A conflict with what goes on, where its code does not say otherwise. */
export function refusalProblem(command: string, { code, seq }: Answer): Problem {
  const status = ofRefusal[code] ?? 409
  const retry: Record<string, string> = status === 503 ? { 'retry-after': '1' } : {}
  const message = `${command} was refused, as event ${seq} says: ${code}`
  return new Problem(status, { code, message, advice: advice[code], seq, command }, retry)
}

const ofError: Readonly<Partial<Record<ErrorCode, readonly [number, string]>>> = {
  USAGE: [400, 'change the request as the message says'],
  SCENARIO: [400, 'change the request as the message says'],
  NO_SUCH_VOLUME: [404, 'GET /volumes lists the volumes'],
  STALLED: [409, 'wait for what goes on to end, then try again'],
  NO_SUCH_COPY: [404, 'GET /copies lists the copies'],
  COPY_CANCELLED: [409, 'POST /copies with resume goes on with it'],
  COPY_DIFFERS: [500, 'POST /copies with force begins it anew'],
  NO_SUCH_POINT: [404, 'GET /marks lists the marks, GET /info the first and the last event'],
  JOURNAL_TRUNCATED: [410, 'GET /info says which events are still there'],
  LAYOUT: [422, 'name the metadata as ranges of bytes'],
  SHARED_META: [422, 'name other files, or fence the whole volume'],
  ENGINE_STOPPED: [503, 'start the server again'],
  JOURNAL_IN_DOUBT: [
    503,
    'see to the disk of the journal, then POST /reopen, or start the server again; reads go on until then',
  ],
  JOURNAL_FULL: [
    507,
    'make room on the disk of the journal: the server goes on by itself, POST /reopen does not wait',
  ],
}

/** Any error as a problem. What nobody foresaw is told without its inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof BlockboxError) {
    const { code, message, seq } = error
    const [status, next] = ofError[code] ?? [
      500,
      'run `blockbox verify` on the journal when the server has ended',
    ]
    return new Problem(status, { code, message, advice: next, ...(seq !== undefined && { seq }) })
  }
  if (error instanceof Error && 'syscall' in error) {
    const code = String((error as NodeJS.ErrnoException).code)
    return new Problem(422, {
      code,
      message: fileRefusal(error) ?? error.message,
      advice: 'see to the file on the machine of the server',
    })
  }
  if (error instanceof Violation) return httpProblem('INTERNAL', `a rule does not hold: ${error.rule}`)
  return httpProblem('INTERNAL', 'something went wrong that nobody foresaw')
}

/** The problem as the response of HTTP. */
export function problemResponse(error: unknown): Response {
  const { status, body, headers } = problemOf(error)
  return Response.json(body, { status, headers })
}
