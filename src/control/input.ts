/**
 * The input of a request, from its path, query, headers and body, judged by the schema of its route. What is judged
 * holds own keys only, none of them a name that every object inherits, and is at most 16 levels deep.
 */

import * as v from 'valibot'
import { isOptional, unwrapped } from './json-schema.ts'
import { hasJsonBody, headerInputs } from './openapi.ts'
import { httpProblem } from './problem.ts'
import { pathParameters, type Route } from './route.ts'

const maxDepth = 16

/** What of a request its input is made of. */
export interface Parts {
  /** Parameters of the path, decoded. */
  readonly path: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Headers
  readonly body: Uint8Array
}

/** Throws the problem when it is not what the route takes. */
export function inputOf(route: Route, { path, query, headers, body }: Parts): unknown {
  const input: Record<string, unknown> = Object.create(null)
  const give = (name: string, value: unknown, from: string) => {
    if (name in Object.prototype)
      throw httpProblem('BAD_REQUEST', `${from} has the key ${JSON.stringify(name)}`)
    if (name in input) throw httpProblem('BAD_REQUEST', `${JSON.stringify(name)} is given twice`)
    input[name] = value
  }
  for (const name of pathParameters(route.path)) give(name, read(route, name, [path[name]!]), 'the path')
  for (const [name, header] of Object.entries(headerInputs)) {
    const value = headers.get(header)
    if (value !== null && Object.hasOwn(route.input.entries, name))
      give(name, read(route, name, [value]), 'a header')
  }
  for (const name of new Set(query.keys())) {
    if (hasJsonBody(route))
      throw httpProblem('BAD_REQUEST', `this route has no query, but ${JSON.stringify(name)}`)
    give(name, read(route, name, query.getAll(name)), 'the query')
  }
  if (hasJsonBody(route)) {
    for (const [name, value] of Object.entries(jsonBody(body, headers))) give(name, value, 'the body')
  } else if (route.takesBytes !== true && body.length > 0) {
    throw httpProblem('BAD_REQUEST', 'this route takes no body')
  }
  return judged(route, input)
}

function judged(route: Route, input: object): unknown {
  const { success, output, issues } = v.safeParse(route.input, input)
  if (success) return output
  const [issue] = issues
  const place = v.getDotPath(issue) ?? ''
  const known = Object.keys(route.input.entries).join(', ') || 'nothing'
  const about = place === '' ? '' : `${place}: `
  const takes = issue.type === 'strict_object' && !place.includes('.') ? `; it takes ${known}` : ''
  throw httpProblem('BAD_REQUEST', `${about}${issue.message}${takes}`.slice(0, 1000))
}

/** Texts of a path or query as the schema has them: digits as numbers, true and false, lists. */
function read(route: Route, name: string, texts: readonly string[]): unknown {
  const schema = Object.hasOwn(route.input.entries, name) ? route.input.entries[name] : undefined
  if (schema === undefined) return texts[0]
  const { type } = unwrapped(schema as v.GenericSchema)
  if (type === 'array') return texts
  if (texts.length > 1) throw httpProblem('BAD_REQUEST', `${name} is given ${texts.length} times`)
  const [text = ''] = texts
  if (type === 'number' && /^\d{1,16}$/.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text === '' && isOptional(schema as v.GenericSchema) ? undefined : text
}

function jsonBody(body: Uint8Array, headers: Headers): object {
  const type = (headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
  if (body.length === 0 && type === '') return {}
  if (type !== 'application/json')
    throw httpProblem('MEDIA_TYPE', `the body is ${type || 'of no type'}, not JSON`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw httpProblem('BAD_REQUEST', 'the body is no JSON in UTF-8')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw httpProblem('BAD_REQUEST', 'the body is no JSON object')
  }
  assertPlain(value)
  return value
}

/** Refuses keys that every object inherits, wherever they are, and what is nested too deep. */
function assertPlain(value: object): void {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth)
      throw httpProblem('BAD_REQUEST', `the body is nested deeper than ${maxDepth} levels`)
    const below: unknown[] = []
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue
      for (const [name, inner] of Object.entries(one)) {
        if (name in Object.prototype) {
          throw httpProblem('BAD_REQUEST', `the body has the key ${JSON.stringify(name)}`)
        }
        if (typeof inner === 'object' && inner !== null) below.push(inner)
      }
    }
    level = below
  }
}
