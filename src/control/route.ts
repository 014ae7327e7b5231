/**
 * Routes: the table that the API is made of. One row says how a thing is asked for over HTTP, what it takes, and what
 * is done; the server, the OpenAPI document and the command line are all made from the same rows.
 *
 *     path, query, body ─▶ input schema ─▶ act ─▶ a command's answer │ a JSON value │ a response of its own
 */

import * as v from 'valibot'
import type { Answer, CommandAsk } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'
import type { Succession } from '../engine/succession.ts'
import type { Places } from '../images/places.ts'
import type { Journal } from '../journal/journal.ts'
import type { PayloadStore } from '../payload/payload.ts'
import type { Copies } from './copies.ts'
import type { Metrics } from './metrics.ts'
import type { Owners } from './owners.ts'

/** What the API is in front of. */
export interface Controlled {
  readonly engine: Engine
  readonly journal: Journal
  readonly payload: PayloadStore
  /** The folder of the journal. */
  readonly folder: string
  readonly owners: Owners
  readonly copies: Copies
  /** Where clones outside are now; undefined where the engine reads them where the record says, and nowhere else. */
  readonly places?: Places | undefined
  /** Where there is a server. */
  readonly metrics?: Metrics
  /** Where engines take over from each other. */
  readonly succession?: Succession | undefined
}

/** What comes with a request besides its input. */
export interface Call {
  /** Idempotency key of a command. */
  readonly key?: string
  /** Aborted when the one who asked has gone. */
  readonly signal: AbortSignal
  /** The body of a route that takes bytes. */
  readonly bytes?: Uint8Array
}

/** How a command ended. */
export interface Done {
  /** The kind of its input; `none` when what it is to bring about goes on already. */
  readonly command: string
  readonly answer: Answer
  /** What it is about, as it is now. */
  readonly about?: Readonly<Record<string, unknown>>
}

export type InputSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>
export type AnySchema = v.GenericSchema

interface Asked<I> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With parameters as `{name}`, each a field of the input. */
  readonly path: string
  /** One line that says what it does. */
  readonly summary: string
  /** Path parameters, and what comes as query (GET, DELETE, bytes) or as a JSON body. */
  readonly input: InputSchema
  /** True when the body is bytes. */
  readonly takesBytes?: boolean
  /** Never called: carries the type of the input. */
  readonly typed?: (input: I) => void
}

export interface CommandRoute<I = never> extends Asked<I> {
  readonly gives: 'command'
  act(controlled: Controlled, input: I, call: Call): Promise<Done>
}

export interface ReadRoute<I = never> extends Asked<I> {
  readonly gives: 'json'
  readonly output: AnySchema
  act(controlled: Controlled, input: I, call: Call): Promise<object>
}

export interface StreamRoute<I = never> extends Asked<I> {
  readonly gives: 'stream'
  /** The media type of the response. */
  readonly media: string
  /** What the bytes of the response are, in words. */
  readonly described: string
  act(controlled: Controlled, input: I, call: Call): Promise<Response>
}

// biome-ignore lint/suspicious/noExplicitAny: a table of rows that each know their own input
export type Route = CommandRoute<any> | ReadRoute<any> | StreamRoute<any>

type Spec<R, E extends v.ObjectEntries> = Omit<R, 'gives' | 'input' | 'act' | 'typed'> & { readonly input: E }
type Input<E extends v.ObjectEntries> = v.InferOutput<v.StrictObjectSchema<E, undefined>>
type Act<I, R> = (controlled: Controlled, input: I, call: Call) => Promise<R>

/** A route that asks a command of the engine. */
export function commandRoute<E extends v.ObjectEntries>(
  spec: Spec<CommandRoute, E> & { act: Act<Input<E>, Done> },
): CommandRoute<Input<E>> {
  return { ...spec, gives: 'command', input: v.strictObject(spec.input) }
}

/** A route that looks at something. */
export function readRoute<E extends v.ObjectEntries>(
  spec: Spec<ReadRoute, E> & { act: Act<Input<E>, object> },
): ReadRoute<Input<E>> {
  return { ...spec, gives: 'json', input: v.strictObject(spec.input) }
}

/** A route whose response is made as it is read. */
export function streamRoute<E extends v.ObjectEntries>(
  spec: Spec<StreamRoute, E> & { act: Act<Input<E>, Response> },
): StreamRoute<Input<E>> {
  return { ...spec, gives: 'stream', input: v.strictObject(spec.input) }
}

/** Asks a command, with the key of the call. */
export async function ask(
  { engine }: Pick<Controlled, 'engine'>,
  { key }: Pick<Call, 'key'>,
  asked: CommandAsk,
): Promise<Done> {
  const answer = await engine.submit({ ...asked, ...(key !== undefined && { key }) })
  return { command: asked.kind, answer }
}

/** The parameters in a path. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!)
}

/** What is wrong with a table: a row without a strict schema, a parameter that nobody declared, a row twice. */
export function routeFaults(routes: readonly Route[]): string[] {
  const faults: string[] = []
  const seen = new Set<string>()
  for (const { method, path, input, summary, ...route } of routes) {
    const row = `${method} ${path}`
    if (seen.has(row)) faults.push(`${row} is there twice`)
    seen.add(row)
    if (input?.type !== 'strict_object') faults.push(`${row} has no strict schema of its input`)
    if (route.gives === 'json' && route.output?.kind !== 'schema')
      faults.push(`${row} has no schema of its output`)
    if (!summary) faults.push(`${row} does not say what it does`)
    for (const name of pathParameters(path)) {
      if (!Object.hasOwn(input?.entries ?? {}, name)) faults.push(`${row} has no schema of {${name}}`)
    }
  }
  return faults
}
