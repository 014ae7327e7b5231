/**
 * Traces of every format with hostile words where numbers and names stand: read, or refused with TRACE_FORMAT and a
 * place; the summary and the message hold nothing that a terminal acts on once they are printed.
 */

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { traceFormat } from '../../src/trace/format.ts'
import { eventLine } from '../../src/trace/line.ts'
import { escaped } from '../../tools/output.ts'
import { hostileNumbers, hostileTexts, isPlain, isUnpolluted } from '../support/hostile.ts'
import { samples } from './samples.ts'

const test = suite('hostile words in traces')

const words = [...hostileTexts, ...hostileNumbers].filter((word) => word.length < 500)

/** Each field of the first lines, one after the other, replaced by the word. */
function* spoilt(text: string, word: string): Generator<string> {
  const lines = text.split('\n')
  for (let k = 0; k < Math.min(4, lines.length); k++) {
    const fields = lines[k]!.split(/(?<=[\s,;="])|(?=[\s,;="])/)
    for (let at = 0; at < fields.length; at++) {
      if (/^[\s,;="]*$/.test(fields[at]!)) continue
      const line = [...fields.slice(0, at), word, ...fields.slice(at + 1)].join('')
      yield [...lines.slice(0, k), line, ...lines.slice(k + 1)].join('\n')
    }
  }
}

for (const [format, bytes] of samples) {
  const sample = Buffer.from(bytes)
  test(format, () => {
    const isText = !sample.includes(0)
    const text = sample.toString(isText ? 'utf8' : 'latin1')
    let refused = 0
    let read = 0
    for (const word of words) {
      for (const trace of isText ? spoilt(text, word) : [text.slice(0, 40) + word + text.slice(40)]) {
        try {
          const parser = traceFormat(format).parser({})
          const data = Buffer.from(trace, isText ? 'utf8' : 'latin1')
          for (const event of [...parser.push(data), ...parser.end()]) {
            for (const number of [event.offset, event.length]) {
              const isCount = number === null || (Number.isSafeInteger(number) && number >= 0)
              assert.ok(isCount && !Object.is(number, -0), `${number}`)
            }
            isPlain(escaped(eventLine(event)), `${format}: ${JSON.stringify(word)}`)
          }
          read++
        } catch (error) {
          assert.instance(
            error,
            BlockboxError,
            `${format}, ${JSON.stringify(word)}: ${(error as Error).stack}`,
          )
          assert.is((error as BlockboxError).code, 'TRACE_FORMAT')
          assert.match((error as Error).message, /\b(?:line|byte) \d+/)
          isPlain(escaped((error as Error).message), `${format}: ${JSON.stringify(word)}`)
          refused++
        }
      }
    }
    isUnpolluted(format)
    assert.ok(refused > 0, `${read} were read and none refused`)
  })
}

test.run()
