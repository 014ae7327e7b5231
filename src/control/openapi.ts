/** The OpenAPI 3.1 document of a table of routes: generated, so that it says what is checked and served. */

import type * as v from 'valibot'
import { commandAnswer, problemAnswer } from './contents-schema.ts'
import { isOptional, type JsonSchema, jsonSchema } from './json-schema.ts'
import { pathParameters, type Route } from './route.ts'
import { key } from './schema.ts'

/** Inputs that come as a header. */
export const headerInputs: Readonly<Record<string, string>> = { last_event_id: 'Last-Event-ID' }

export function openApi(routes: readonly Route[]): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {}
  for (const route of routes) {
    const methods = paths[route.path] ?? {}
    paths[route.path] = { ...methods, [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'blockbox control',
      version: '1',
      description:
        'Controls an open journal and the volumes in it. On a unix socket whoever may open it may ask; over TCP every ' +
        'request carries a bearer token. A command that is refused is on record, and its problem names the event.',
    },
    paths,
    security: [{}, { token: [] }],
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Answer: jsonSchema(commandAnswer), Problem: jsonSchema(problemAnswer) },
      responses: {
        Problem: { description: 'not done', content: json({ $ref: '#/components/schemas/Problem' }) },
      },
    },
  }
}

/** The name of a route in generated clients: its method and the words of its path. */
export function operationId({ method, path }: Pick<Route, 'method' | 'path'>): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return [method.toLowerCase(), ...words].join('_')
}

function operation(route: Route): JsonSchema {
  const parameters = parametersOf(route)
  const body = bodyOf(route)
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: body }),
    responses: { 200: answerOf(route), default: { $ref: '#/components/responses/Problem' } },
  }
}

function parametersOf(route: Route): JsonSchema[] {
  const inPath = pathParameters(route.path)
  const entries = Object.entries(route.input.entries) as [string, v.GenericSchema][]
  const found: JsonSchema[] = []
  for (const [name, schema] of entries) {
    const header = headerInputs[name]
    const place = inPath.includes(name) ? 'path' : header !== undefined ? 'header' : 'query'
    if (place === 'query' && hasJsonBody(route)) continue
    found.push({
      name: header ?? name,
      in: place,
      required: !isOptional(schema),
      schema: jsonSchema(schema),
    })
  }
  if (route.gives === 'command') {
    const description = 'the same command with the same key is done once'
    found.push({
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description,
      schema: jsonSchema(key),
    })
  }
  return found
}

/** True when what is not in the path comes as a JSON body. */
export function hasJsonBody({ method, takesBytes }: Pick<Route, 'method' | 'takesBytes'>): boolean {
  return (method === 'POST' || method === 'PUT') && takesBytes !== true
}

function bodyOf(route: Route): JsonSchema | undefined {
  if (route.takesBytes === true) {
    return { required: true, content: { 'application/octet-stream': { schema: {} } } }
  }
  if (!hasJsonBody(route)) return undefined
  const inPath = pathParameters(route.path)
  const { properties, required, ...rest } = jsonSchema(route.input)
  const own = Object.entries(properties as object).filter(([name]) => !inPath.includes(name))
  const needed = (required as string[]).filter((name) => !inPath.includes(name))
  const schema = { ...rest, properties: Object.fromEntries(own), required: needed }
  return { required: needed.length > 0, content: json(schema) }
}

function answerOf(route: Route): JsonSchema {
  if (route.gives === 'command') {
    return { description: 'done', content: json({ $ref: '#/components/schemas/Answer' }) }
  }
  if (route.gives === 'json') return { description: route.summary, content: json(jsonSchema(route.output)) }
  const schema = route.media === 'application/json' ? { type: 'object' } : { type: 'string' }
  return { description: route.described, content: { [route.media]: { schema } } }
}

function json(schema: JsonSchema): JsonSchema {
  return { 'application/json': { schema } }
}
