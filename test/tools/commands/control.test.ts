/** The systems by their nouns and verbs, through the program: what works says so, what is refused says what to do. */

import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blockbox, ofRepository, scratch } from './blockbox.ts'

const test = suite('control commands')

const journal = join(scratch(), 'control.journal')
const trace = ofRepository('traces', 'fio_seqwrite.v3.iolog')

async function says(args: string, words: RegExp): Promise<void> {
  const { code, out, err } = await blockbox([...args.split(' '), '-j', journal])
  assert.is(code, 0, `${args}: ${err}`)
  assert.match(out, words)
}

async function refuses(args: string, words: RegExp): Promise<void> {
  const { code, out, err } = await blockbox([...args.split(' '), '-j', journal])
  assert.is(code, 1, `${args}: ${out}`)
  assert.match(err, words)
}

test('no journal is made by a command that needs one', async () => {
  const { code } = await blockbox(['backup', 'stop', 'nightly', '-j', journal])
  assert.is(code, 10)
})

test('a clone is synced and fractured; a backup holds; a view merges; a restore comes to its end', async () => {
  await says(`import ${trace} --volume vol`, /recorded 79 events/)
  await says('volume create copy --size 8M', /volume copy/)
  await says('device create shelf', /device shelf: number 1/)
  await says('clone create mirror --source vol --clone copy', /fractured, 128 extents differ/)
  await says('clone sync mirror', /in-sync, 0 extents differ/)
  await refuses('restore start mirror', /E_STATE/)
  await says('clone fracture mirror', /fractured, 0 extents differ/)
  await says('backup start nightly --volume vol', /backup nightly: holding/)
  await refuses('backup start nightly --volume vol', /E_ALREADY: .*choose another name/)
  await says('preserve create vol trial', /view trial of volume vol/)
  await refuses('preserve create trial deeper', /E_CHAIN/)
  await says('backup stop nightly --json', /"code":"ok"/)
  await refuses('backup stop nightly', /E_NOT_ACTIVE: /)
  await refuses('restore start mirror', /E_BUSY_OVERLAY: .*drop or merge it first/)
  await says('preserve merge trial', /merged into its base/)
  await says('restore start mirror', /fractured, 0 extents differ/)
  await says('mark vol here', /mark here: event \d+/)
  await says('clone ls', /mirror +vol +copy +64K +fractured/)
  await says('replay', /^sound: /)
})

test.run()
