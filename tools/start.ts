/**
 * `npm start`: the main job, once through. Runs the scenario of traces/ on real recordings into a new journal, replays
 * it from the journal alone, and prints what happened. Fails when nothing was held, queued or copied on demand, when
 * the replay has findings, or when the backup's image is not the one QEMU made at that moment of the recording.
 */

import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checks } from '../src/check/all.ts'
import { openToRead } from '../src/engine/open-folder.ts'
import { readContent } from '../src/images/content.ts'
import { newTally, type Tally, tally } from '../src/inspect/tally.ts'
import type { Journal } from '../src/journal/journal.ts'
import type { PayloadStore } from '../src/payload/payload.ts'
import { worldAt } from '../src/replay/at.ts'
import { replay } from '../src/replay/replay.ts'
import { drive } from './drive.ts'
import { exitCodes } from './exit-code.ts'
import { print } from './output.ts'
import { hostLines, systemLines } from './report.ts'

const scenarioPath = fileURLToPath(new URL('../../traces/nightly.scenario.toml', import.meta.url))
const journalPath = fileURLToPath(new URL('../nightly.journal', import.meta.url))

/** The image that QEMU's backup job wrote at event 860 of the recording. */
const qemuImage = '91204b1c46b1cdcf164ca425878644e31467e200ee22bf810e802fb8f2bbe9d5'
const piece = 2 ** 20

rmSync(journalPath, { recursive: true, force: true })
const { scenario, report, seconds } = await drive(scenarioPath, journalPath, 'durable')
await print(`recorded traces/nightly.scenario.toml in ${seconds.toFixed(2)} s`)
await print(hostLines(scenario, report))

const { journal, payload } = await openToRead(journalPath)
const sum = newTally()
const verdict = await replay(journal, {
  checks: [...checks, () => ({ rules: [], after: (event) => tally(sum, event) })],
})
const image = await backupImage(journal, payload, sum)
await print(systemLines(sum))
const same = image === qemuImage
await print(
  `  image at the backup's point in time: sha256 ${image.slice(0, 16)}..., ${same ? 'the same as' : 'NOT'} QEMU's own backup`,
)
const { events, frames, findings, stateHash, head } = verdict
await print(`replayed ${events} events in ${frames} frames: ${findings.length} findings`)
await print(`  state hash ${stateHash}, head ${head.hash.slice(0, 16)}...@${head.seq}`)
for (const { seq, rule, detail } of findings) await print(`  FINDING event ${seq}: ${rule}: ${detail}`)
await journal.close()

const idle = idleSystems(sum)
for (const what of idle) await print(`  MISSING: ${what}`)
if (findings.length > 0 || !same || idle.length > 0) process.exitCode = exitCodes.verification

/** SHA-256 of the volume as it was when the backup had its point in time. */
async function backupImage(from: Journal, store: PayloadStore, counted: Tally): Promise<string> {
  const [backup] = counted.backups.values()
  const world = await worldAt(from, backup?.startedSeq ?? 0)
  const volume = world.volumes[0]!
  const digest = createHash('sha256')
  for (let offset = 0; offset < volume.size; offset += piece) {
    digest.update(readContent(world, volume, store, offset, Math.min(piece, volume.size - offset)))
  }
  return digest.digest('hex')
}

/** What the run was to show and did not. */
function idleSystems(counted: Tally): string[] {
  const held = [...counted.backups.values()].reduce((count, backup) => count + backup.held, 0)
  const queued = counted.restores.reduce((count, one) => count + one.queuedReads + one.queuedWrites, 0)
  const demanded = counted.restores.reduce((count, one) => count + one.demand, 0)
  return [
    ...(held === 0 ? ['no write was held'] : []),
    ...(queued === 0 ? ['no request was queued'] : []),
    ...(demanded === 0 ? ['nothing was copied on demand'] : []),
  ]
}
