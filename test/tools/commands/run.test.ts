/** `blockbox run` on trace files: volumes made to fit, the pace kept on a real clock, options on the record. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, json, ofRepository, scratch } from './blockbox.ts'

const test = suite('run')

const folder = scratch()
const journal = (name: string) => join(folder, `${name}.journal`)

interface Hosts {
  readonly hosts: readonly {
    readonly name: string
    readonly submitted: number
    readonly skipped: number
    readonly refused: object
    readonly pace: { readonly requests: number; readonly scheduled_ns: number; readonly drift: number }
  }[]
}

const recorded = (name: string, us: (k: number) => number, count: number) => {
  const lines = Array.from(
    { length: count },
    (_, k) => `${us(k)} f ${k % 3 === 2 ? 'read' : 'write'} ${(k % 97) * 4096} 4096`,
  )
  const path = join(folder, name)
  writeFileSync(path, ['fio version 3 iolog', '0 f add', '0 f open', ...lines, ''].join('\n'))
  return path
}

test('a pace drifts by less than 1 % over the run, bursts and silences included', async () => {
  const bursts = recorded('bursts.iolog', (k) => Math.floor(k / 20) * 100_000 + (k % 20) * 50, 401)
  let least = 1
  for (let k = 0; k < 3 && least >= 0.01; k++) {
    const place = ['-j', journal(`pace-${k}`)]
    const args = ['run', bursts, ...place, '--order', 'overlap', '--pace', '0.8x']
    const host = ((await json(...args)) as unknown as Hosts).hosts[0]!
    assert.is(host.name, 'bursts')
    assert.is(host.pace.requests, 401)
    assert.is(host.pace.scheduled_ns, 2e9 / 0.8)
    assert.equal((await json('replay', ...place)).findings, [])
    least = Math.min(least, host.pace.drift)
  }
  assert.ok(
    least >= 0 && least < 0.01,
    `drift ${least} in the best of three runs, for other programs take time too`,
  )
})

test('two traces on two volumes, moved; both volumes fit what is played there', async () => {
  const [one, two] = [recorded('one.iolog', (k) => k, 200), recorded('two.iolog', (k) => k, 100)]
  const moved = ['--skip', 'read', '--shift', '1M', '--scale', '1/2', '--align', '8K']
  const args = ['run', '-j', journal('two'), '--volume', `a=${one}`, '--volume', `b=${two}`, ...moved]
  const { hosts } = (await json(...args)) as unknown as Hosts
  assert.equal(
    hosts.map(({ submitted, skipped }) => [submitted, skipped]),
    [
      [134, 66],
      [67, 33],
    ],
  )
  const { volumes } = (await json('volume', 'ls', '-j', journal('two'))) as {
    volumes: { name: string; size: number }[]
  }
  assert.equal(
    volumes.map(({ name, size }) => [name, size]),
    [
      ['a', 2 ** 20 + 49 * 4096 - (49 % 2) * 4096 + 8192],
      ['b', 2 ** 20 + 49 * 4096 - (49 % 2) * 4096 + 8192],
    ],
  )
  const { out } = await blockbox(['log', '-j', journal('two'), '--kind', 'run', '--json'])
  const begun = JSON.parse(out.split('\n')[0]!) as { detail: { options: string } }
  const said = JSON.parse(begun.detail.options)
  assert.equal(
    [said.order, said.skip, said.shift, said.scale, said.align],
    ['trace', ['read'], 2 ** 20, [1, 2], 8192],
  )
  assert.is(said.traces.length, 2)
})

test('a volume that is there takes what is played later', async () => {
  const trace = recorded('again.iolog', (k) => k, 30)
  for (let k = 0; k < 2; k++) await json('run', '-j', journal('again'), '--volume', `v=${trace}`)
  const { volumes } = (await json('volume', 'ls', '-j', journal('again'))) as { volumes: unknown[] }
  assert.is(volumes.length, 1)
})

test('what cannot be run is refused before anything is recorded', async () => {
  const refused = async (args: readonly string[], code: number, words: RegExp) => {
    const result = await blockbox(['run', '-j', journal('never'), ...args])
    assert.is(result.code, code, result.err)
    assert.match(result.err, words)
  }
  const scenario = ofRepository('traces', 'nightly.scenario.toml')
  const timeless = ofRepository('traces', 'sqlite_delete.dmlog.gz')
  await refused([], 2, /what is to be run\?/)
  await refused([scenario, '--wrap'], 2, /--wrap is for traces/)
  await refused([timeless, '--pace', 'recorded'], 2, /event 0 of its trace has no time.*use pace fast/)
  await refused([timeless, '--pace', 'quick'], 2, /fast, recorded, or times as fast/)
  await refused([timeless, '--wrap'], 2, /volume sqlite_delete needs a --size/)
  await refused(['--volume', 'v'], 2, /write the name of a volume and a trace, as disk0=FILE/)
  assert.is((await blockbox(['info', '-j', journal('never')])).code, 10)
})

test.run()
