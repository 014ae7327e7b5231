/** The recorded traces that come with the project against what separate reference parsers found in them. */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TraceEvent } from '../../src/trace/event.ts'
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
  'nbdopen.pcap.gz': {
    events: 203,
    touched: 2281,
    written: 158,
    sequence: '2aa222581971e6723803ef8a03eafe01ea304c9076d77061d456ae51bc017b33',
  },
  'nbdopen.nbdkit.log.gz': {
    events: 198,
    touched: 2281,
    written: 158,
    sequence: '061c3d1a0d2e1cf796fe8b2197fcea8a0eea9f346419748a0fb4da4c9d48efc8',
  },
  'blkext4.blktrace.gz': {
    events: 577,
    touched: 8192,
    written: 2102,
    sequence: '18e83fc054bc9e29a33ddc0b0abf1ff179513caa6e60aceb454eacf6fb38d7ed',
  },
  'blkext4.blkparse.txt.gz': {
    events: 577,
    touched: 8192,
    written: 2102,
    sequence: '18e83fc054bc9e29a33ddc0b0abf1ff179513caa6e60aceb454eacf6fb38d7ed',
  },
  'bkrest1.bak.dmlog.gz': {
    events: 254,
    touched: 4096,
    written: 4096,
    sequence: '3db9be2b5f45cb1f6857d0c6273c1a0b279266fc6b0ff1aa5ccd8b67d8ed975f',
  },
  'bkrest1.h1.jsonl.gz': {
    events: 501,
    touched: 1222,
    written: 710,
    sequence: '3e72b8760e938de03502835243cf97e961b65e88e6bc3af9369f67030f8d539b',
  },
  'bkrest1.h2.jsonl.gz': {
    events: 1316,
    touched: 2183,
    written: 1536,
    sequence: 'bc166e0f1cc2d46dfc0ea85b6082fe5e0458d3bcc1a36aad180830630516f38b',
  },
  'bkrest1.h3.jsonl.gz': {
    events: 1242,
    touched: 1497,
    written: 864,
    sequence: '18742ff0e9c1c4a1ae57bdc3852cc30fb5ed05299a1f95029adfce9fe9681c38',
  },
  'bkrest1.h4.jsonl.gz': {
    events: 422,
    touched: 1192,
    written: 771,
    sequence: '4ca773a9f839257bf09d2507f5893289eb6a96ad597c709206d5b86be8846bbc',
  },
}

const data: Record<string, string> = {
  'nbdopen.pcap.gz': 'e0857c65bf97d3a28f52fef2c1ca162836021af04e53ee0aa44e540a4fae915f',
  'bkrest1.bak.dmlog.gz': '91204b1c46b1cdcf164ca425878644e31467e200ee22bf810e802fb8f2bbe9d5',
  'bkrest1.vol.dmlog.gz': 'd2d00a7e6092a277efdedaea951d6e1fa9167401ad83acafd283f1977a49e7de',
  'sqlite_delete.dmlog.gz': 'f9c4af632fa664a0b1ee224c0f3292aec85ee7349c6bbe900c687617a7bc636f',
  'ext4life.dmlog.gz': '60fa2b550430d2e228f399b718608954bfe5d9fd83ee7a2318a4c4f0c544935a',
}

const folder = join(projectRoot(dirname(fileURLToPath(import.meta.url))), 'traces')

function projectRoot(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : projectRoot(dirname(from))
}

/** The capture is of a server on this port. */
const options = { port: 10821 }

async function eventsOf(file: string): Promise<TraceEvent[]> {
  const all: TraceEvent[] = []
  for await (const { events } of readTrace(join(folder, file), { options })) all.push(...events)
  return all
}

for (const [file, expected] of Object.entries(recorded)) {
  test(file, async () => {
    const sum = summarise()
    for (const event of await eventsOf(file)) sum.add(event)
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
    for await (const { events } of readTrace(join(folder, file), { options })) {
      for (const { op, offset, length, data } of events) {
        if (offset === null || length === null) continue
        size = Math.max(size, offset + length)
        if (data !== undefined) image.set(data, offset)
        else if (op === 'discard' || op === 'zero') image.fill(0, offset, offset + length)
      }
    }
    assert.is(createHash('sha256').update(image.subarray(0, size)).digest('hex'), digest)
  })
}

test('the binary trace of the block layer and its text are the same events', async () => {
  assert.equal(await eventsOf('blkext4.blktrace.gz'), await eventsOf('blkext4.blkparse.txt.gz'))
})

// The server answers with several threads, so its order within a connection is its own.
test('the wire and the server saw the same requests on every connection', async () => {
  const wire = (await eventsOf('nbdopen.pcap.gz')).filter(({ op }) => op !== 'close')
  const server = await eventsOf('nbdopen.nbdkit.log.gz')
  const perConnection = (events: readonly TraceEvent[]) => {
    const all = new Map<string | null, string[]>()
    for (const { dev, op, offset, length, flags } of events) {
      all.set(dev, [...(all.get(dev) ?? []), `${op} ${offset} ${length} ${flags}`])
    }
    return [...all.values()].map((requests) => requests.sort())
  }
  assert.equal(perConnection(wire), perConnection(server))
  assert.ok(server.every(({ tNs, tCompleteNs, ret }) => ret === 0 && tCompleteNs! >= tNs!))
})

test('clients of one volume never write where the others write', async () => {
  const owners = new Map<number, string>()
  for (const client of ['h2', 'h3']) {
    for (const { op, offset, length } of await eventsOf(`bkrest1.${client}.jsonl.gz`)) {
      if (op !== 'write' && op !== 'zero' && op !== 'discard') continue
      for (let sector = offset! / 512; sector < (offset! + length!) / 512; sector++) {
        assert.is(owners.get(sector) ?? client, client)
        owners.set(sector, client)
      }
    }
  }
  assert.ok(owners.size > 1000)
})

test.run()
