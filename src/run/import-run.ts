/** Recording a foreign trace into a journal as a run: one volume, one session, every event a request, in file order. */

import { BlockboxError } from '../core/errors.ts'
import type { Answer } from '../engine/ask.ts'
import type { Engine } from '../engine/engine.ts'
import { advice } from '../events/code.ts'
import type { TraceEvent, TraceOptions } from '../trace/event.ts'
import { fileDigest, readTrace } from '../trace/source.ts'
import { type TraceShape, traceShape } from './shape.ts'
import { noSuchDevice, refuseSeveral, TraceDevices } from './trace-device.ts'
import { askOf } from './trace-host.ts'

export interface ImportAsk {
  /** Its file, or its files, of a format that has several. */
  readonly path: string | readonly string[]
  readonly format?: string
  readonly options?: TraceOptions
  readonly volume: string
  /** The devices of the trace that are recorded; all when left out. */
  readonly devices?: readonly string[]
  /** Several devices may lie over each other on the volume; without it that is refused. */
  readonly mergeDevices?: boolean
  /** Bytes; the end of the furthest range when left out. */
  readonly size?: number
  /** Bytes of a block of the volume; when left out 4096, or 512 where the trace or the size asks for it. */
  readonly block?: number
  readonly seed?: number
  /** What `importShape` found, where it was asked before. */
  readonly shape?: TraceShape
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
  /** What the user ought to know of where the trace ended. */
  readonly remark?: string
}

/** So many requests may be waiting for their frame. */
const depth = 256
const sizeStep = 4096

/** Records the trace. Throws TRACE_FORMAT, USAGE, or what the journal throws; what was answered stays recorded. */
export async function recordTrace(engine: Engine, ask: ImportAsk): Promise<ImportReport> {
  const shape = ask.shape ?? (await importShape(ask))
  const size = ask.size ?? Math.max(sizeStep, Math.ceil(shape.maxEnd / sizeStep) * sizeStep)
  const block = ask.block ?? (size % 4096 === 0 ? shape.block : 512)
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
  let remark: string | undefined
  const submit = (event: TraceEvent) => {
    const request = askOf(event, target)
    if (request === undefined) return
    const done: Promise<void> = engine
      .submit(request)
      .then(
        ({ code }) => {
          if (code !== 'ok') refused[code] = (refused[code] ?? 0) + 1
        },
        (error: unknown) => {
          failure ??= error
        },
      )
      .finally(() => flight.delete(done))
    flight.add(done)
  }
  for await (const batch of trace(ask)) {
    for (const event of batch.events) {
      if (!isOf(ask, event)) continue
      submit(event)
      events++
      if (flight.size >= depth) {
        await engine.settled()
        ask.onProgress?.(events, shape.events)
        ask.signal?.throwIfAborted()
      }
      if (failure !== undefined) throw failure
    }
    remark ??= batch.remark
    ask.onProgress?.(events, shape.events)
    ask.signal?.throwIfAborted()
  }
  await engine.settled()
  await Promise.all(flight)
  if (failure !== undefined) throw failure
  await command(engine, { kind: 'session.close', session: session.made })
  await command(engine, { kind: 'run.end', detail: { scenario: `import ${ask.volume}` } })
  return { events, volume: ask.volume, size, block, refused, ...(remark !== undefined && { remark }) }
}

type TraceAsk = Pick<ImportAsk, 'path' | 'format' | 'options' | 'signal' | 'devices' | 'mergeDevices'>

const howToImport =
  'record one with --dev NAME, play each onto a volume with `blockbox run --volume VOLUME=TRACE:NAME`, or lay them over each other with --merge-devices'

/** What the trace is called in a message. */
export function nameOf({ path }: Pick<ImportAsk, 'path'>): string {
  return typeof path === 'string' ? path : path.join(' ')
}

function isOf({ devices = [] }: TraceAsk, { dev }: TraceEvent): boolean {
  return devices.length === 0 || devices.includes(dev ?? '')
}

function trace(ask: TraceAsk): ReturnType<typeof readTrace> {
  return readTrace(ask.path, {
    ...(ask.format === undefined ? {} : { format: ask.format }),
    ...(ask.options === undefined ? {} : { options: ask.options }),
    ...(ask.signal === undefined ? {} : { signal: ask.signal }),
  })
}

/** Reads a trace once, for what its volume must be. Throws TRACE_FORMAT, USAGE when it cannot be recorded on one. */
export async function importShape(ask: TraceAsk): Promise<TraceShape> {
  const path = nameOf(ask)
  if (path === '-' || (Array.isArray(ask.path) && ask.path.includes('-')))
    throw new BlockboxError('USAGE', 'a trace is read twice to be recorded: name a file, not -')
  const adding = traceShape()
  const devices = new TraceDevices()
  const others = new TraceDevices()
  for await (const { events, format } of trace(ask)) {
    for (const event of events) {
      const taken = isOf(ask, event)
      if (taken) adding.add(event)
      const seen = taken ? devices : others
      seen.see(event, format)
    }
  }
  if (ask.mergeDevices !== true) refuseSeveral(path, devices.names, howToImport)
  const shape = adding.result()
  if (shape.events > 0 || (ask.devices ?? []).length === 0) return shape
  throw noSuchDevice(path, ask.devices!, others.names)
}

/** Submits a command that has to succeed. Throws USAGE with the code of its refusal and what to do. */
export async function command(engine: Engine, ask: Parameters<Engine['submit']>[0]): Promise<Answer> {
  const answer = await engine.submit(ask)
  if (answer.code === 'ok') return answer
  const name = ask.kind in { mark: 1 } || !('detail' in ask) ? '' : ` ${String(ask.detail?.name ?? '')}`
  throw new BlockboxError('USAGE', `${ask.kind}${name} was refused: ${answer.code}: ${advice[answer.code]}`)
}
