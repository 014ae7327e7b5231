/** `blockbox clone create|sync|fracture|ls`: clone pairs, and the map of what differs between their two sides. */

import type { Command } from 'commander'
import { contentsOf } from '../../src/inspect/contents.ts'
import { worldAt } from '../../src/replay/at.ts'
import { type ControlOptions, control, newName, pairSaid, volumeId } from '../control.ts'
import { interrupt } from '../interrupt.ts'
import { journalOption } from '../journal-option.ts'
import { withJournal } from '../journal-use.ts'
import { print, table } from '../output.ts'
import { formatSize, parseSize } from '../size.ts'

interface CreateOptions extends ControlOptions {
  readonly source: string
  readonly clone: string
  readonly extent: number
}

export function add(program: Command): void {
  const clone = program.command('clone').description('make, sync and fracture clone pairs')
  journalOption(clone.command('create'))
    .description('make a pair of two volumes of equal size and block; it begins fractured')
    .argument('<pair>', 'letters, digits, dots, dashes, underscores')
    .requiredOption('--source <volume>', 'what hosts use')
    .requiredOption('--clone <volume>', 'its copy')
    .option('--extent <size>', 'the unit of the maps and of copying, a power of two', parseSize, 65_536)
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox clone create mirror --source vol --clone vol-clone -j DIR\n',
    )
    .action((name: string, options: CreateOptions) =>
      control(
        options,
        (world) => ({
          kind: 'pair.create',
          detail: {
            name: newName(name),
            source: volumeId(world, options.source),
            clone: volumeId(world, options.clone),
            extent: options.extent,
          },
        }),
        (_, world) => pairSaid(world, name),
      ),
    )
  for (const verb of ['sync', 'fracture'] as const) {
    journalOption(clone.command(verb))
      .description(
        verb === 'sync' ? 'copy what differs from the source to the clone' : 'let both go their own way',
      )
      .argument('<pair>', 'the name of the pair')
      .option('--json', 'as one JSON object')
      .addHelpText('after', `\nExample:\n  blockbox clone ${verb} mirror -j DIR\n`)
      .action((name: string, options: ControlOptions) =>
        control(
          options,
          () => ({ kind: `pair.${verb}`, detail: { name } }),
          (_, world) => pairSaid(world, name),
        ),
      )
  }
  journalOption(clone.command('ls'))
    .description('list the pairs')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExample:\n  blockbox clone ls -j DIR\n')
    .action(list)
}

async function list(options: ControlOptions): Promise<void> {
  const { pairs } = await withJournal(options, async ({ journal }) =>
    contentsOf(await worldAt(journal, journal.bounds().last, interrupt)),
  )
  if (options.json === true) return print(JSON.stringify({ version: 1, pairs }))
  const rows = pairs.map((one) => [
    one.name,
    one.source,
    one.clone,
    formatSize(one.extent),
    one.phase,
    String(one.differing_extents),
  ])
  await print(table([['pair', 'source', 'clone', 'extent', 'phase', 'differing extents'], ...rows], [3, 5]))
}
