/**
 * `blockbox backup run VOL -o OUT`: a copy of a volume at a point in time. Writes are held only until that point is
 * fixed; the copy is then made from the record, while hosts go on, by the process that has the journal open. One that
 * was cut off is gone on with by --resume, from the same moment.
 */

import type { Command } from 'commander'
import { copies, startCopy } from '../../src/control/copy-routes.ts'
import type { Done } from '../../src/control/route.ts'
import { newName } from '../../src/control/volume-routes.ts'
import { recordedName } from '../../src/images/open-external.ts'
import { refused } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { exitCodes } from '../exit-code.ts'
import { interrupt } from '../interrupt.ts'
import { type Linked, withControl } from '../journal-link.ts'
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
  readonly resume?: boolean
  readonly verify?: boolean
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
    .option('--force', 'replace a file that is there; begin anew where a copy was cut off')
    .option('--resume', 'go on with the copy to this target that was cut off, from the same moment')
    .option('--verify', 'read the target back and compare; a copy that is resumed always is')
    .option('--digest', 'print the SHA-256 of the whole content, zeros included')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox backup run disk0 -o disk0.img -j nightly.journal\n' +
        "  blockbox backup run disk0 -o 'nbd+unix:///store?socket=store.sock' -j nightly.journal --json\n" +
        '  blockbox backup run disk0 -o disk0.img --resume -j nightly.journal\n' +
        '\nThe same content comes from `blockbox image VOL@backup:NAME`, at any time later. A copy to a file that is\n' +
        'cut off leaves FILE.part. Exit code 12 when what was read back is not what was to be copied.\n',
    )
    .action(run)
}

async function run(volume: string, options: RunOptions): Promise<void> {
  const { output, name, deadlineMs, key, hold = false, force = false, resume = false } = options
  const { verify = false, digest = false } = options
  const target = recordedName(output)
  const asked = { volume, target, hold, deadline_ms: deadlineMs, force, resume, verify, digest, wait: true }
  const input = name === undefined ? asked : { ...asked, name: newName(name) }
  await withControl(options, async (linked) => {
    const watching = watch(linked, target)
    try {
      const done = await linked.link.command(startCopy, input, { key })
      if (done.answer.code !== 'ok') return refused(done.command, done.answer)
      await tell(options, done)
    } catch (error) {
      if (interrupt.aborted) remark('the copy was cut off: the same command with --resume goes on with it')
      throw error
    } finally {
      clearInterval(watching)
    }
  })
}

/** How often it is asked how far the copy is, milliseconds. */
const watchMs = 250

/** Shows how far the copy to a target is, where somebody watches. */
function watch({ local, remote }: Linked, target: string): NodeJS.Timeout | undefined {
  if (!process.stderr.isTTY) return undefined
  const look = async () => {
    const all = local?.copies.records() ?? ((await remote!.read(copies, {})).copies as readonly CopyRecord[])
    const one = all.findLast((copy) => copy.target === target)
    if (one === undefined) return
    showProgress(() => `${one.state}: ${formatSize(one.copied_bytes)} of ${formatSize(one.size)}`)
  }
  return setInterval(() => void look().catch(() => undefined), watchMs)
}

interface CopyRecord {
  readonly state: string
  readonly volume: string
  readonly backup: string
  readonly seq: number
  readonly size: number
  readonly target: string
  readonly resumed: boolean
  readonly copied_bytes: number
  readonly mapped_bytes: number
  readonly unknown_bytes: number
  readonly verified: boolean
  readonly sha256: string | null
}

interface Held {
  readonly copy: CopyRecord
  readonly held_ms?: number
  readonly held_to_the_end?: boolean
}

async function tell({ json, output }: RunOptions, { about = {} }: Done): Promise<void> {
  const { copy, held_ms: heldMs, held_to_the_end: toTheEnd } = about as unknown as Held
  const { backup, volume, seq, size, mapped_bytes, unknown_bytes: unknown, resumed, verified, sha256 } = copy
  if (unknown > 0) remark(`${formatSize(unknown)} of the far disk are not known: the copy has zeros there`)
  if (json === true) {
    const made = { backup, volume, seq, size, mapped_bytes, output, resumed, verified }
    const held = {
      ...(unknown > 0 && { unknown_bytes: unknown }),
      ...(heldMs !== undefined && { held_ms: heldMs }),
      ...(toTheEnd !== undefined && { held_to_the_end: toTheEnd }),
    }
    await print(JSON.stringify({ version: 1, ...made, ...held, ...(sha256 !== null && { sha256 }) }))
  } else {
    const what = `volume ${volume} at backup:${backup}, event ${seq}: ${formatSize(size)}, ${formatSize(mapped_bytes)} of it mapped`
    const ending = resumed ? 'the copy that was cut off is whole' : `writes were held for ${heldMs} ms`
    const lines = [`${what}, written to ${output}; ${ending}`]
    if (verified) lines.push('read back: the same')
    if (sha256 !== null) lines.push(`sha256 ${sha256}`)
    await print(lines.map(escaped).join('\n'))
  }
  if (toTheEnd !== false) return
  process.exitCode = exitCodes.error
  remark(
    'the deadline passed before the copy was made: writes went on then; the copy is the moment all the same',
  )
}
