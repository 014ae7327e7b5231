/** One parser, thousands of damaged traces: refused with a place or read, never anything else. */

import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { Prng } from '../../src/core/prng.ts'
import { recordedTrace } from '../../src/recording/recorded-trace.ts'
import type { TraceOptions } from '../../src/trace/event.ts'
import { sniff, traceFormat } from '../../src/trace/format.ts'
import { eventLine } from '../../src/trace/line.ts'
import { Linter } from '../../src/trace/lint/linter.ts'
import { summarise } from '../../src/trace/summary.ts'
import { mutated } from './mutation.ts'

/** No parser may hold more for inputs of this size. */
const mostHeld = 400 * 2 ** 20
/** No single trace may take longer, milliseconds; a machine may be busy. */
const longest = 20_000

export interface Fuzzed {
  taken: number
  refused: number
}

export interface FuzzAsk {
  readonly format: string
  readonly bytes: Uint8Array
  /** Content of another kind, to be mixed in. */
  readonly other: Uint8Array
  readonly times: number
  readonly seed: number
  readonly options?: TraceOptions
}

/** Feeds damaged versions of `bytes` and returns how many were read and refused. */
export function fuzz({ format, bytes, other, times, seed, options = {} }: FuzzAsk): Fuzzed {
  const random = new Prng(seed)
  const counts: Fuzzed = { taken: 0, refused: 0 }
  for (let round = 0; round < times; round++) {
    const damaged = mutated(bytes, random, other)
    const at = performance.now()
    const error = failureOf(format, damaged, { ...options, places: round % 2 === 0 }, 1 + random.below(5000))
    const where = `${format}, seed ${seed}, round ${round}`
    assert.ok(performance.now() - at < longest, `${where} took too long`)
    if (error === undefined) counts.taken++
    else {
      counts.refused++
      assert.instance(error, BlockboxError, `${where}: ${error instanceof Error ? error.stack : error}`)
      const { code, message } = error as BlockboxError
      assert.is(code, 'TRACE_FORMAT', `${where}: ${message}`)
      assert.match(message, /\b(?:line|byte) \d+/, `${where} has a place`)
      assert.ok(message.length < 600, `${where}: a message of ${message.length} characters`)
    }
    if (round % 100 === 0) {
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      assert.ok(heapUsed + arrayBuffers < mostHeld, `${where} holds ${heapUsed + arrayBuffers} bytes`)
    }
  }
  return counts
}

/** Parses, summarises, lints and prints the trace; what went wrong, if anything. */
function failureOf(format: string, bytes: Uint8Array, options: TraceOptions, cut: number): unknown {
  const parser = traceFormat(format, [recordedTrace]).parser(options)
  const sum = summarise()
  const linter = new Linter({ most: 3, size: 2 ** 30 })
  sniff(bytes.subarray(0, 256))
  try {
    const take = (events: ReturnType<typeof parser.push>) => {
      for (const event of events) {
        sum.add(event)
        linter.see(event)
        JSON.parse(eventLine(event))
      }
      for (const doubt of parser.doubts?.() ?? []) linter.doubt(doubt)
    }
    for (let at = 0; at < bytes.length; at += cut) take(parser.push(bytes.subarray(at, at + cut)))
    take(parser.end())
    parser.remark?.()
  } catch (error) {
    return error
  }
  linter.end()
  sum.result()
  return undefined
}
