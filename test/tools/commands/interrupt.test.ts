/** Ctrl-C in the middle of a recording: exit code 130, and the journal that is left opens, verifies and replays. */

import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('interrupt')

const folder = scratch()
const trace = join(folder, 'long.iolog')
const writes = 200_000
/** By then the program listens, also where many run at once. */
const underWayMs = 3000
/** It ends within some 200 ms where nothing else runs. */
const patienceMs = 3000

test.before(() => {
  const lines = Array.from(
    { length: writes },
    (_, k) => `${k + 3} f write ${((k * 7919) % 4096) * 4096} 4096`,
  )
  writeFileSync(trace, ['fio version 3 iolog', '1 f add', '2 f open', ...lines, ''].join('\n'))
})

/** Bytes of the journal's database. */
function stored(journal: string): number {
  const db = join(journal, 'db')
  if (!existsSync(db)) return 0
  return readdirSync(db).reduce(
    (sum, name) => sum + (statSync(join(db, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`${signal} after some megabytes`, async () => {
    const journal = join(folder, `${signal}.journal`)
    const { code, err, out } = await blockbox(['import', trace, '-j', journal, '--volume', 'v'], (child) => {
      const watch = setInterval(() => {
        if (stored(journal) < 8 * 2 ** 20) return
        clearInterval(watch)
        child.kill(signal)
      }, 5)
      child.once('exit', () => clearInterval(watch))
    })
    assert.is(out, '')
    if (signal === 'SIGKILL') assert.is(code, null)
    else {
      assert.is(code, 130)
      assert.match(err, /stopped after \d+ of \d+ events: volume v holds what was recorded\n$/)
    }
    const verdict = await json('verify', '-j', journal)
    assert.equal(verdict.findings, [])
    assert.ok(Number(verdict.payloads) > 1000 && Number(verdict.payloads) < writes, String(verdict.payloads))
    const { findings, events } = await json('replay', '-j', journal)
    assert.equal(findings, [])
    await json('volume', 'create', 'next', '--size', '1M', '-j', journal)
    assert.ok(Number((await json('info', '-j', journal)).events) > Number(events))
  })
}

test('an image that is interrupted leaves no file', async () => {
  const journal = join(folder, 'wide.journal')
  const images = join(folder, 'images')
  mkdirSync(images)
  await json('volume', 'create', 'wide', '--size', '64G', '-j', journal)
  const args = ['image', 'wide', '-j', journal, '-o', join(images, 'wide.img'), '--digest']
  const { code, out } = await blockbox(args, (child) => {
    const watch = setInterval(() => {
      if (readdirSync(images).length === 0) return
      clearInterval(watch)
      child.kill('SIGINT')
    }, 5)
    child.once('exit', () => clearInterval(watch))
  })
  assert.equal({ code, out }, { code: 130, out: '' })
  assert.equal(readdirSync(images), [])
})

/** Interrupts what takes minutes once it is under way. */
async function stopped(args: readonly string[]): Promise<{ code: number | null; err: string; ms: number }> {
  let asked = 0
  const { code, err } = await blockbox(args, (child) => {
    setTimeout(() => {
      asked = performance.now()
      child.kill('SIGINT')
    }, underWayMs)
  })
  return { code, err, ms: performance.now() - asked }
}

for (const [args, said] of [
  [['simulate', '--steps', '50000000'], /stopped in seed 1 after step \d+ of 50000000\n$/],
  [
    ['simulate', '--steps', '20', '--seeds', '1000000'],
    /stopped in seed \d+ after step \d+ of 20; \d+ seeds before it are whole\n$/,
  ],
  [['simulate', '--enumerate', '4'], /stopped after \d+ of \d{6,} sequences\n$/],
] as const) {
  test(`${args.join(' ')} ends at once and says how far it came`, async () => {
    const { code, err, ms } = await stopped(args)
    assert.is(code, 130, err)
    assert.match(err, said)
    assert.ok(ms < patienceMs, `${ms} ms`)
  })
}

test.run()
