/** A fence in a scenario that finds its metadata by the layout of a real ext4 file system in the volume. */

// needs: program mke2fs
// needs: program debugfs
// needs: program dumpe2fs
// needs: program e2fsck
// needs: program blkid

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openToRead } from '../../src/engine/open-folder.ts'
import { readContent } from '../../src/images/content.ts'
import { worldAt } from '../../src/replay/at.ts'
import { replay } from '../../src/replay/replay.ts'
import { drive } from '../../tools/drive.ts'
import { content, ImageFolder, isUnmountable, superblocks } from '../support/ext4-image.ts'
import { fails } from '../support/frames.ts'

const test = suite('a fence by layout, in a scenario')

const size = 8 * 2 ** 20
const made = new ImageFolder()
test.after(() => made.remove())
const home = made.fresh('home')
mkdirSync(home)
const disk = made.ext4(size, ['-t', 'ext4', '-b', '1024'], { '/a/file': content(3, 10_000) })
writeFileSync(join(home, 'disk.raw'), readFileSync(disk))
const writes = Array.from({ length: 64 }, (_, k) => `/dev/x write ${(k % 16) * 4096} 4096`)
writeFileSync(
  join(home, 'host.iolog'),
  ['fio version 2 iolog', '/dev/x add', '/dev/x open', ...writes, '/dev/x close', ''].join('\n'),
)

const table = (name: string, entries: Record<string, unknown>) =>
  [
    `[[${name}]]`,
    ...Object.entries(entries).map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
    '',
  ].join('\n')
const step = (at: string, does: string, args: object) => table('step', { at, do: does, ...args })
const fence = { name: 'f', host: 'own' }

/** What volume `a` holds at the end of a scenario: the disk brought in, then the steps. */
async function ran(name: string, ...steps: readonly string[]): Promise<Uint8Array> {
  const trace = { volume: 'b', trace: 'host.iolog', format: 'fio-iolog', depth: 4 }
  const scenario = [
    'name = "layout"\nseed = 3\ncopies = 2\n',
    table('volume', { name: 'a', size: '8M' }),
    table('volume', { name: 'b', size: '128K' }),
    table('host', { name: 'h', ...trace }),
    table('host', { name: 'own', ...trace, started: false }),
    step('begin', 'pair.create', { name: 'disk', source: 'a', clone_file: 'disk.raw', extent: '1M' }),
    step('begin', 'restore.start', { pair: 'disk' }),
    ...steps,
  ]
  const path = join(home, `${name}.scenario.toml`)
  writeFileSync(path, scenario.join('\n'))
  await drive(path, join(home, `${name}.journal`), 'durable')
  const { journal, payload } = await openToRead(join(home, `${name}.journal`))
  try {
    assert.equal((await replay(journal)).findings, [])
    const world = await worldAt(journal, journal.bounds().last)
    return readContent(world, world.volumes[0]!, payload, 0, size)
  } finally {
    await journal.close()
  }
}

const raise = (how: object) => step('h:end', 'fence.raise', { ...fence, volume: 'a', ...how })

test('while it stands no tool finds the file system; when it is lowered the disk is what it was', async () => {
  const up = await ran('up', raise({ layout: 'ext4' }))
  assert.ok(isUnmountable(made.file(up), 1024, superblocks(disk)))
  const down = await ran('down', raise({ layout: 'ext4' }), step('h:end', 'fence.lower', fence))
  assert.ok(Buffer.from(down).equals(readFileSync(disk)))
})

test('ranges as a list do as before; a layout and ranges, or neither, or what is not there, are refused', async () => {
  const ranges = await ran('ranges', raise({ ranges: ['0+4096', '8192+4096'], last: 0 }))
  assert.is(Buffer.compare(ranges.subarray(4096, 8192), readFileSync(disk).subarray(4096, 8192)), 0)
  assert.is.not(Buffer.compare(ranges.subarray(8192, 12_288), readFileSync(disk).subarray(8192, 12_288)), 0)
  await fails('SCENARIO', () => ran('both', raise({ layout: 'ext4', ranges: ['0+4096'] })))
  await fails('SCENARIO', () => ran('neither', raise({})))
  await fails('USAGE', () => ran('unknown', raise({ layout: 'xfs' })))
  await fails('LAYOUT', () =>
    ran('empty', step('h:end', 'fence.raise', { ...fence, volume: 'b', layout: 'ext4' })),
  )
})

test.run()
