/**
 * JSON Schema (draft 2020-12, as OpenAPI 3.1 has it) out of the schemas that check input: what is documented is what is
 * checked. A form that is not known here is an error when the document is made, not a gap in it.
 */

import type * as v from 'valibot'
import { assert } from '../core/assert.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/** The parts of valibot's schemas and actions that are looked at. */
interface Node {
  readonly kind: string
  readonly type: string
  readonly pipe?: readonly Node[]
  readonly wrapped?: Node
  readonly default?: unknown
  readonly item?: Node
  readonly entries?: Readonly<Record<string, Node>>
  readonly options?: readonly unknown[]
  readonly literal?: unknown
  readonly value?: Node
  readonly requirement?: unknown
  readonly description?: string
}

/** The schema as JSON Schema. */
export function jsonSchema(schema: v.GenericSchema): JsonSchema {
  return ofNode(schema as unknown as Node)
}

/** True when a field may be left out. */
export function isOptional(schema: v.GenericSchema): boolean {
  return schema.type === 'optional'
}

/** What is below `optional`: its type says how text in a query is read. */
export function unwrapped(schema: v.GenericSchema): v.GenericSchema {
  const { wrapped } = schema as unknown as { readonly wrapped?: v.GenericSchema }
  return wrapped === undefined ? schema : unwrapped(wrapped)
}

function ofNode(node: Node): JsonSchema {
  const { pipe } = node
  if (pipe === undefined) return plain(node)
  const [first, ...actions] = pipe
  const base = first!.pipe === undefined ? plain(first!) : ofNode(first!)
  const schema = { ...base }
  for (const action of actions) Object.assign(schema, ofAction(action, schema))
  return schema
}

function plain(node: Node): JsonSchema {
  switch (node.type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return { type: node.type }
    case 'optional': {
      const schema = ofNode(node.wrapped!)
      return node.default === undefined ? schema : { ...schema, default: node.default }
    }
    case 'nullable':
      return { anyOf: [ofNode(node.wrapped!), { type: 'null' }] }
    case 'array':
      return { type: 'array', items: ofNode(node.item!) }
    case 'picklist':
      return { enum: node.options }
    case 'literal':
      return { const: node.literal }
    case 'union':
      return { anyOf: (node.options as readonly Node[]).map(ofNode) }
    case 'record':
      return { type: 'object', additionalProperties: ofNode(node.value!) }
    case 'strict_object':
    case 'loose_object': {
      const entries = Object.entries(node.entries!)
      return {
        type: 'object',
        properties: Object.fromEntries(entries.map(([name, entry]) => [name, ofNode(entry)])),
        required: entries.filter(([, entry]) => entry.type !== 'optional').map(([name]) => name),
        additionalProperties: node.type === 'loose_object',
      }
    }
    default:
      return unknown(node)
  }
}

function ofAction(action: Node, { type }: JsonSchema): JsonSchema {
  const { requirement } = action
  switch (action.type) {
    case 'integer':
      return { type: 'integer' }
    case 'min_value':
      return { minimum: requirement }
    case 'max_value':
      return { maximum: requirement }
    case 'min_length':
      return type === 'array' ? { minItems: requirement } : { minLength: requirement }
    case 'max_length':
      return type === 'array' ? { maxItems: requirement } : { maxLength: requirement }
    case 'description':
      return { description: action.description }
    case 'check':
      return {}
    default:
      return unknown(action)
  }
}

function unknown({ kind, type }: Node): never {
  assert(false, `the ${kind} ${type} has no form in JSON Schema here`)
  throw new Error(type)
}
