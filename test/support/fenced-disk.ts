/**
 * A disk with a real ext4 file system, a host that is no owner and looks at it, and the backup of another file system
 * of the same size: what the tests of the claims of seed S0 have in common.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { checks } from '../../src/check/all.ts'
import { hex, sha256 } from '../../src/core/digest.ts'
import { ext4 } from '../../src/layout/ext4.ts'
import { imageFolder } from '../../src/mover/image-store.ts'
import { Network } from '../../src/mover/network.ts'
import { StorageClient } from '../../src/mover/storage-client.ts'
import { StorageServer } from '../../src/mover/storage-server.ts'
import { replay } from '../../src/replay/replay.ts'
import { content, ImageFolder, run, superblocks } from './ext4-image.ts'
import { type FenceRun, fenceRun, other } from './fence-run.ts'
import { framesOf } from './store.ts'

/** To be removed when the tests end. */
export const folder = new ImageFolder()

export const block = 1024
export const files = { '/a': content(1, 50_000), '/dir/b': content(2, 20_000), '/dir/c': content(3, 300) }
/** Inodes of a block each, eight groups: six copies of the superblock. */
const shape = ['-t', 'ext4', '-b', '1024', '-I', '1024', '-g', '1024']
export const size = 8 * 2 ** 20
const image = folder.ext4(size, shape, files)
export const before = new Uint8Array(readFileSync(image))
export const copies = superblocks(image)

/** What the other backup holds: another file system of the same size. */
export const kept = { '/x': content(4, 90_000), '/dir/y': content(5, 700) }
const backup = folder.ext4(size, shape, kept)
export const backupBytes = new Uint8Array(readFileSync(backup))
writeFileSync(join(folder.path, 'backup.img'), backupBytes)

export const disk = () => fenceRun(before, block)
export const digest = (bytes: Uint8Array) => hex(sha256(bytes))

/** The device as the other host reads it, in a file of its own; undefined when a read is refused. */
export async function seen(device: FenceRun): Promise<string | undefined> {
  const bytes = new Uint8Array(device.size)
  for (let at = 0; at < device.size; at += 2 ** 20) {
    const { data } = await device.read(at, 2 ** 20, other)
    if (data === undefined) return undefined
    bytes.set(data, at)
  }
  return folder.file(bytes, 'seen')
}

/** True when a process of the other host opens the file system on what it reads. */
export async function opens(device: FenceRun): Promise<boolean> {
  const path = await seen(device)
  assert.ok(path !== undefined, 'nobody stops the reads')
  return run('blkid', '-p', path!).code === 0 && run('dumpe2fs', path!).code === 0
}

export function sound(path: string): void {
  const { code, output } = run('e2fsck', '-fn', path)
  assert.is(code, 0, output)
}

export async function kindsOf(device: FenceRun): Promise<string[]> {
  const kinds: string[] = []
  for (const frame of await framesOf(device.run.opened.store)) {
    const row = frame.open()
    for (row.index = 0; row.index < frame.count; row.index++) kinds.push(row.kind)
  }
  return kinds
}

export const advisory = { advisory: true }
export const raised = async (options = advisory) => {
  const device = await disk()
  await device.raise(ext4.full(device.reader), options)
  return device
}

export async function trusted(device: FenceRun): Promise<void> {
  const { findings } = await replay(device.run.opened.journal, { checks })
  assert.equal(findings, [])
}

export function serve({ run: { engine } }: Pick<FenceRun, 'run'>, pieceBytes?: number) {
  const data = new Network('data')
  const control = new Network('control')
  const images = imageFolder(folder.path)
  const server = new StorageServer({ engine, images, data, control, ...(pieceBytes && { pieceBytes }) })
  return { server, client: new StorageClient((message) => server.handle(message)), data, control }
}
