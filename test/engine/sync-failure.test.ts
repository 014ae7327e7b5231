/**
 * fdatasync fails once with EIO, put there by strace: the request gets the error, the engine takes nothing more, and the
 * next opening settles what was in doubt. Nothing that was acknowledged is lost.
 */

// needs: program strace

import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openToRead } from '../../src/engine/open-folder.ts'
import { segmentedBytes } from '../../src/journal/segmented-store.ts'
import { verify } from '../../src/replay/verify.ts'
import { mayTrace } from '../support/ability.ts'
import { temporaryFolder } from '../support/folder.ts'

const test = suite('a sync that fails')
const folder = temporaryFolder()
test.after(() => folder.remove())

const tracing = (count: number) => [
  ...['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync'],
  ...['-e', `inject=fdatasync:error=EIO:when=${count}`],
]
const engine = JSON.stringify(new URL('../../src/engine/open-folder.js', import.meta.url).href)

function program(path: string, bytes: number): string {
  return `
    const { openToWrite } = await import(${engine})
    const { engine } = await openToWrite(${JSON.stringify(path)}, { create: true })
    const codes = []
    const ask = (one) => engine.submit(one).then(() => true, (error) => { codes.push(error.code); return false })
    await ask({ kind: 'volume.create', detail: { name: 'disk', size: ${100 * bytes}, block: 4096 } })
    await ask({ kind: 'session.open', detail: { name: 'host' } })
    let acknowledged = 0
    for (let k = 0; k < 100 && codes.length < 3; k++) {
      const data = new Uint8Array(${bytes}).fill(1 + k)
      if (await ask({ kind: 'io.write', session: 1, volume: 1, offset: k * ${bytes}, data })) acknowledged++
    }
    const close = await engine.close().then(() => 'ok', (error) => error.code)
    console.log(JSON.stringify({ acknowledged, codes, close }))`
}

for (const [bytes, where] of [
  [4096, 'the database'],
  [segmentedBytes, 'a segment'],
] as const) {
  for (const count of [5, 9, 15]) settles(bytes, where, count)
}

function settles(bytes: number, where: string, count: number): void {
  test(`payload in ${where}, sync number ${count} of a thread: an error, an end, and settled when it is opened again`, async () => {
    if (!mayTrace(tracing(1))) return
    const path = folder.fresh()
    const args = [...tracing(count), process.execPath, '--input-type=module', '-e', program(path, bytes)]
    const { stdout, stderr } = spawnSync('strace', args, { encoding: 'utf8', timeout: 60_000 })
    assert.is.not(stdout, '', stderr)
    const said = JSON.parse(stdout) as { acknowledged: number; codes: string[] }
    assert.is(said.codes[0], 'JOURNAL_IN_DOUBT', stdout)
    assert.is(said.codes.length, 3, 'nothing more is taken')
    assert.ok(said.acknowledged < 60, `${said.acknowledged} were acknowledged`)
    const { journal, payload } = await openToRead(path)
    const { findings, payloads } = await verify(journal, payload)
    await journal.close()
    assert.equal(findings, [])
    const inDoubt = payloads - said.acknowledged
    assert.ok(
      inDoubt === 0 || inDoubt === 1,
      `${payloads} writes are there, ${said.acknowledged} acknowledged`,
    )
  })
}

test.run()
