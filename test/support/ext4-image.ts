/** Real ext4 file systems in files, made and asked with e2fsprogs. */

import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Reader } from '../../src/layout/layout.ts'

export interface Ran {
  readonly code: number
  readonly output: string
}

/** Runs a program to its end; its output is both of its streams. */
export function run(program: string, ...args: string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, LC_ALL: 'C', MKE2FS_DEVICE_SECTSIZE: '512' },
  })
  if (error !== undefined) throw error
  return { code: status ?? -1, output: stdout + stderr }
}

function must(program: string, ...args: string[]): string {
  const { code, output } = run(program, ...args)
  assert.is(code, 0, `${program} ${args.join(' ')}: ${output}`)
  return output
}

export class ImageFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'blockbox-ext4-'))
  #made = 0

  /** A path in the folder that nothing has yet. */
  fresh(name = 'image'): string {
    return join(this.path, `${name}-${this.#made++}`)
  }

  /** A file with these bytes. */
  file(bytes: Uint8Array, name = 'file'): string {
    const path = this.fresh(name)
    writeFileSync(path, bytes)
    return path
  }

  /** A file system of `size` bytes with files in it, by their paths. */
  ext4(size: number, options: readonly string[], files: Readonly<Record<string, Uint8Array>> = {}): string {
    const path = this.fresh()
    closeSync(openSync(path, 'w'))
    truncateSync(path, size)
    must('mke2fs', '-q', '-F', ...options, path)
    const folders = new Set<string>()
    const commands: string[] = []
    for (const [name, bytes] of Object.entries(files)) {
      const parts = name.split('/').slice(1, -1)
      for (let k = 1; k <= parts.length; k++) {
        const folder = `/${parts.slice(0, k).join('/')}`
        if (!folders.has(folder)) commands.push(`mkdir ${folder}`)
        folders.add(folder)
      }
      commands.push(`write ${this.file(bytes)} ${name}`)
    }
    const script = this.file(Buffer.from(`${commands.join('\n')}\n`), 'script')
    if (commands.length > 0) must('debugfs', '-w', '-f', script, path)
    const checked = run('e2fsck', '-fn', path)
    assert.is(checked.code, 0, checked.output)
    return path
  }

  /** The bytes of a file of a file system; undefined when debugfs cannot give them. */
  dump(image: string, name: string): Uint8Array | undefined {
    const to = this.fresh('dump')
    run('debugfs', '-R', `dump ${name} ${to}`, image)
    try {
      return new Uint8Array(readFileSync(to))
    } catch {
      return undefined
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** The bytes of a file, as a volume with blocks of that size. */
export function readerOf(bytes: Uint8Array, block = 4096): Reader {
  return { size: bytes.length, block, read: (offset, length) => bytes.subarray(offset, offset + length) }
}

/** Where the copies of the superblock lie, in blocks of the file system, as dumpe2fs says. */
export function superblocks(image: string): number[] {
  const found = must('dumpe2fs', image).matchAll(/(?:Primary|Backup) superblock at (\d+)/g)
  return [...found].map(([, block]) => Number(block))
}

/** Every block of metadata that dumpe2fs lists. */
export function listed(image: string): Set<number> {
  const blocks = new Set<number>()
  const output = must('dumpe2fs', image)
  const place =
    /(?:superblock|[Gg]roup descriptors?|Block bitmap|Inode bitmap|Inode table) at (\d+)(?:-(\d+))?/g
  for (const [, first, last] of output.matchAll(place)) {
    for (let at = Number(first); at <= Number(last ?? first); at++) blocks.add(at)
  }
  return blocks
}

/** True when no tool finds a file system there: not by its signature, nor at any of these superblocks. */
export function isUnmountable(image: string, blockSize: number, copies: readonly number[]): boolean {
  if (run('blkid', '-p', image).code === 0 || finds(image)) return false
  return copies.every((at) => {
    const asked = ['-o', `superblock=${at}`, '-o', `blocksize=${blockSize}`]
    const checked = run('e2fsck', '-fn', '-b', String(at), '-B', String(blockSize), image).output
    return !finds(image, ...asked) && checked.includes('Bad magic number')
  })
}

/** True when dumpe2fs finds a superblock, whatever it thinks of the rest. */
function finds(image: string, ...where: string[]): boolean {
  return run('dumpe2fs', '-h', ...where, image).output.includes('Filesystem UUID')
}

/** Bytes that look like nothing else: a pattern from a number. */
export function content(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed * 2_654_435_761
  for (let k = 0; k < length; k++) {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_519) + k
    bytes[k] = state >>> 13
  }
  return bytes
}
