/** The options with which `blockbox run` plays trace files without a scenario: where, how fast, in which order. */

import { existsSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { BlockboxError } from '../src/core/errors.ts'
import { isName } from '../src/events/detail.ts'
import { anyFormatNames } from '../src/recording/recorded-trace.ts'
import { type Pace, parsePace } from '../src/run/pace.ts'
import { parseScale, type Remap } from '../src/run/remap.ts'
import { isAlignment, maxDepth } from '../src/run/scenario-host.ts'
import { nameOf, type PlacedTrace } from '../src/run/trace-run.ts'
import { type Order, orders } from '../src/run/window.ts'
import { gathered } from './control.ts'
import { wholeNumber } from './number.ts'
import { parseSize } from './size.ts'

/** What the command line said; what is undefined was left out. */
export interface TraceRunOptions {
  readonly volume?: readonly string[]
  readonly format?: string
  readonly size?: number
  readonly seed?: number
  readonly depth?: number
  readonly order?: Order
  readonly only?: readonly string[]
  readonly skip?: readonly string[]
  readonly dev?: readonly string[]
  readonly mergeDevices?: boolean
  readonly scale?: Remap['scale']
  readonly shift?: number
  readonly align?: number
  readonly wrap?: boolean
}

/** Their names, to say which of them a scenario has no use for. */
export const traceOptionNames = [
  ...(['volume', 'format', 'size', 'seed', 'depth', 'order', 'only'] as const),
  ...(['skip', 'dev', 'mergeDevices', 'scale', 'shift', 'align', 'wrap'] as const),
] satisfies (keyof TraceRunOptions)[]

export function traceOptions(command: Command): Command {
  return command
    .option(
      '--volume <name=trace>',
      'play a trace on this volume, or as NAME=TRACE:DEV one device of it; may be repeated',
      gathered,
    )
    .option('-f, --format <name>', `format of the traces, where they do not tell: ${anyFormatNames()}`)
    .option(
      '--size <size>',
      'bytes of volumes that have to be made; what the traces need when left out',
      parseSize,
    )
    .option('--seed <number>', 'makes the content of writes whose trace has none', wholeNumber(0))
    .option(
      '--depth <n>',
      'requests a trace keeps outstanding at most; 32, or 256 with a pace',
      wholeNumber(1, maxDepth),
    )
    .addOption(
      new Option(
        '--order <order>',
        'as in the trace; overlap: only overlapping requests and flushes keep it; strict: one at a time',
      ).choices(orders),
    )
    .option(
      '--only <op>',
      'play only this operation: read, write, flush, discard, zero, mark; may be repeated',
      gathered,
    )
    .option('--skip <op>', 'leave this operation out; may be repeated', gathered)
    .option('--dev <name>', 'play only this device of the traces; may be repeated', gathered)
    .option('--merge-devices', 'play several devices of a trace over each other on one volume')
    .option('--scale <factor>', 'multiply offsets, as by 2, 0.25 or 1/3', scale)
    .option('--shift <size>', 'add to offsets; with a minus in front, subtract', shift)
    .option('--align <size>', 'round requests out to multiples of this power of two', align)
    .option('--wrap', 'take offsets modulo the size of the volume')
}

export function pace(text: string): Pace {
  const found = parsePace(text)
  if (found !== undefined) return found
  throw new InvalidArgumentError('it is fast, recorded, or times as fast, as 10x or 0.5x.')
}

function scale(text: string): Remap['scale'] {
  const found = parseScale(text)
  if (found !== undefined) return found
  throw new InvalidArgumentError('it is a number above 0 as 2, 0.25 or 1/3.')
}

function shift(text: string): number {
  return text.startsWith('-') ? -parseSize(text.slice(1)) : parseSize(text)
}

function align(text: string): number {
  const bytes = parseSize(text)
  if (bytes > 0 && isAlignment(bytes)) return bytes
  throw new InvalidArgumentError('it is a power of two of at least 512 bytes.')
}

/** Which trace goes onto which volume. Throws USAGE. */
export function placesOf(files: readonly string[], { volume = [] }: TraceRunOptions): readonly PlacedTrace[] {
  const named = volume.map<PlacedTrace>((text) => {
    const at = text.indexOf('=')
    const name = text.slice(0, Math.max(0, at))
    if (at > 0 && at < text.length - 1 && isName(name))
      return { volume: name, ...deviceIn(text.slice(at + 1)) }
    throw new BlockboxError(
      'USAGE',
      `--volume ${text}: write the name of a volume and a trace, as disk0=FILE`,
    )
  })
  return joined([...files.map((path) => ({ volume: nameOf(path), paths: [path] })), ...named])
}

/** The files of the CPUs of one blktrace, which are one trace, are joined where they go onto one volume. */
function joined(traces: readonly PlacedTrace[]): PlacedTrace[] {
  const of = new Map<string, PlacedTrace & { paths: string[] }>()
  for (const [k, { volume, paths, device }] of traces.entries()) {
    const path = paths[0]!
    const stem = /^(.*\.blktrace)\.\d+((?:\.gz|\.zst)?)$/s.exec(path)
    const key = stem === null ? String(k) : JSON.stringify([volume, stem[1], stem[2], device])
    const known = of.get(key)
    if (known !== undefined) known.paths.push(path)
    else of.set(key, { volume, paths: [path], ...(device !== undefined && { device }) })
  }
  return [...of.values()]
}

/** `TRACE` or `TRACE:DEV`: both may have colons, so that what is a file says where the one ends. */
function deviceIn(text: string): { paths: string[]; device?: string } {
  if (existsSync(text)) return { paths: [text] }
  for (let at = text.indexOf(':'); at > 0; at = text.indexOf(':', at + 1)) {
    const path = text.slice(0, at)
    if (existsSync(path)) return { paths: [path], device: text.slice(at + 1) }
  }
  return { paths: [text] }
}

export function remapOf(options: TraceRunOptions): Remap {
  const { dev = [], only = [], skip = [], scale: factor = [1, 1], shift: by = 0, align: to = 0 } = options
  const { wrap = false, mergeDevices = false } = options
  return { devices: dev, mergeDevices, only, skip, scale: factor, shift: by, wrap, align: to }
}
