/** Recordings in memory: of busy runs, as bytes of either form, and read again. */

import type { Journal } from '../../src/journal/journal.ts'
import type { PayloadStore } from '../../src/payload/payload.ts'
import { type ExportAsk, exportJournal } from '../../src/recording/export.ts'
import type { RecordingForm } from '../../src/recording/form-reader.ts'
import { journalOf, type RecordedJournal } from '../../src/recording/recorded-journal.ts'
import { type OpenRecording, readRecording } from '../../src/recording/recording-file.ts'
import { encodeRecording, type Recording } from '../../src/recording/recording-writer.ts'
import { act, prepare, restoring } from './busy.ts'
import { type Run, startRun } from './run.ts'

export const forms: readonly RecordingForm[] = ['lines', 'records']

/** A run in which much happens, closed and settled; the same each time. */
export async function busyRun(numbers: readonly number[], withRestore = false): Promise<Run> {
  const run = await startRun({ readDigests: 'always' })
  await prepare(run)
  if (withRestore) await restoring(run)
  for (const number of numbers) await act(run, number)
  await run.settled()
  return run
}

/** The bytes of a recording. */
export async function bytesOf(recording: Recording, form: RecordingForm): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of encodeRecording(recording, form)) parts.push(part)
  return Buffer.concat(parts)
}

/** A journal as the bytes of a recording. */
export async function exported(
  { journal, payload }: { readonly journal: Journal; readonly payload: PayloadStore },
  form: RecordingForm,
  ask: ExportAsk = {},
): Promise<Uint8Array> {
  return bytesOf(await exportJournal(journal, payload, ask), form)
}

/** Bytes read as a recording, in pieces of `size`. */
export function opened(bytes: Uint8Array, size = 65_536): Promise<OpenRecording> {
  return readRecording(pieces(bytes, size), 'it')
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Bytes read as a journal with its payloads. */
export async function journalFrom(bytes: Uint8Array, size?: number): Promise<RecordedJournal> {
  return journalOf(await opened(bytes, size), 'it', { payload: true })
}

/** The text of a recording in lines, without its last line break. */
export function linesOf(bytes: Uint8Array): string[] {
  return new TextDecoder().decode(bytes).trimEnd().split('\n')
}

/** Lines as bytes. */
export function textBytes(lines: readonly string[]): Uint8Array {
  return new TextEncoder().encode(`${lines.join('\n')}\n`)
}
