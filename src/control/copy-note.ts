/**
 * What a copy that is not whole yet leaves behind, so that it can be gone on with: `copies/` in the journal's folder has
 * a file for each, named after its target. The file is replaced whole, after what it says is durable at the target.
 *
 *     begun ─▶ note: 0 bytes ─▶ synced up to N ─▶ note: N bytes ... ─▶ whole ─▶ the note is taken away
 */

import { createHash } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { BlockboxError } from '../core/errors.ts'
import { madeBeside, ofJournal, openPlainFile, readPlain } from '../files/plain-file.ts'

const bytes = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER))

const form = v.strictObject({
  version: v.literal(1),
  target: v.string(),
  volume: v.string(),
  volume_id: bytes,
  backup: v.string(),
  /** The moment: the event after which the volume held what is copied. */
  seq: bytes,
  size: bytes,
  /** Everything before this is durable at the target. */
  done: bytes,
})

export type CopyNote = v.InferOutput<typeof form>

/** A note is never longer; what is, is none. */
const maxBytes = 65_536

function pathOf(folder: string, target: string): string {
  const name = createHash('sha256').update(target).digest('hex').slice(0, 32)
  return join(folder, 'copies', `${name}.json`)
}

/** The note of the copy to `target`; undefined when there is none. Throws USAGE when it is damaged. */
export async function readNote(folder: string, target: string): Promise<CopyNote | undefined> {
  const path = pathOf(folder, target)
  let text: string | undefined
  try {
    text = readPlain(path, maxBytes, ofJournal)?.toString('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const read = v.safeParse(form, text === undefined ? undefined : parsed(text))
  if (read.success && read.output.target === target && read.output.done <= read.output.size)
    return read.output
  throw new BlockboxError('USAGE', `${path} is damaged: begin the copy anew with force`)
}

/** Replaces the note, durably. */
export async function writeNote(folder: string, note: CopyNote): Promise<void> {
  const path = pathOf(folder, note.target)
  await mkdir(join(folder, 'copies'), { recursive: true })
  const file = await openPlainFile(`${path}.new`, 'w', madeBeside)
  try {
    await file.writeFile(`${JSON.stringify(note)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}

/** Takes the note away, if there is one. */
export async function dropNote(folder: string, target: string): Promise<void> {
  await rm(pathOf(folder, target), { force: true })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
