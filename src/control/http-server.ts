/**
 * The API over node:http: requests read whole within bounds, responses written at the pace of who reads them.
 *
 *     connection ── one of 64 ─▶ headers ── 10 s ─▶ body ── 1 MiB, 30 s ─▶ handler ─▶ response ── taken in time ─▶ next
 *                       └────────────┴──────────────────┴── a problem as JSON, and the connection is closed
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Handler } from './app.ts'
import { httpProblem, type Problem, problemResponse } from './problem.ts'

export interface HttpLimits {
  readonly bodyBytes: number
  readonly headersMs: number
  /** For the whole request, its body included. */
  readonly requestMs: number
  readonly connections: number
  /** How long a response may wait to be taken before its connection is cut. */
  readonly takeMs: number
}

export const httpLimits: HttpLimits = {
  bodyBytes: 2 ** 20,
  headersMs: 10_000,
  requestMs: 30_000,
  connections: 64,
  takeMs: 40_000,
}

export interface HttpServer {
  readonly server: Server
  /** Tells every request under way that it is to end. */
  stop(reason: Error): void
}

/** A server that does not listen yet. */
export function httpServer(handler: Handler, limits: HttpLimits): HttpServer {
  const under = new Set<AbortController>()
  const { headersMs, requestMs } = limits
  const server = createServer({
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.max(10, Math.min(1000, headersMs / 4)),
    keepAliveTimeout: 5000,
    maxHeaderSize: 16_384,
  })
  server.maxConnections = limits.connections
  server.on('request', (request, response) => {
    const gone = new AbortController()
    under.add(gone)
    response.on('error', () => undefined)
    response.on('close', () => {
      under.delete(gone)
      gone.abort(new Error('the client has gone'))
    })
    serve(request, response, { handler, limits, signal: gone.signal }).catch(() => response.destroy())
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => complain(error, socket))
  const stop = (reason: Error) => {
    for (const gone of under) gone.abort(reason)
  }
  return { server, stop }
}

interface Terms {
  readonly handler: Handler
  readonly limits: HttpLimits
  readonly signal: AbortSignal
}

async function serve(message: IncomingMessage, out: ServerResponse, terms: Terms): Promise<void> {
  const { handler, limits, signal } = terms
  const body = await bodyOf(message, limits.bodyBytes)
  if (body === undefined) {
    out.setHeader('connection', 'close')
    const problem = httpProblem('TOO_LARGE', `the body has more than ${limits.bodyBytes} bytes`)
    return send(problemResponse(problem), out, limits)
  }
  await send(await handler(requestOf(message, body, signal)), out, limits)
}

/** The body, read whole; undefined when it is too long, and then the rest of it is not read. */
async function bodyOf(message: IncomingMessage, most: number): Promise<Uint8Array | undefined> {
  if (Number(message.headers['content-length'] ?? 0) > most) return undefined
  const parts: Buffer[] = []
  let length = 0
  for await (const part of message as AsyncIterable<Buffer>) {
    length += part.length
    if (length > most) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function requestOf(
  { method = 'GET', url = '/', headers }: IncomingMessage,
  body: Uint8Array,
  signal: AbortSignal,
) {
  const given = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? '']) given.append(name, one)
  }
  const path = url.startsWith('/') ? url : '/'
  const bare = method === 'GET' || method === 'HEAD'
  const rest = bare || body.length === 0 ? {} : { body: body as Uint8Array<ArrayBuffer> }
  return new Request(`http://control${path}`, { method, headers: given, signal, ...rest })
}

async function send(response: Response, out: ServerResponse, { takeMs }: HttpLimits): Promise<void> {
  out.writeHead(response.status, Object.fromEntries(response.headers))
  out.flushHeaders()
  const { body } = response
  if (body !== null) {
    const reader = body.getReader()
    out.on('close', () => {
      reader.cancel().catch(() => undefined)
    })
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (out.destroyed) return
      if (!out.write(value)) await taken(out, takeMs)
    }
  }
  out.end()
}

/** Resolves when there is room again; cuts the connection when there is none in time. */
function taken(out: ServerResponse, takeMs: number): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => out.destroy(), takeMs)
    const done = () => {
      clearTimeout(late)
      out.off('drain', done)
      out.off('close', done)
      resolve()
    }
    out.on('drain', done)
    out.on('close', done)
  })
}

/** What cannot be parsed, or does not come in time, is answered in the same form, and the connection is closed. */
function complain(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, body } = problemOfParser(error.code)
  const text = JSON.stringify(body)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`)
  socket.on('finish', () => socket.destroy())
}

function problemOfParser(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return httpProblem('TOO_SLOW', 'the request did not come in time')
  }
  if (code === 'HPE_HEADER_OVERFLOW') return httpProblem('TOO_LARGE', 'the headers have more than 16 KiB')
  return httpProblem('BAD_REQUEST', 'this is no HTTP/1.1')
}
