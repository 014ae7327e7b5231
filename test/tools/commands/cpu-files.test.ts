/** A blktrace of several CPUs, a file each, is one trace to every command that reads traces. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeRecords, kinds, steps } from '../../trace/block-encode.ts'
import { blockbox, json, scratch } from './blockbox.ts'

const test = suite('files of CPUs')

const folder = scratch()
const action = steps.queue | kinds.write
const cpu = (number: number, times: readonly bigint[]) => {
  const path = join(folder, `sda.blktrace.${number}`)
  writeFileSync(path, encodeRecords(times.map((time) => ({ time, sector: time * 8n, bytes: 4096, action }))))
  return path
}
const files = [cpu(0, [10n, 30n, 40n]), cpu(1, [0n, 20n])]

interface Ran {
  readonly hosts: readonly { readonly name: string; readonly submitted: number }[]
}

test('convert writes their events in one order', async () => {
  const out = join(folder, 'sda.blkparse')
  assert.is((await json('convert', ...files, out)).written, 5)
  assert.equal(readFileSync(out, 'utf8').match(/(?<= W )\d+/g), ['0', '80', '160', '240', '320'])
  const mixed = join(folder, 'mixed.iolog')
  writeFileSync(mixed, 'fio version 2 iolog\n')
  const refused = await blockbox(['convert', mixed, files[0]!, join(folder, 'never.blkparse')])
  assert.is(refused.code, 2)
  assert.match(refused.err, /fio-iolog is one file, not 2/)
})

test('run plays them as one host on one volume; import records them into one', async () => {
  const { hosts } = (await json('run', ...files, '-j', join(folder, 'run.journal'))) as unknown as Ran
  assert.equal(
    hosts.map(({ name, submitted }) => [name, submitted]),
    [['sda.blktrace', 5]],
  )
  const args = ['import', ...files, '--volume', 'v', '-j', join(folder, 'import.journal')]
  assert.is((await json(...args)).events, 5)
})

test('a scenario names them as a list', async () => {
  const path = join(folder, 'cpus.scenario.toml')
  const host = '[[host]]\nname = "h"\nvolume = "v"\ntrace = ["sda.blktrace.0", "sda.blktrace.1"]\n'
  writeFileSync(path, `name = "cpus"\n[[volume]]\nname = "v"\nsize = "1M"\n${host}`)
  const { hosts } = (await json('run', path, '-j', join(folder, 'cpus.journal'))) as unknown as Ran
  assert.is(hosts[0]!.submitted, 5)
  writeFileSync(
    path,
    `name = "cpus"\n[[volume]]\nname = "v"\nsize = "1M"\n${host.replace('0", "', '0", "../')}`,
  )
  const outside = await blockbox(['run', path, '-j', join(folder, 'never.journal')])
  assert.is(outside.code, 2, outside.out)
  assert.match(outside.err, /"\.\.\/sda\.blktrace\.1" leads out of the folder/)
})

test.run()
