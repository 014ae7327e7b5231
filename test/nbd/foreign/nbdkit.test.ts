/** nbdkit in front of a volume, with a filter that checks every write; and the list as nbd-client sees it. */

// needs: program nbdkit
// needs: program nbdcopy
// needs: program nbd-client
// limit: 120 s

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { exportUri } from '../../../src/nbd/server/address.ts'
import { run, runs } from '../../support/foreign.ts'
import { withServer } from '../../support/served.ts'

const test = suite('nbdkit and nbd-client')

const size = 4 * 2 ** 20

test('a chain of servers: what is written through nbdkit is read through nbdkit', () =>
  withServer({ size }, async ({ folder, socket }) => {
    const image = join(folder, 'image')
    writeFileSync(image, randomBytes(size))
    const uri = exportUri({ socket }, 'vol', false)
    const chain = ['-U', '-', 'nbd', `uri=${uri}`, '--run']
    await runs('nbdkit', ...chain, `nbdcopy ${image} $uri`)
    await runs('nbdkit', ...chain, `nbdcopy $uri ${image}.out && cmp ${image} ${image}.out`)
    await runs(
      'nbdkit',
      '-U',
      '-',
      '--filter=checkwrite',
      'nbd',
      `uri=${uri}`,
      '--run',
      `nbdcopy ${image} $uri`,
    )
    writeFileSync(image, randomBytes(size))
    const other = await run('nbdkit', [
      '-U',
      '-',
      '--filter=checkwrite',
      ...chain.slice(2),
      `nbdcopy ${image} $uri`,
    ])
    assert.is.not(other.code, 0, 'another content is noticed')
  }))

test('nbd-client lists the volumes', () =>
  withServer({ size }, async ({ socket, engine }) => {
    await engine.submit({ kind: 'volume.create', detail: { name: 'other', size, block: 512 } })
    const { out } = await run('nbd-client', ['-l', '-u', socket])
    assert.match(out, 'vol')
    assert.match(out, 'other')
  }))

test.run()
