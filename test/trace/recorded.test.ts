/** The recorded traces that come with the project against what separate reference parsers found in them. */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readTrace } from '../../src/trace/source.ts'
import { summarise } from '../../src/trace/summary.ts'

const test = suite('recorded')

const recorded: Record<string, { events: number; touched: number; written: number; sequence: string }> = {
  'bkrest1.vol.dmlog.gz': {
    events: 3150,
    touched: 4096,
    written: 4096,
    sequence: 'ac456e913e6a9bd043fa2b7150c3a51e18ca4e9013944fd24a28101978ef2851',
  },
  'sqlite_delete.dmlog.gz': {
    events: 1301,
    touched: 4096,
    written: 524,
    sequence: '86f52a8b716d9f73cc78e3d40e6a2bae1649da1f3475e66471651a9f71e17beb',
  },
  'ext4life.dmlog.gz': {
    events: 314,
    touched: 6144,
    written: 1153,
    sequence: 'd1f779c83987a7412bfaca1be6b5a07ef7d6cdc27d13b68e0195ae887690bdd4',
  },
  'fio_randrw.v3.iolog': {
    events: 3617,
    touched: 7864,
    written: 3632,
    sequence: '747cae03e135a7fbff5d41812111d52a93474c69bbdf0dd645cc890974e1411f',
  },
  'fio_randrw.v2.iolog': {
    events: 815,
    touched: 3072,
    written: 1452,
    sequence: '31032832e6fb502a645c982b3649206c487db30aa4c3c8c65d9903f50e07f670',
  },
  'fio_seqwrite.v3.iolog': {
    events: 79,
    touched: 2048,
    written: 2048,
    sequence: 'b2da24c8b441641d26831acaa6b963ce957d846d03cf261c429184d75a2fb733',
  },
}

const data: Record<string, string> = {
  'bkrest1.vol.dmlog.gz': 'd2d00a7e6092a277efdedaea951d6e1fa9167401ad83acafd283f1977a49e7de',
  'sqlite_delete.dmlog.gz': 'f9c4af632fa664a0b1ee224c0f3292aec85ee7349c6bbe900c687617a7bc636f',
  'ext4life.dmlog.gz': '60fa2b550430d2e228f399b718608954bfe5d9fd83ee7a2318a4c4f0c544935a',
}

const folder = join(projectRoot(dirname(fileURLToPath(import.meta.url))), 'traces')

function projectRoot(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : projectRoot(dirname(from))
}

for (const [file, expected] of Object.entries(recorded)) {
  test(file, async () => {
    const sum = summarise()
    for await (const { events } of readTrace(join(folder, file))) for (const event of events) sum.add(event)
    const result = sum.result()
    assert.equal(
      {
        events: result.events,
        touched: result.unique_4k_blocks_touched,
        written: result.unique_4k_blocks_written,
        sequence: result.io_sequence_sha256,
      },
      expected,
    )
  })
}

for (const [file, digest] of Object.entries(data)) {
  test(`the data of ${file} makes the volume it was recorded from`, async () => {
    const image = new Uint8Array(32 * 2 ** 20)
    let size = 0
    for await (const { events } of readTrace(join(folder, file))) {
      for (const { op, offset, length, data } of events) {
        size = Math.max(size, offset! + length!)
        if (data !== undefined) image.set(data, offset!)
        else if (op === 'discard') image.fill(0, offset!, offset! + length!)
      }
    }
    assert.is(createHash('sha256').update(image.subarray(0, size)).digest('hex'), digest)
  })
}

test.run()
