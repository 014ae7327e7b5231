/** `blockbox volume create|rm|resize|ls`: the volumes of a journal. A refusal is on the record, and exit code 1. */

import type { Command } from 'commander'
import { createVolume, deleteVolume, resizeVolume } from '../../src/control/volume-routes.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { advice } from '../../src/events/code.ts'
import { control, gathered, refused, repeated } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { withControl } from '../journal-link.ts'
import { addList } from '../list-command.ts'
import { print } from '../output.ts'
import { formatSize, parseSize } from '../size.ts'

interface CreateOptions extends ControlOptions {
  readonly size: number
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
    .description('make a volume that reads as zeros; makes the journal when there is none')
    .argument('<name>', 'letters, digits, dots, dashes, underscores')
    .requiredOption('--size <size>', 'bytes, with an optional suffix: 512M, 1G', parseSize)
    .option('--block <size>', 'bytes of a block, 512 to 64K', parseSize, 4096)
    .option('--device <name>', 'a device it lies on; several make it striped', gathered, [])
    .option('--stripe <size>', 'bytes of a stripe', parseSize, 0)
    .addHelpText('after', '\nExample:\n  blockbox volume create disk0 --size 1G -j nightly.journal\n')
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
  const { size, block, json = false, key, stripe } = options
  const input = { name, size, block, devices: [...options.device], stripe }
  const { answer } = await withControl(options, ({ link }) => link.command(createVolume, input, { key }), {
    create: true,
  })
  const { code, seq, repeats } = answer
  if (json) {
    const about = code === 'ok' ? { name, size, block } : {}
    await print(
      JSON.stringify({ version: 1, code, seq, ...about, ...(repeats !== undefined && { repeats }) }),
    )
  } else if (code === 'ok')
    await print(`volume ${name}: ${formatSize(size)} in blocks of ${formatSize(block)}`)
  if (code !== 'ok') refused(`volume ${name}`, answer, hints)
  else repeated(answer)
}
