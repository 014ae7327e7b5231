/**
 * The ext4 layout against real file systems: what it lists is what dumpe2fs and debugfs list, in every shape of file
 * system; overwriting it hides the file system from every tool; damage is refused and never followed into a loop.
 */

// needs: program mke2fs
// needs: program debugfs
// needs: program dumpe2fs
// needs: program e2fsck
// needs: program blkid
// limit: 180 s

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockboxError } from '../../src/core/errors.ts'
import { ext4 } from '../../src/layout/ext4.ts'
import { SharedMeta } from '../../src/layout/layout.ts'
import { encodePattern } from '../../src/layout/pattern.ts'
import {
  content,
  ImageFolder,
  isUnmountable,
  listed,
  readerOf,
  run,
  superblocks,
} from '../support/ext4-image.ts'

const test = suite('ext4 layout')
const folder = new ImageFolder()
test.after(() => folder.remove())

const MiB = 2 ** 20
const shapes: readonly [string, number, readonly string[], number][] = [
  ['small blocks', 64 * MiB, ['-t', 'ext4', '-b', '1024'], 1024],
  ['flexible groups', 64 * MiB, ['-t', 'ext4', '-b', '4096', '-g', '2048'], 4096],
  ['no flexible groups', 64 * MiB, ['-t', 'ext4', '-b', '4096', '-g', '2048', '-O', '^flex_bg'], 4096],
  ['64-bit off', 64 * MiB, ['-t', 'ext4', '-b', '2048', '-O', '^64bit,^metadata_csum'], 2048],
  ['two backups', 64 * MiB, ['-t', 'ext4', '-b', '1024', '-O', 'sparse_super2,^resize_inode'], 1024],
  ['backups everywhere', 64 * MiB, ['-t', 'ext2', '-b', '1024', '-O', '^sparse_super,^resize_inode'], 1024],
  ['meta groups', 64 * MiB, ['-t', 'ext4', '-b', '1024', '-O', 'meta_bg,^resize_inode'], 1024],
  ['ext3', 64 * MiB, ['-t', 'ext3', '-b', '1024'], 1024],
  ['a size that is no whole group', 37 * MiB + 8192, ['-t', 'ext4', '-b', '1024'], 1024],
]

for (const [name, size, options, blockSize] of shapes) {
  test(`${name}: all metadata is what dumpe2fs lists, and without it nothing opens`, () => {
    const image = folder.ext4(size, options, { '/a': content(1, 5000) })
    const bytes = new Uint8Array(readFileSync(image))
    const { meta, full, last } = ext4.full(readerOf(bytes, blockSize))
    const blocks = new Set<number>()
    for (const { offset, length } of meta.ranges) {
      for (let at = offset; at < offset + length; at += blockSize) blocks.add(at / blockSize)
    }
    const expected = listed(image)
    const sorted = (set: Set<number>) => [...set].sort((a, b) => a - b)
    assert.equal(sorted(blocks), sorted(expected))
    assert.ok(expected.size > 20)
    assert.equal([full, last], [true, Math.floor(1024 / blockSize) * blockSize])
    const copies = superblocks(image)
    assert.ok(copies.length > 1)
    assert.not(isUnmountable(image, blockSize, copies), 'it opens before')
    for (const { offset, length } of meta.ranges) {
      bytes.set(encodePattern({ fence: 1, owner: 'o', seq: 1, saved: '0'.repeat(64) }, length), offset)
    }
    assert.ok(isUnmountable(folder.file(bytes), blockSize, copies))
  })
}

/** Files that each have a block of the inode table of their own. */
const apart = ['-b', '1024', '-I', '1024']

function blocksOf(image: string, path: string): number[] {
  const { output } = run('debugfs', '-R', `blocks ${path}`, image)
  const numbers = output.split('\n').find((line) => /^\d+( \d+)* *$/.test(line)) ?? ''
  return numbers
    .trim()
    .split(' ')
    .map(Number)
    .sort((a, b) => a - b)
}

function inodeBlock(image: string, path: string): number {
  return Number(/located at block (\d+)/.exec(run('debugfs', '-R', `imap ${path}`, image).output)?.[1])
}

for (const type of ['ext4', 'ext2']) {
  test(`${type}: the metadata and data of a file are what debugfs lists`, () => {
    const files = { '/dir/one': content(1, 700_000), '/dir/two': content(2, 3000), '/three': content(3, 60) }
    const image = folder.ext4(32 * MiB, ['-t', type, ...apart], files)
    const reader = readerOf(new Uint8Array(readFileSync(image)), 1024)
    for (const path of Object.keys(files)) {
      const { meta, covered, last, full } = ext4.partial(reader, [path])
      const blocks = [...meta.ranges, ...covered.ranges].flatMap(({ offset, length }) =>
        [...Array(length / 1024).keys()].map((k) => offset / 1024 + k),
      )
      const expected = [...new Set([...blocksOf(image, path), inodeBlock(image, path)])].sort((a, b) => a - b)
      assert.equal(
        blocks.sort((a, b) => a - b),
        expected,
      )
      assert.equal([full, last], [false, inodeBlock(image, path) * 1024])
      assert.ok(meta.bytes < covered.bytes || path !== '/dir/one')
      assert.not(meta.meets(covered))
    }
    const both = ext4.partial(reader, ['/dir/one', '/three'])
    assert.ok(both.covered.bytes > 700_000)
  })
}

test('a file in many pieces: its tree of extents is metadata', () => {
  const files: Record<string, Uint8Array> = {}
  for (let k = 0; k < 40; k++) files[`/f${k}`] = content(k, 1024)
  const image = folder.ext4(32 * MiB, ['-t', 'ext4', ...apart], files)
  const script = [...Array(20).keys()].map((k) => `rm /f${k * 2}`)
  const holes = folder.file(content(99, 9 * 1024))
  run(
    'debugfs',
    '-w',
    '-f',
    folder.file(Buffer.from([...script, `write ${holes} /big`, ''].join('\n'))),
    image,
  )
  const reader = readerOf(new Uint8Array(readFileSync(image)), 1024)
  const { meta, covered } = ext4.partial(reader, ['/big'])
  const blocks = [...meta.ranges, ...covered.ranges].reduce((sum, { length }) => sum + length / 1024, 0)
  assert.is(blocks, new Set([...blocksOf(image, '/big'), inodeBlock(image, '/big')]).size)
})

test('metadata that serves others is refused, with the list of them', () => {
  const files: Record<string, Uint8Array> = {}
  for (let k = 0; k < 40; k++) files[`/dir/f${k}`] = content(k, 4096)
  const image = folder.ext4(32 * MiB, ['-t', 'ext4', '-b', '4096', '-I', '256'], files)
  const reader = readerOf(new Uint8Array(readFileSync(image)))
  const shared = (paths: string[]): SharedMeta => {
    try {
      ext4.partial(reader, paths)
    } catch (error) {
      if (error instanceof SharedMeta) return error
      throw error
    }
    return assert.unreachable('nothing is shared') as never
  }
  const found = shared(['/dir/f20'])
  assert.is(found.code, 'SHARED_META')
  assert.is(found.paths.length, 15)
  assert.not(found.paths.includes('/dir/f20'))
  const { meta, covered } = ext4.partial(reader, ['/dir/f20', ...found.paths])
  assert.equal([meta.bytes, covered.bytes], [4096, 16 * 4096])
  assert.ok(shared(['/dir/f0']).paths.includes('/'), 'the first block of inodes holds the root')
})

test('blocks of the volume larger than those of the file system may hold the data of others', () => {
  const files = { '/a': content(1, 1024), '/b': content(2, 1024) }
  const image = folder.ext4(32 * MiB, ['-t', 'ext4', ...apart], files)
  const reader = readerOf(new Uint8Array(readFileSync(image)), 4096)
  assert.throws(
    () => ext4.partial(reader, ['/a']),
    (error: Error) => error instanceof SharedMeta,
  )
})

test('what is not there, or is no file, is said', () => {
  const image = folder.ext4(32 * MiB, ['-t', 'ext4', ...apart], { '/dir/a': content(1, 10) })
  const reader = readerOf(new Uint8Array(readFileSync(image)), 1024)
  for (const path of ['/nothing', '/dir/b', '/dir/a/b', '/dir', '/']) {
    assert.throws(
      () => ext4.partial(reader, [path]),
      (error: Error) => error instanceof BlockboxError && error.code === 'LAYOUT',
    )
  }
  assert.throws(() => ext4.partial(reader, ['dir/a']), /absolute/)
  assert.throws(() => ext4.partial(reader, []), /at least one/)
  assert.throws(() => ext4.full(readerOf(new Uint8Array(65_536))), /superblock/)
  assert.throws(() => ext4.full(readerOf(new Uint8Array(1024))), /too small/)
  assert.throws(() => ext4.full(readerOf(reader.read(0, 16 * MiB))), /larger than the volume/)
})

test('damage anywhere gives an answer or an error that says so, and comes to an end', () => {
  const files: Record<string, Uint8Array> = { '/dir/one': content(1, 300_000) }
  for (let k = 0; k < 30; k++) files[`/f${k}`] = content(k, 100)
  for (const type of ['ext4', 'ext2']) {
    const image = folder.ext4(16 * MiB, ['-t', type, ...apart], files)
    const sound = new Uint8Array(readFileSync(image))
    const interesting = [
      ...ext4.full(readerOf(sound, 1024)).meta.ranges,
      ...ext4.partial(readerOf(sound, 1024), ['/dir/one']).meta.ranges,
    ]
    const places = interesting.flatMap(({ offset, length }) => [
      { min: offset, max: offset + Math.min(length, 4096) - 1 },
    ])
    const hit = fc
      .nat(places.length - 1)
      .chain((k) => fc.tuple(fc.integer(places[k]!), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)))
    const damage = fc.array(fc.oneof(hit, fc.tuple(fc.integer({ min: 1024, max: 2047 }), fc.nat(255))), {
      minLength: 1,
      maxLength: 12,
    })
    fc.assert(
      fc.property(damage, (hits) => {
        const bytes = sound.slice()
        for (const [at, value] of hits) bytes[at] = value
        const reader = readerOf(bytes, 1024)
        for (const ask of [() => ext4.full(reader), () => ext4.partial(reader, ['/dir/one'])]) {
          try {
            const { meta } = ask()
            assert.ok(
              meta.bytes > 0 && meta.ranges.every(({ offset, length }) => offset + length <= bytes.length),
            )
          } catch (error) {
            if (!(error instanceof BlockboxError)) throw error
          }
        }
      }),
      { numRuns: 300 },
    )
  }
})

test.run()
