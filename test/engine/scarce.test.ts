/**
 * A process that lacks something: files it may open, memory, a disk that keeps up. Requests wait or are refused with a
 * code; what was acknowledged is there afterwards, and what waits for a slow disk has a bound.
 */

// needs: program strace
// needs: program prlimit
// limit: 300 s

import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { maxInbox } from '../../src/engine/ask.ts'
import { openToRead } from '../../src/engine/open-folder.ts'
import { verify } from '../../src/replay/verify.ts'
import { mayTrace } from '../support/ability.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('scarce')
const folder = temporaryFolder()
test.after(() => folder.remove())

const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)

/** So many files may be opened beside those that the program has open once it is loaded. */
const limitTo = (files: number) => `
  const { readdirSync } = await import('node:fs')
  const { execFileSync } = await import('node:child_process')
  const most = Math.max(...readdirSync('/proc/self/fd').map(Number).filter((one) => one < 200)) + 1 + ${files}
  execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=' + most + ':' + most])`

/** The beginning of a program that has an engine with a volume of 1 MiB and a session; errors end it with their code. */
const beginning = (path: string, files?: number) => `
  process.once('uncaughtException', (error) => {
    console.log(JSON.stringify({ acknowledged: 0, error: error.code ?? String(error) }))
    process.exit(0)
  })
  const { openToWrite } = await import(${source('engine/open-folder.js')})
  ${files === undefined ? '' : limitTo(files)}
  const { engine, payload } = await openToWrite(${JSON.stringify(path)}, { create: true })
  await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size: 2 ** 20, block: 4096 } })
  await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  const ask = (at, bytes) => engine.submit({ kind: 'io.write', session: 1, volume: 1, offset: at * 4096,
    data: new Uint8Array(bytes).fill(1 + (at % 200)) })
`

interface Said {
  readonly acknowledged: number
  readonly error?: string
  readonly refused?: number
  readonly grownMiB?: number
}

function said(program: string, args: readonly string[]): Said {
  const { stdout, stderr, status, signal } = spawnSync(program, args, { encoding: 'utf8', timeout: 120_000 })
  assert.is(status, 0, `${signal ?? ''} ${stderr.slice(-600)}`)
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Said
}

async function payloadsOf(path: string): Promise<number> {
  const { journal, payload } = await openToRead(path)
  const { findings, payloads } = await verify(journal, payload)
  await journal.close()
  assert.equal(findings, [])
  return payloads
}

test('files that may be open run out: an error with a code, and all that was acknowledged is there', async () => {
  const outcomes: (string | undefined)[] = []
  for (const files of [-10, -6, -3, 0, 4, 200]) {
    const path = folder.fresh()
    const program = `${beginning(path, files)}
      let acknowledged = 0
      let error
      for (let k = 0; k < 40 && error === undefined; k++) {
        await ask((k * 16) % 256, 65_536).then(() => acknowledged++, (thrown) => { error = thrown.code ?? String(thrown) })
      }
      await engine.close().catch(() => undefined)
      console.log(JSON.stringify({ acknowledged, error }))`
    const { acknowledged, error } = said(process.execPath, ['--input-type=module', '-e', program])
    outcomes.push(error)
    if (error !== undefined) assert.match(error, /^(?:JOURNAL_\w+|EMFILE)$/, `${error} with ${files} files`)
    if (acknowledged > 0) assert.ok((await payloadsOf(path)) >= acknowledged, `with ${files} files`)
  }
  assert.is(outcomes.at(-1), undefined, 'with enough of them all is well')
  assert.ok(outcomes[0] !== undefined, 'too few of them are noticed')
})

test('little memory: a host that writes as fast as it can is held back by answers, and nothing is lost', async () => {
  const path = folder.fresh()
  const program = `${beginning(path)}
    let [acknowledged, refused] = [0, 0]
    for (let k = 0; k < 300; k++) {
      const some = await Promise.all(Array.from({ length: 100 }, (_, j) => ask((k * 100 + j) % 256, 4096)))
      for (const { code } of some) code === 'ok' ? acknowledged++ : refused++
    }
    await engine.close()
    console.log(JSON.stringify({ acknowledged, refused }))`
  const { acknowledged, refused, error } = said(process.execPath, [
    '--max-old-space-size=24',
    '--input-type=module',
    '-e',
    program,
  ])
  assert.equal([acknowledged, refused, error], [30_000, 0, undefined])
  assert.is(await payloadsOf(path), 30_000)
})

const tracing = (delayUs: number) => [
  ...['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync'],
  ...['-e', `inject=fdatasync:delay_exit=${delayUs}`],
]

test('a slow disk: what waits is bounded, the rest is turned away, and the memory does not grow with it', async () => {
  if (!mayTrace(tracing(1))) return
  const path = folder.fresh()
  const program = `${beginning(path)}
    let [acknowledged, refused] = [0, 0]
    const data = new Uint8Array(4096).fill(7)
    const all = []
    let full
    for (let k = 0; k < 3 * ${maxInbox}; k++) {
      all.push(engine.submit({ kind: 'io.write', session: 1, volume: 1, offset: (k % 256) * 4096, data }).then(({ code }) => {
        code === 'ok' ? acknowledged++ : refused++
      }))
      if (k === ${maxInbox}) full = process.memoryUsage().rss
      if (k % 4096 === 0) await new Promise(setImmediate)
    }
    const grownMiB = (process.memoryUsage().rss - full) / 2 ** 20
    await Promise.all(all)
    await engine.close()
    console.log(JSON.stringify({ acknowledged, refused, grownMiB }))`
  const args = [...tracing(100_000), process.execPath, '--input-type=module', '-e', program]
  const { acknowledged, refused = 0, error, grownMiB = 0 } = said('strace', args)
  assert.is(error, undefined)
  assert.is(acknowledged + refused, 3 * maxInbox)
  assert.ok(refused > maxInbox, `${refused} were turned away`)
  assert.ok(grownMiB < 400, `${grownMiB} MiB more for what is turned away`)
  assert.is(await payloadsOf(path), acknowledged)
})

test.run()
