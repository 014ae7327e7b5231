/** Makes the recording of a golden run anew, on purpose, and says what is different now. */

import { statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { BlockboxError } from '../core/errors.ts'
import { exportJournal } from '../recording/export.ts'
import { openRecordedJournal } from '../recording/recorded-journal.ts'
import { formOfName } from '../recording/recording-file.ts'
import { writeRecording } from '../recording/recording-writer.ts'
import { type Divergence, divergenceText, firstDivergence } from './divergence.ts'
import { type GoldenOptions, goldenFiles } from './golden-run.ts'
import { recordScenario } from './scenario-recording.ts'

/** A recording that is larger is packed, so that the repository stays small. */
const unpackedBytes = 200 * 1024

export interface GoldenUpdate {
  readonly name: string
  readonly path: string
  readonly change: 'made' | 'unchanged' | 'changed'
  readonly events: number
  /** Where the new recording parts from the old one. */
  readonly divergence?: Divergence
  readonly text: string
}

/** Runs the scenario that `path` names and keeps what it gives. Throws USAGE when there is no scenario. */
export async function updateGolden(path: string, options: GoldenOptions = {}): Promise<GoldenUpdate> {
  const { name, scenario, recording } = goldenFiles(path)
  if (scenario === undefined) {
    throw new BlockboxError('USAGE', `${path} has no scenario to run: what was recorded is all there is`)
  }
  const anew = await recordScenario(scenario, options.signal)
  const { last: events } = anew.journal.bounds()
  const divergence = recording === undefined ? undefined : await changed(recording, anew.journal, options)
  if (recording !== undefined && divergence === undefined) {
    return {
      name,
      path: recording,
      change: 'unchanged',
      events,
      text: `${name}: unchanged, ${events} events`,
    }
  }
  const place = recording ?? scenario.replace(/\.scenario\.toml$/, '.trace.jsonl')
  const target = await written(anew, place, recording === undefined)
  const made = { name, path: target, events }
  if (typeof divergence !== 'object') {
    const why = divergence ?? `${name}: made, ${events} events`
    return { ...made, change: recording === undefined ? 'made' : 'changed', text: why }
  }
  const text = [
    `${name}: changed, ${events} events; ${divergenceText(divergence)[0]}`,
    ...divergenceText(divergence).slice(1),
  ]
  return { ...made, change: 'changed', divergence, text: text.join('\n') }
}

/** How the old recording differs: a divergence, or in words when it cannot be read. */
async function changed(
  recording: string,
  anew: Parameters<typeof firstDivergence>[1],
  options: GoldenOptions,
): Promise<Divergence | string | undefined> {
  try {
    const { journal } = await openRecordedJournal(recording, options)
    return await firstDivergence(journal, anew)
  } catch (error) {
    if (error instanceof BlockboxError) return `the old recording could not be read (${error.message})`
    throw error
  }
}

/** Writes the recording; a new one that is large is packed. */
async function written(
  { journal, payload }: Awaited<ReturnType<typeof recordScenario>>,
  path: string,
  isNew: boolean,
): Promise<string> {
  const write = async (target: string) => {
    const form = formOfName(target)!
    await writeRecording(await exportJournal(journal, payload), { path: target, ...form, force: true })
  }
  await write(path)
  if (!isNew || statSync(path).size <= unpackedBytes) return path
  const packed = `${path}.gz`
  await write(packed)
  await rm(path)
  return packed
}
