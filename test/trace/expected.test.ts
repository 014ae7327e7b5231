/** Real traces of the collection against what separate reference parsers found in them. */

// needs: env BLOCKBOX_TRACES

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTrace } from '../../src/trace/source.ts'
import { summarise, type TraceSummary } from '../../src/trace/summary.ts'

const test = suite('expected')

interface Entry {
  readonly file: string
  readonly format: string
  readonly expected?: TraceSummary
}

const folder = process.env.BLOCKBOX_TRACES ?? ''
const entries = JSON.parse(readFileSync(join(folder, 'EXPECTED.json'), 'utf8')) as Entry[]

/** How the collection describes a format, and our name of it. */
const formats: [string, string][] = [
  ['dm-log-writes', 'dm-log-writes'],
  ['fio iolog', 'fio-iolog'],
]

for (const [described, format] of formats) {
  const files = entries.filter((entry) => entry.expected !== undefined && entry.format.startsWith(described))
  test(`there are files of ${format}`, () => {
    assert.ok(files.length >= 4)
  })
  for (const { file, expected } of files) {
    test(`${format}: ${file}`, async () => {
      const sum = summarise()
      let name = ''
      for await (const batch of readTrace(join(folder, file))) {
        name = batch.format
        for (const event of batch.events) sum.add(event)
      }
      assert.is(name, format)
      const result = sum.result()
      const keys = Object.keys(result) as (keyof TraceSummary)[]
      assert.equal(result, Object.fromEntries(keys.map((key) => [key, expected![key]])))
    })
  }
}

test.run()
