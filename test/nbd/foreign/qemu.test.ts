/** QEMU's block layer as a client: its own patterns, conversion, comparison, and its drivers that check a disk. */

// needs: program qemu-io
// needs: program qemu-img
// limit: 120 s

import { randomBytes } from 'node:crypto'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { exportUri } from '../../../src/nbd/server/address.ts'
import { run, runs } from '../../support/foreign.ts'
import { type Served, withServer } from '../../support/served.ts'

const test = suite('qemu')

const size = 8 * 2 ** 20

const uriOf = ({ socket }: Served, name = 'vol') => exportUri({ socket }, name, false)

/** Runs commands of qemu-io; a pattern that is not found is a failure. */
async function io(image: readonly string[], ...commands: readonly string[]): Promise<string> {
  const out = await runs('qemu-io', ...image, ...commands.flatMap((one) => ['-c', one]))
  assert.not.match(out, /failed|error/i, out)
  return out
}

for (const block of [512, 4096]) {
  test(`patterns, zeros, discards, FUA and odd offsets, in blocks of ${block}`, () =>
    withServer({ size, block }, async (served) => {
      await io(
        ['-f', 'raw', uriOf(served)],
        'write -P 0xab 0 1M',
        'read -P 0xab 0 1M',
        'write -z -u 64k 64k',
        'read -P 0 64k 64k',
        'discard 256k 64k',
        'write -f -P 1 4k 4k',
        'flush',
        'read -P 1 4k 4k',
        'write -P 7 1000 3000',
        'read -P 7 1000 3000',
        'read -P 0xab 0 1000',
        'write -z 5001 9000',
        'read -P 0 5001 9000',
        'aio_write -P 3 1M 512k',
        'aio_write -P 4 1537k 512k',
        'aio_flush',
        'read -P 3 1M 512k',
        'read -P 4 1537k 512k',
      )
    }))
}

test('an image is converted onto the volume and compares the same; the past is read-only', () =>
  withServer({ size }, async (served) => {
    const image = join(served.folder, 'image')
    const content = Buffer.alloc(size)
    randomBytes(3 * 2 ** 20).copy(content, 2 ** 20)
    writeFileSync(image, content)
    await runs('qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', '-W', '-m', '8', image, uriOf(served))
    assert.match(
      await runs('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', image, uriOf(served)),
      'identical',
    )
    const map = JSON.parse(await runs('qemu-img', 'map', '--output=json', '-f', 'raw', uriOf(served)))
    assert.equal(
      map.map((one: { start: number; length: number; data: boolean }) => [one.start, one.length, one.data]),
      [
        [0, 2 ** 20, false],
        [2 ** 20, 3 * 2 ** 20, true],
        [4 * 2 ** 20, 4 * 2 ** 20, false],
      ],
    )
    const past = uriOf(served, `vol@seq:${served.journal.bounds().last}`)
    await io(['-r', '-f', 'raw', past], 'read 0 1M')
    assert.match((await run('qemu-io', ['-f', 'raw', '-c', 'write 0 4k', past])).err, 'denied')
  }))

test('blkverify finds no difference between the volume and a plain file', () =>
  withServer({ size }, async ({ socket, folder }) => {
    const raw = join(folder, 'raw')
    writeFileSync(raw, '')
    truncateSync(raw, size)
    const disk = `test.driver=nbd,test.server.type=unix,test.server.path=${socket},test.export=vol`
    const commands: string[] = []
    for (let k = 0; k < 60; k++) {
      const offset = (k % 6) * 2 ** 20 + 512 * ((k * 7919) % 1500)
      commands.push(`aio_write -P ${1 + k} ${offset} ${512 * (1 + ((k * 37) % 500))}`)
      if (k % 6 === 5) commands.push('aio_flush', `read ${512 * ((k * 131) % 9000)} 512k`)
    }
    const image = ['--image-opts', `driver=blkverify,${disk},raw.driver=file,raw.filename=${raw}`]
    await io(image, ...commands, `read 0 ${size}`)
  }))

test('blklogwrites records what passes to the volume', () =>
  withServer({ size }, async ({ socket, folder, client }) => {
    const log = join(folder, 'log')
    writeFileSync(log, '')
    truncateSync(log, 16 * 2 ** 20)
    const disk = `file.driver=nbd,file.server.type=unix,file.server.path=${socket},file.export=vol`
    const image = ['--image-opts', `driver=blklogwrites,${disk},log.driver=file,log.filename=${log}`]
    await io(image, 'write -P 5 0 1M', 'write -z 4k 8k', 'flush', 'discard 64k 64k')
    assert.ok(readFileSync(log).includes(Buffer.alloc(4096, 5)))
    const disk2 = await client()
    assert.is((await disk2.read(0, 1))[0], 5)
    assert.is((await disk2.read(4096, 1))[0], 0)
  }))

test.run()
