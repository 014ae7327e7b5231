/** The document of the API: in shape OpenAPI 3.1, with every route, its parameters and its schemas. */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { jsonSchema } from '../../src/control/json-schema.ts'
import { openApi } from '../../src/control/openapi.ts'
import { pathParameters } from '../../src/control/route.ts'
import { routes } from '../../src/control/routes.ts'

const test = suite('OpenAPI')

const text = v.string()
const schemaForm = v.looseObject({})
const content = v.record(text, v.strictObject({ schema: schemaForm }))
const parameter = v.strictObject({
  name: text,
  in: v.picklist(['path', 'query', 'header']),
  required: v.boolean(),
  description: v.optional(text),
  schema: schemaForm,
})
const operation = v.strictObject({
  operationId: v.pipe(text, v.regex(/^[a-z]\w+$/)),
  summary: v.pipe(text, v.minLength(5)),
  parameters: v.optional(v.array(parameter)),
  requestBody: v.optional(v.strictObject({ required: v.boolean(), content })),
  responses: v.strictObject({
    200: v.strictObject({ description: v.pipe(text, v.minLength(3)), content }),
    default: v.strictObject({ $ref: v.literal('#/components/responses/Problem') }),
  }),
})
const documentForm = v.strictObject({
  openapi: v.literal('3.1.0'),
  info: v.strictObject({ title: text, version: text, description: text }),
  paths: v.record(
    v.pipe(text, v.startsWith('/')),
    v.record(v.picklist(['get', 'post', 'put', 'delete']), operation),
  ),
  security: v.array(v.record(text, v.array(text))),
  components: v.strictObject({
    securitySchemes: v.record(text, schemaForm),
    schemas: v.record(text, schemaForm),
    responses: v.record(text, v.strictObject({ description: text, content })),
  }),
})

const document = v.parse(documentForm, JSON.parse(JSON.stringify(openApi(routes))))
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, told]) => ({ path, method: method.toUpperCase(), told: told! })),
)

test('every route is there, once, and nothing else', () => {
  const told = operations.map(({ method, path }) => `${method} ${path}`)
  assert.equal(told.sort(), routes.map(({ method, path }) => `${method} ${path}`).sort())
  const ids = operations.map(({ told: { operationId } }) => operationId)
  assert.is(new Set(ids).size, ids.length)
})

test('every field of an input is told: in the path, the query, a header or the body', () => {
  for (const { method, path, input } of routes) {
    const { told } = operations.find((one) => one.method === method && one.path === path)!
    const parameters = told.parameters ?? []
    const inPath = parameters.filter((one) => one.in === 'path')
    assert.equal(inPath.map(({ name }) => name).sort(), pathParameters(path).sort())
    assert.ok(inPath.every(({ required }) => required))
    const body = told.requestBody?.content['application/json']?.schema as { properties?: object } | undefined
    const names = [...parameters.map(({ name }) => name), ...Object.keys(body?.properties ?? {})]
    for (const name of Object.keys(input.entries)) {
      const as = name === 'last_event_id' ? 'Last-Event-ID' : name
      assert.ok(names.includes(as), `${method} ${path}: ${name}`)
    }
  }
})

test('every reference leads somewhere, and objects of input are closed', () => {
  const refs: string[] = []
  const visit = (value: unknown, inBody: boolean) => {
    if (typeof value !== 'object' || value === null) return
    const { $ref, type, additionalProperties } = value as Record<string, unknown>
    if (typeof $ref === 'string') refs.push($ref)
    if (inBody && type === 'object') assert.is(additionalProperties, false)
    for (const [name, inner] of Object.entries(value)) visit(inner, inBody || name === 'requestBody')
  }
  visit(document, false)
  assert.ok(refs.length > routes.length)
  for (const ref of new Set(refs)) {
    const place = ref.slice(2).split('/')
    const found = place.reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], document)
    assert.ok(found !== undefined, ref)
  }
})

test('schemas say what is checked', () => {
  const form = v.strictObject({
    size: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9)),
    kind: v.optional(v.picklist(['a', 'b']), 'a'),
    names: v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.maxLength(3))),
    image: v.nullable(v.literal(1)),
  })
  assert.equal(jsonSchema(form), {
    type: 'object',
    properties: {
      size: { type: 'integer', minimum: 1, maximum: 9 },
      kind: { enum: ['a', 'b'], default: 'a' },
      names: { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 3 },
      image: { anyOf: [{ const: 1 }, { type: 'null' }] },
    },
    required: ['size', 'image'],
    additionalProperties: false,
  })
})

test('canary: a form that has no JSON Schema here is an error, not a gap', () => {
  assert.throws(() => jsonSchema(v.strictObject({ at: v.date() })), /date has no form/)
  assert.throws(() => jsonSchema(v.pipe(v.string(), v.email())), /email has no form/)
})

test.run()
