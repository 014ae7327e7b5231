/**
 * `blockbox backup run VOL -o OUT`: a copy of a volume at a point in time. Writes are held only until that point is
 * fixed; the copy is then made from the record, while hosts go on.
 *
 *     backup.start ─▶ the moment ─▶ backup.stop ─▶ copied      with --hold: copied ─▶ backup.stop
 */

import { setImmediate } from 'node:timers/promises'
import type { Command } from 'commander'
import { newName } from '../../src/control/volume-routes.ts'
import { digestStream } from '../../src/core/digest.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { fixMoment } from '../../src/engine/fixed-moment.ts'
import type { OpenFolder } from '../../src/engine/open-folder.ts'
import { imagePieces, mappedBytes, type Piece } from '../../src/images/export.ts'
import type { NbdClient } from '../../src/nbd/client/client.ts'
import { isNbdUri } from '../../src/nbd/client/uri.ts'
import { volumeAt, volumeNamed } from '../../src/replay/volume-at.ts'
import { refused } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { exitCodes } from '../exit-code.ts'
import { refuseWhatIsThere, writeImageFile } from '../image-file.ts'
import { interrupt } from '../interrupt.ts'
import { withControl } from '../journal-link.ts'
import { openNbdTarget, writeNbdImage } from '../nbd-target.ts'
import { wholeNumber } from '../number.ts'
import { escaped, print } from '../output.ts'
import { remark, showProgress } from '../remark.ts'
import { formatSize } from '../size.ts'

interface RunOptions extends ControlOptions {
  readonly output: string
  readonly name?: string
  readonly hold?: boolean
  readonly deadlineMs: number
  readonly force?: boolean
  readonly digest?: boolean
}

export function addRun(backup: Command): void {
  controlOption(backup.command('run'))
    .description('copy a volume as it is at one moment, to a file or to another NBD server')
    .argument('<volume>', 'the volume')
    .requiredOption('-o, --output <target>', 'a file, or an NBD URI, which is overwritten')
    .option('--name <name>', 'of the backup; the volume and the time unless given')
    .option('--hold', 'hold writes until the copy is made, not only until its moment is fixed')
    .option('--deadline-ms <n>', 'hold for at most so long; 0 for the default', wholeNumber(0), 0)
    .option('--force', 'replace a file that is there')
    .option('--digest', 'print the SHA-256 of the whole content, zeros included')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox backup run disk0 -o disk0.img -j nightly.journal\n' +
        "  blockbox backup run disk0 -o 'nbd+unix:///store?socket=store.sock' -j nightly.journal --json\n" +
        '\nThe same content comes from `blockbox image VOL@backup:NAME`, at any time later.\n',
    )
    .action(run)
}

async function run(volume: string, options: RunOptions): Promise<void> {
  const name = newName(
    options.name ?? `${volume.slice(0, 40)}-${new Date().toISOString().replace(/[-:.]/g, '')}`,
  )
  const { output, deadlineMs, key, hold = false } = options
  if (!isNbdUri(output)) await refuseWhatIsThere(output, options.force === true)
  await withControl(options, async ({ local: open }) => {
    if (open === undefined) {
      throw new BlockboxError(
        'JOURNAL_LOCKED',
        'the journal is served: read the backup from NAME@backup:ID there',
      )
    }
    const { engine } = open
    const { id, size } = volumeNamed(engine.world, volume)
    const target = isNbdUri(output) ? await openNbdTarget(output, size) : undefined
    try {
      const terms = { deadlineMs, maxEntries: 0, maxBytes: 0 }
      const begun = performance.now()
      const { answer, moment } = await fixMoment(engine, { name, volumes: [id], ...terms }, key)
      if (answer.code !== 'ok') return refused('backup.start', answer)
      if (moment === undefined) {
        const why = `event ${answer.repeats} had this key and ran the backup: take a new key`
        throw new BlockboxError('USAGE', why)
      }
      let [heldMs, kept] = [0, false]
      const stop = async () => {
        const { code } = await engine.submit({ kind: 'backup.stop', detail: { name } })
        heldMs = Math.round(performance.now() - begun)
        kept = code === 'ok'
      }
      if (!hold) await stop()
      const copying = copy(open, { volume, seq: moment.seq }, options, target)
      const copied = await (hold ? copying.finally(stop) : copying)
      await target?.close()
      await tell(options, { backup: name, volume, seq: moment.seq, ...copied, heldMs, ended: hold && !kept })
    } finally {
      target?.destroy()
    }
  })
}

interface Copied {
  readonly size: number
  readonly mapped: number
  readonly sha256: string | undefined
}

/** Writes what the volume held after an event. */
async function copy(
  { journal, payload }: OpenFolder,
  { volume: name, seq }: { readonly volume: string; readonly seq: number },
  { output, force = false, digest = false }: RunOptions,
  target: NbdClient | undefined,
): Promise<Copied> {
  const { volume } = await volumeAt(journal, name, { by: 'seq', number: seq }, interrupt)
  const { size } = volume
  const sum = digest ? digestStream() : undefined
  const onPiece = async (piece: Piece) => {
    sum?.update(piece.bytes)
    showProgress(() => `${formatSize(piece.offset)} of ${formatSize(size)}`)
    await setImmediate()
    interrupt.throwIfAborted()
  }
  const pieces = imagePieces(volume, payload, digest)
  if (target !== undefined) await writeNbdImage(target, size, pieces, onPiece)
  else await writeImageFile({ path: output, size, force }, pieces, onPiece)
  return { size, mapped: mappedBytes(volume), sha256: sum?.hex() }
}

interface Done extends Copied {
  readonly backup: string
  readonly volume: string
  readonly seq: number
  readonly heldMs: number
  /** True when writes were to be held to the end and were not. */
  readonly ended: boolean
}

async function tell({ output, json, hold = false }: RunOptions, done: Done): Promise<void> {
  const { backup, volume, seq, size, mapped, sha256, heldMs, ended } = done
  if (json === true) {
    const made = { backup, volume, seq, size, mapped_bytes: mapped, output, held_ms: heldMs }
    const held = hold ? { held_to_the_end: !ended } : {}
    await print(JSON.stringify({ version: 1, ...made, ...held, ...(sha256 !== undefined && { sha256 }) }))
  } else {
    const what = `volume ${volume} at backup:${backup}, event ${seq}: ${formatSize(size)}, ${formatSize(mapped)} of it mapped`
    const lines = [`${what}, written to ${output}; writes were held for ${heldMs} ms`]
    if (sha256 !== undefined) lines.push(`sha256 ${sha256}`)
    await print(lines.map(escaped).join('\n'))
  }
  if (!ended) return
  process.exitCode = exitCodes.error
  remark(
    'the deadline passed before the copy was made: writes went on then; the copy is the moment all the same',
  )
}
