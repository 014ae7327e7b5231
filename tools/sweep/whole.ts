/**
 * Small journal folders to be damaged, and what each holds: the yardstick that every damaged copy is held against.
 *
 *     log      as a killed process leaves it: frames in LevelDB's .log
 *     ldb      with a checkpoint, and opened again: all in an .ldb, the .log is empty
 *     segment  with one write whose payload is in a file beside the database
 */

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hex, sha256 } from '../../src/core/digest.ts'
import { recoverWorld } from '../../src/engine/open-engine.ts'
import { type OpenFolder, openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { readContent } from '../../src/images/content.ts'
import { segmentedBytes } from '../../src/journal/segmented-store.ts'

export const forms = ['log', 'ldb', 'segment'] as const
export type Form = (typeof forms)[number]

const block = 512
/** Blocks of each write, one behind the other. */
const small: readonly number[] = Array.from({ length: 14 }, () => 1)
const large: readonly number[] = [1, 1, segmentedBytes / block, 1]

/** What a folder holds and what opening it brings. */
export interface Whole {
  /** The bytes of its files by their path below it. */
  readonly files: ReadonlyMap<string, Buffer>
  readonly frames: readonly { readonly first: number; readonly last: number; readonly hash: string }[]
  readonly events: number
  /** SHA-256 of what the volumes hold at the end. */
  readonly content: string
}

/** Makes the folders below `root`, which has to exist; gives their paths. */
export async function makeForms(root: string): Promise<Record<Form, string>> {
  const log = await makeFolder(join(root, 'log.journal'), small)
  const ldb = await makeFolder(join(root, 'ldb.journal'), small, 13)
  await (await openToRead(ldb)).journal.close()
  const segment = await makeFolder(join(root, 'segment.journal'), large)
  return { log, ldb, segment }
}

/** Makes a journal as it is while its process is still there. */
async function makeFolder(path: string, writes: readonly number[], checkpointEvery = 1000): Promise<string> {
  const living = `${path}.living`
  const { engine } = await openToWrite(living, { create: true, checkpointEvery })
  const size = Math.max(16, sum(writes)) * block
  await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size, block } })
  await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  for (const [k, blocks] of writes.entries()) {
    const data = new Uint8Array(blocks * block).map((_, at) => (at * 7 + k * 31) & 255)
    const offset = sum(writes.slice(0, k)) * block
    await engine.submit({ kind: 'io.write', session: 1, volume: 1, offset, data })
  }
  await engine.submit({ kind: 'mark', detail: { label: 'the end' } })
  await engine.settled()
  cpSync(living, path, { recursive: true })
  await engine.close()
  rmSync(living, { recursive: true })
  return path
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, some) => all + some, 0)
}

/** Reads a sound folder; it is opened as a copy at `work`, which is removed. */
export async function wholeOf(path: string, work: string): Promise<Whole> {
  const files = new Map(
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !/\/(?:LOCK|LOG(?:\.old)?)$/.test(file))
      .map((file) => [file.slice(path.length + 1), readFileSync(file)]),
  )
  writeFiles(files, work)
  const opened = await openToRead(work)
  try {
    const frames: Whole['frames'][number][] = []
    for await (const { first, last, hash } of opened.journal.read(opened.journal.bounds().first)) {
      frames.push({ first, last, hash: hex(hash) })
    }
    return { files, frames, events: opened.journal.bounds().last, content: await contentOf(opened) }
  } finally {
    await opened.journal.close()
    rmSync(work, { recursive: true })
  }
}

/** SHA-256 of the content of all volumes after the last event. Throws what reading throws. */
export async function contentOf({ journal, payload }: OpenFolder): Promise<string> {
  const world = await recoverWorld(journal)
  const all = world.volumes.map((volume) => readContent(world, volume, payload, 0, volume.size))
  return hex(sha256(Buffer.concat(all)))
}

/** Writes a folder anew. */
export function writeFiles(files: ReadonlyMap<string, Uint8Array>, path: string): void {
  for (const [name, bytes] of files) {
    const file = join(path, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
  }
}
