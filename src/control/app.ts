/**
 * The API as a function from requests to responses: the table of routes, put on a router.
 *
 *     request ─▶ token ─▶ route ─▶ input ─▶ act ─▶ answer │ problem
 */

import { createHash, timingSafeEqual } from 'node:crypto'
import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { assert } from '../core/assert.ts'
import { inputOf } from './input.ts'
import { httpProblem, problemResponse, refusalProblem } from './problem.ts'
import { type Call, type Controlled, type Done, type Route, routeFaults } from './route.ts'
import { key as keySchema } from './schema.ts'

/** What is asked for: requests carry it as `Authorization: Bearer TOKEN`; undefined: nothing is. */
export type Token = string | undefined

/** A handler of requests. It never rejects. */
export type Handler = (request: Request) => Promise<Response>

/**
 * Throws when the table is faulty: a defect of this program.
 *
 * @param now what the API is in front of when a request has come; its refusal is the answer
 */
export function appOf(routes: readonly Route[], now: () => Promise<Controlled>, token: Token): Handler {
  const faults = routeFaults(routes)
  assert(faults.length === 0, faults.join('; '))
  const app = new Hono()
  const expected = token === undefined ? undefined : digestOf(`Bearer ${token}`)
  app.use('*', async (context, next) => {
    if (expected !== undefined) {
      const given = digestOf(context.req.header('authorization') ?? '')
      if (!timingSafeEqual(given, expected)) {
        throw httpProblem('UNAUTHORIZED', 'the token is missing or wrong', { 'www-authenticate': 'Bearer' })
      }
    }
    await next()
  })
  for (const route of routes) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1')
    app.on(route.method, path, (context) => handled(route, now, context))
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const allow = routes.filter((route) => route.path === path).map(({ method }) => method)
    app.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), () => {
      throw httpProblem('NO_SUCH_METHOD', `this path has ${allow.join(', ')}`, { allow: allow.join(', ') })
    })
  }
  app.notFound(({ req }) =>
    problemResponse(httpProblem('NO_SUCH_ROUTE', `there is no route ${pathOf(req.url)}`)),
  )
  app.onError((error) => problemResponse(error))
  return async (request) => app.fetch(request)
}

async function handled(route: Route, now: () => Promise<Controlled>, { req }: Context): Promise<Response> {
  const body = new Uint8Array(await req.arrayBuffer())
  const { headers, signal } = req.raw
  const query = new URL(req.url).searchParams
  const input = inputOf(route, { path: req.param() as Record<string, string>, query, headers, body })
  const key = keyOf(route, headers)
  const call: Call = { signal, bytes: body, ...(key !== undefined && { key }) }
  const controlled = await now()
  if (route.gives === 'stream') return route.act(controlled, input, call)
  if (route.gives === 'json') return Response.json(await route.act(controlled, input, call))
  return answered(await route.act(controlled, input, call))
}

function answered({ command, answer, about = {} }: Done): Response {
  const { code, seq, made, repeats } = answer
  if (code !== 'ok') throw refusalProblem(command, answer)
  return Response.json({
    version: 1,
    command,
    code,
    seq,
    made,
    ...(repeats !== undefined && { repeats }),
    ...about,
  })
}

/** The idempotency key, where one is given. */
function keyOf({ gives }: Route, headers: Headers): string | undefined {
  const given = headers.get('idempotency-key')
  if (given === null) return undefined
  if (gives !== 'command') throw httpProblem('BAD_REQUEST', 'only commands have an Idempotency-Key')
  const { success, output } = v.safeParse(keySchema, given)
  if (success) return output
  throw httpProblem('BAD_REQUEST', 'the Idempotency-Key is not 1 to 128 visible ASCII characters')
}

/** Digests are of one length, so that comparing them tells nothing. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function pathOf(url: string): string {
  return new URL(url).pathname.slice(0, 200)
}
