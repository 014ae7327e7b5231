/** Recording a foreign trace into a journal as a run: one volume, one session, every event a request, in file order. */

import { BlockboxError } from '../core/errors.ts'
import type { Answer } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'
import { advice } from '../events/code.ts'
import type { TraceEvent, TraceOptions } from '../trace/event.ts'
import { fileDigest, readTrace } from '../trace/source.ts'
import { type TraceShape, traceShape } from './shape.ts'
import { askOf } from './trace-host.ts'

export interface ImportAsk {
  readonly path: string
  readonly format?: string
  readonly options?: TraceOptions
  readonly volume: string
  /** Bytes; the end of the furthest range when left out. */
  readonly size?: number
  readonly seed?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (events: number, of: number) => void
}

export interface ImportReport {
  readonly events: number
  readonly volume: string
  readonly size: number
  readonly block: number
  /** Requests that were refused, by code. */
  readonly refused: Readonly<Record<string, number>>
}

/** So many requests may be waiting for their frame. */
const depth = 256
const sizeStep = 4096

/** Records the trace. Throws TRACE_FORMAT, USAGE, or what the journal throws; what was answered stays recorded. */
export async function recordTrace(engine: Engine, ask: ImportAsk): Promise<ImportReport> {
  if (ask.path === '-')
    throw new BlockboxError('USAGE', 'a trace is read twice to be recorded: name a file, not -')
  const shape = await shapeOf(ask)
  if (shape.unaligned !== undefined) {
    const place = `event ${shape.unaligned} of ${ask.path}`
    throw new BlockboxError(
      'USAGE',
      `${place} writes part of a 512-byte sector: this version cannot record that`,
    )
  }
  const size = ask.size ?? Math.max(sizeStep, Math.ceil(shape.maxEnd / sizeStep) * sizeStep)
  const block = size % 4096 === 0 ? shape.block : 512
  const created = await command(engine, { kind: 'volume.create', detail: { name: ask.volume, size, block } })
  const { sha256 } = await fileDigest(ask.path)
  const seed = ask.seed ?? 1
  await command(engine, {
    kind: 'run.begin',
    detail: { scenario: `import ${ask.volume}`, digest: sha256, seed },
  })
  const session = await command(engine, { kind: 'session.open', detail: { name: 'import' } })
  const target = { session: session.made, volume: created.made, size, seed }
  const refused: Record<string, number> = {}
  const flight = new Set<Promise<void>>()
  let events = 0
  let failure: unknown
  const submit = (event: TraceEvent) => {
    const request = askOf(event, target)
    if (request === undefined) return
    const done = engine.submit(request).then(
      (answer) => {
        if (answer.code !== 'ok') refused[answer.code] = (refused[answer.code] ?? 0) + 1
      },
      (error: unknown) => {
        failure ??= error
      },
    )
    flight.add(done)
    done.finally(() => flight.delete(done))
  }
  for await (const batch of trace(ask)) {
    for (const event of batch.events) {
      submit(event)
      events++
      if (flight.size >= depth) await engine.settled()
      if (failure !== undefined) throw failure
    }
    ask.onProgress?.(events, shape.events)
    ask.signal?.throwIfAborted()
  }
  await engine.settled()
  await Promise.all(flight)
  if (failure !== undefined) throw failure
  await command(engine, { kind: 'session.close', session: session.made })
  await command(engine, { kind: 'run.end', detail: { scenario: `import ${ask.volume}` } })
  return { events, volume: ask.volume, size, block, refused }
}

function trace(ask: ImportAsk): ReturnType<typeof readTrace> {
  return readTrace(ask.path, {
    ...(ask.format === undefined ? {} : { format: ask.format }),
    ...(ask.options === undefined ? {} : { options: ask.options }),
    ...(ask.signal === undefined ? {} : { signal: ask.signal }),
  })
}

async function shapeOf(ask: ImportAsk): Promise<TraceShape> {
  const shape = traceShape()
  for await (const { events } of trace(ask)) for (const event of events) shape.add(event)
  return shape.result()
}

/** Submits a command that has to succeed. Throws USAGE with the code of its refusal and what to do. */
export async function command(engine: Engine, ask: Parameters<Engine['submit']>[0]): Promise<Answer> {
  const answer = await engine.submit(ask)
  if (answer.code === 'ok') return answer
  throw new BlockboxError('USAGE', `${ask.kind} was refused: ${answer.code}, ${advice[answer.code]}`)
}
