/**
 * Small journal folders to be damaged, and what each holds: the yardstick that every damaged copy is held against.
 *
 *     log   as a killed process leaves it: frames in LevelDB's .log
 *     ldb   with a checkpoint, and opened again: all in an .ldb, the .log is empty
 */

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hex, sha256 } from '../../src/core/digest.ts'
import { recoverWorld } from '../../src/engine/open-engine.ts'
import { type OpenFolder, openToRead, openToWrite } from '../../src/engine/open-folder.ts'
import { readContent } from '../../src/images/content.ts'

export const forms = ['log', 'ldb'] as const
export type Form = (typeof forms)[number]

const block = 512
const blocks = 16

/** What a folder holds and what opening it brings. */
export interface Whole {
  /** The bytes of its files by their path below it. */
  readonly files: ReadonlyMap<string, Buffer>
  readonly frames: readonly { readonly first: number; readonly last: number; readonly hash: string }[]
  readonly events: number
  /** SHA-256 of what the volumes hold at the end. */
  readonly content: string
}

/** Makes the two folders below `root`, which has to exist; gives their paths. */
export async function makeForms(root: string): Promise<Record<Form, string>> {
  const log = await makeFolder(join(root, 'log.journal'), 1000)
  const ldb = await makeFolder(join(root, 'ldb.journal'), 13)
  await (await openToRead(ldb)).journal.close()
  return { log, ldb }
}

/** Makes a journal as it is while its process is still there. */
async function makeFolder(path: string, checkpointEvery: number): Promise<string> {
  const living = `${path}.living`
  const { engine } = await openToWrite(living, { create: true, checkpointEvery })
  await engine.submit({ kind: 'volume.create', detail: { name: 'disk', size: blocks * block, block } })
  await engine.submit({ kind: 'session.open', detail: { name: 'host' } })
  for (let k = 0; k < 14; k++) {
    const data = new Uint8Array(block).map((_, at) => (at * 7 + k * 31) & 255)
    await engine.submit({ kind: 'io.write', session: 1, volume: 1, offset: (k % blocks) * block, data })
  }
  await engine.submit({ kind: 'mark', detail: { label: 'the end' } })
  await engine.settled()
  cpSync(living, path, { recursive: true })
  await engine.close()
  rmSync(living, { recursive: true })
  return path
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
