/** `blockbox volume create|rm|resize|ls`: the volumes of a journal. A refusal is on the record, and exit code 1. */

import type { Command } from 'commander'
import { createVolumeFrom } from '../../src/control/outside-routes.ts'
import { createVolume, deleteVolume, resizeVolume } from '../../src/control/volume-routes.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import type { Answer } from '../../src/engine/ask.ts'
import { advice } from '../../src/events/code.ts'
import { recordedName } from '../../src/images/open-external.ts'
import { control, gathered, refused, repeated } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { exitCodes } from '../exit-code.ts'
import { withControl } from '../journal-link.ts'
import { addList } from '../list-command.ts'
import { wholeNumber } from '../number.ts'
import { escaped, print } from '../output.ts'
import { remark } from '../remark.ts'
import { formatSize, parseSize } from '../size.ts'

interface CreateOptions extends ControlOptions {
  readonly size?: number
  readonly from?: string
  readonly extent?: number
  readonly copy?: boolean
  readonly rate: number
  readonly block: number
  readonly device: readonly string[]
  readonly stripe: number
}

interface ResizeOptions extends ControlOptions {
  readonly size: number
}

/** What to do next; a size is refused for reasons of its own here. */
const hints = {
  E_SIZE:
    'a block is a power of two from 512 to 64K, a volume is whole blocks, at least one, and at most 16T; several ' +
    'devices need a --stripe of whole blocks',
  E_STATE:
    'something still goes on there, or it is in a pair: see `blockbox clone ls` and `blockbox clone rm`',
}

/** Longer texts are no names and nothing for a record. */
const longestWord = 255

export function add(program: Command): void {
  const volume = program.command('volume').description('make, change and list the volumes of a journal')
  controlOption(volume.command('create'))
    .description('make a volume, of zeros or from a disk; makes the journal when there is none')
    .argument('<name>', 'letters, digits, dots, dashes, underscores')
    .option('--size <size>', 'bytes, with an optional suffix: 512M, 1G', parseSize)
    .option('--from <disk>', 'begin as this disk: a raw file, or an NBD URI, only read')
    .option('--extent <size>', 'with --from: what a touch brings in, a power of two from 64K', parseSize)
    .option('--copy', 'with --from: bring all of it in now, and wait for the end')
    .option('--rate <n>', 'with --copy: at most so many extents a second', wholeNumber(1), 0)
    .option('--block <size>', 'bytes of a block, 512 to 64K', parseSize, 4096)
    .option('--device <name>', 'a device it lies on; several make it striped', gathered, [])
    .option('--stripe <size>', 'bytes of a stripe', parseSize, 0)
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox volume create disk0 --size 1G -j nightly.journal\n' +
        '  blockbox volume create disk1 --from old-disk.img -j nightly.journal\n' +
        "  blockbox volume create disk2 --from 'nbds://store/night?tls-certificates=/etc/pki/nbd' -j nightly.journal\n" +
        '\nWith --from hosts may use the volume at once. What they touch is brought in; `blockbox restore resume disk1`\n' +
        'brings in the rest. Until then the disk must stay as it is and be reachable. An NBD URI is nbd://HOST/EXPORT or\n' +
        'nbd+unix:///EXPORT?socket=PATH; nbds is TLS, by ca-cert.pem, client-cert.pem and client-key.pem of the folder.\n',
    )
    .action(create)
  controlOption(volume.command('rm'))
    .description('delete a volume on which nothing goes on; a view is dropped')
    .argument('<name>', 'the volume')
    .addHelpText('after', '\nExample:\n  blockbox volume rm disk0 -j nightly.journal\n')
    .action((name: string, options: ControlOptions) =>
      control(options, deleteVolume, { volume: name }, () => `volume ${name}: deleted`, { hints }),
    )
  controlOption(volume.command('resize'))
    .description('give a volume another size; what lies beyond a new end is gone')
    .argument('<name>', 'the volume')
    .requiredOption('--size <size>', 'bytes, whole blocks', parseSize)
    .addHelpText('after', '\nExample:\n  blockbox volume resize disk0 --size 2G -j nightly.journal\n')
    .action((name: string, options: ResizeOptions) =>
      control(
        options,
        resizeVolume,
        { volume: name, size: options.size },
        () => `volume ${name}: ${formatSize(options.size)}`,
        { hints },
      ),
    )
  addList(volume, 'volumes', 'list the volumes')
}

async function create(name: string, options: CreateOptions): Promise<void> {
  if (name.length > longestWord) throw new BlockboxError('USAGE', `the name is too long: ${advice.E_NAME}`)
  const { size, from, block, json = false, key, stripe, device } = options
  if ((size === undefined) === (from === undefined)) {
    throw new BlockboxError('USAGE', 'how large? Give a --size, or a disk to begin as with --from')
  }
  if (from !== undefined) return createFrom(name, from, options)
  const input = { name, size: size!, block, devices: [...device], stripe }
  const { answer } = await withControl(options, ({ link }) => link.command(createVolume, input, { key }), {
    create: true,
  })
  await tell(
    name,
    answer,
    json,
    { name, size, block },
    `${formatSize(size!)} in blocks of ${formatSize(block)}`,
  )
}

async function createFrom(name: string, from: string, options: CreateOptions): Promise<void> {
  const { block, extent, copy = false, rate, json = false, key, device } = options
  if (device.length > 0) throw new BlockboxError('USAGE', '--device is for volumes that begin empty')
  const input = { name, from: recordedName(from), block, copy, rate, wait: true }
  const asked = extent === undefined ? input : { ...input, extent }
  const done = await withControl(options, ({ link }) => link.command(createVolumeFrom, asked, { key }), {
    create: true,
  })
  const { command, answer } = done
  const { size = 0, extents = 0, extents_left: left = 0 } = (done.about ?? {}) as Partial<FromAbout>
  const about = { name, size, block, from: recordedName(from), extents, extents_left: left }
  const said = `${formatSize(size)} from ${recordedName(from)}, ${left} of ${extents} extents still to come`
  await tell(answer.code === 'ok' ? name : `${name} (${command})`, answer, json, about, said)
  if (copy && left > 0 && answer.code === 'ok') {
    process.exitCode = exitCodes.error
    remark(`the disk gave errors: see to it, then \`blockbox restore resume ${name}\``)
  }
}

interface FromAbout {
  readonly size: number
  readonly extents: number
  readonly extents_left: number
}

async function tell(name: string, answer: Answer, json: boolean, about: object, said: string): Promise<void> {
  const { code, seq, repeats } = answer
  if (json) {
    const made = code === 'ok' ? about : {}
    await print(JSON.stringify({ version: 1, code, seq, ...made, ...(repeats !== undefined && { repeats }) }))
  } else if (code === 'ok') await print(escaped(`volume ${name}: ${said}`))
  if (code !== 'ok') refused(`volume ${name}`, answer, hints)
  else repeated(answer)
}
