/** Traces of several devices: one volume takes one of them, unless somebody says that they are to lie over each other. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, json, ofRepository, scratch } from './blockbox.ts'

const test = suite('devices of a trace')

const folder = scratch()
const journal = (name: string) => join(folder, `${name}.journal`)

/** Three ASUs: 4 requests of 0, 3 of 1, 2 of 10. */
const spc = join(folder, 'oltp.spc')
const asus = [0, 1, 0, 10, 1, 0, 0, 1, 10]
writeFileSync(spc, asus.map((asu, k) => `${asu},${k * 8},4096,W,0.${k}\n`).join(''))

const refusal = /oltp\.spc has 3 devices \("0", "1", "10"\), and each counts offsets from its own beginning/

interface Submitted {
  readonly hosts: readonly { readonly name: string; readonly submitted: number }[]
}

const submitted = (ran: unknown) => (ran as Submitted).hosts.map((host) => host.submitted)

test('import refuses several devices, and takes one or all where that is said', async () => {
  const place = ['-j', journal('imported'), '--format', 'spc', '--volume']
  const refused = await blockbox(['import', spc, ...place, 'all'])
  assert.is(refused.code, 2, refused.out)
  assert.match(refused.err, refusal)
  assert.match(refused.err, /--dev NAME.*--merge-devices/)
  assert.is((await blockbox(['info', '-j', journal('imported')])).code, 10, 'no journal was made')
  const absent = await blockbox(['import', spc, ...place, 'none', '--dev', '7'])
  assert.is(absent.code, 2)
  assert.match(absent.err, /has no events of the device "7"; it has "0", "1", "10"/)
  assert.is((await blockbox(['import', spc, ...place, 'two', '--dev', '0', '--dev', '1'])).code, 2)
  assert.is((await json('import', spc, ...place, 'one', '--dev', '1')).events, 3)
  assert.is((await json('import', spc, ...place, 'all', '--merge-devices')).events, 9)
})

test('import shows the events of one device', async () => {
  const { code, out } = await blockbox(['import', spc, '--format', 'spc', '--summary', '--dev', '10'])
  assert.is(code, 0)
  assert.is(JSON.parse(out).events, 2)
})

test('run refuses several devices, and gives each a volume where that is said', async () => {
  const run = (...args: string[]) => ['run', '-j', journal('run'), '--format', 'spc', ...args]
  const refused = await blockbox(run(spc))
  assert.is(refused.code, 2, refused.out)
  assert.match(refused.err, refusal)
  const absent = await blockbox(run('--volume', `x=${spc}:2`))
  assert.is(absent.code, 2, absent.out)
  assert.match(absent.err, /has no events of the device "2"; it has "0", "1", "10"/)
  assert.is((await blockbox(['info', '-j', journal('run')])).code, 10, 'no journal was made')
  assert.equal(
    submitted(await json(...run('--volume', `data=${spc}:0`, '--volume', `log=${spc}:10`))),
    [4, 2],
  )
  assert.equal(submitted(await json(...run(spc, '--dev', '1'))), [3])
  assert.equal(submitted(await json(...run('--volume', `all=${spc}`, '--merge-devices'))), [9])
})

test('a host of a scenario stops at the second device', async () => {
  const scenario = (name: string, more: string) => {
    const path = join(folder, `${name}.scenario.toml`)
    const host = `[[host]]\nname = "h"\nvolume = "v"\ntrace = "oltp.spc"\nformat = "spc"\n${more}\n`
    writeFileSync(path, `name = "${name}"\n[[volume]]\nname = "v"\nsize = "1M"\n${host}`)
    return ['run', path, '-j', journal(name)]
  }
  const refused = await blockbox(scenario('bare', ''))
  assert.is(refused.code, 2, refused.out)
  assert.match(refused.err, /host h: oltp\.spc has 2 devices \("0", "1"\).*merge_devices = true/)
  assert.equal(submitted(await json(...scenario('one', 'devices = ["0"]'))), [4])
  assert.equal(submitted(await json(...scenario('all', 'merge_devices = true'))), [9])
})

test('connections are no devices', async () => {
  const log = ofRepository('traces', 'nbdopen.nbdkit.log.gz')
  assert.ok(Number((await json('import', log, '-j', journal('log'), '--volume', 'v')).events) > 100)
})

test.run()
