/** fio's nbd engine: random reads, writes, trims and flushes, each block verified by its checksum. */

// needs: program fio
// limit: 180 s

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checks } from '../../../src/check/all.ts'
import { exportUri } from '../../../src/nbd/server/address.ts'
import { replay } from '../../../src/replay/replay.ts'
import { run } from '../../support/foreign.ts'
import { withServer } from '../../support/served.ts'

const test = suite('fio')

const size = 40 * 2 ** 20

const jobs: Readonly<Record<string, readonly string[]>> = {
  'random reads and writes, verified': [
    ...['--rw=randrw', '--bs=4k', '--io_size=24M', '--iodepth=16'],
    ...['--verify=crc32c', '--verify_backlog=64', '--verify_fatal=1'],
  ],
  'requests of mixed sizes down to a sector, verified': [
    ...['--rw=randwrite', '--bsrange=512-64k', '--bs_unaligned=0', '--io_size=8M', '--iodepth=8'],
    ...['--verify=crc32c', '--verify_fatal=1', '--do_verify=1'],
  ],
  'trims and writes': ['--rw=randtrimwrite', '--bs=4k', '--io_size=8M', '--iodepth=16'],
  'a flush after every fourth write': [
    '--rw=randwrite',
    '--bs=4k',
    '--io_size=4M',
    '--fsync=4',
    '--iodepth=8',
  ],
}

for (const [what, options] of Object.entries(jobs)) {
  for (const ack of ['durable', 'buffered'] as const) {
    test(`${what} (${ack})`, () =>
      withServer({ size, ack }, async ({ folder, socket, journal, engine }) => {
        const uri = exportUri({ socket }, 'vol', false)
        const common = [
          '--ioengine=nbd',
          `--uri=${uri}`,
          '--size=40M',
          '--randseed=1',
          '--output-format=json',
        ]
        const { out: report, err } = await run('fio', ['--name=v', ...common, ...options], folder)
        assert.ok(report.includes('{'), err)
        const [job] = JSON.parse(report.slice(report.indexOf('{'))).jobs
        assert.is(job.error, 0)
        assert.ok(job.write.total_ios > 100)
        await engine.settled()
        assert.equal((await replay(journal, { checks })).findings, [])
      }))
  }
}

test.run()
