/** `blockbox volume create|ls`: the volumes of a journal. A refusal is on the record, and exit code 1. */

import type { Command } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import { advice } from '../../src/events/code.ts'
import { contentsOf } from '../../src/inspect/contents.ts'
import { worldAt } from '../../src/replay/at.ts'
import { exitCodes } from '../exit-code.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { withEngine, withJournal } from '../journal-use.ts'
import { print, table } from '../output.ts'
import { remark } from '../remark.ts'
import { formatSize, parseSize } from '../size.ts'

interface CreateOptions extends JournalOption {
  readonly size: number
  readonly block: number
  readonly json?: boolean
}

/** What to do next; a size is refused for reasons of its own here. */
const hints = {
  ...advice,
  E_SIZE:
    'a block is a power of two from 512 to 64K, a volume is whole blocks, at least one, and at most 16T',
}

/** Longer texts are no names and nothing for a record. */
const longestWord = 255

export function add(program: Command): void {
  const volume = program.command('volume').description('make and list the volumes of a journal')
  journalOption(volume.command('create'))
    .description('make a volume that reads as zeros; makes the journal when there is none')
    .argument('<name>', 'letters, digits, dots, dashes, underscores')
    .requiredOption('--size <size>', 'bytes, with an optional suffix: 512M, 1G', parseSize)
    .option('--block <size>', 'bytes of a block, 512 to 64K', parseSize, 4096)
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox volume create disk0 --size 1G -j nightly.journal\n')
    .action(create)
  journalOption(volume.command('ls'))
    .description('list the volumes')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox volume ls -j nightly.journal\n')
    .action(list)
}

async function create(name: string, options: CreateOptions): Promise<void> {
  if (name.length > longestWord) throw new BlockboxError('USAGE', `the name is too long: ${advice.E_NAME}`)
  const { size, block, json = false } = options
  const { code, seq } = await withEngine(options, 'durable', (engine) =>
    engine.submit({ kind: 'volume.create', detail: { name, size, block } }),
  )
  if (code !== 'ok') {
    process.exitCode = exitCodes.error
    remark(`volume ${name} was refused: ${code}: ${hints[code]}`)
    if (json) await print(JSON.stringify({ version: 1, code, seq }))
  } else if (json) await print(JSON.stringify({ version: 1, code, seq, name, size, block }))
  else await print(`volume ${name}: ${formatSize(size)} in blocks of ${formatSize(block)}`)
}

async function list(options: JournalOption & { readonly json?: boolean }): Promise<void> {
  const { volumes } = await withJournal(options, async ({ journal }) =>
    contentsOf(await worldAt(journal, journal.bounds().last, interrupt)),
  )
  if (options.json === true) return print(JSON.stringify({ version: 1, volumes }))
  const rows = volumes.map(({ name, size, block, mapped_bytes }) => [
    name,
    formatSize(size),
    formatSize(block),
    formatSize(mapped_bytes),
  ])
  await print(table([['volume', 'size', 'block', 'mapped'], ...rows], [1, 2, 3]))
}
