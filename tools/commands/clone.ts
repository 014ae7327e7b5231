/**
 * `blockbox clone create|sync|fracture|rm|verify|ls`: clone pairs, and the map of what differs between their two sides.
 * A clone may be outside, a raw file or an export of an NBD server, which is restored from and never written.
 */

import type { Command } from 'commander'
import { createClone, deleteClone, fractureClone, syncClone } from '../../src/control/clone-routes.ts'
import { verifyClone } from '../../src/control/outside-routes.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { openExternal, recordedName } from '../../src/images/open-external.ts'
import { pairsOf } from '../../src/layers/pair-state.ts'
import { isNbdUri } from '../../src/nbd/client/uri.ts'
import { worldAt } from '../../src/replay/at.ts'
import { type CloneVerdict, cloneUnchanged } from '../../src/replay/clone-unchanged.ts'
import { fileDigest } from '../../src/trace/source.ts'
import { control, pairSaid } from '../control.ts'
import { type ControlOptions, controlOption } from '../control-option.ts'
import { exitCodes } from '../exit-code.ts'
import { findingLine } from '../finding.ts'
import { interrupt } from '../interrupt.ts'
import { withReading } from '../journal-link.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { addList } from '../list-command.ts'
import { wholeNumber } from '../number.ts'
import { escaped, print } from '../output.ts'
import { parseSize } from '../size.ts'

interface CreateOptions extends ControlOptions {
  readonly source: string
  readonly clone?: string
  readonly cloneFile?: string
  readonly extent: number
}

interface VerifyOptions extends JournalOption {
  readonly cloneFile?: string
  readonly json?: boolean
}

const verbs = {
  sync: ['copy what differs from the source to the clone', syncClone],
  fracture: ['let both go their own way', fractureClone],
} as const

export function add(program: Command): void {
  const clone = program.command('clone').description('make, sync, fracture and give up clone pairs')
  controlOption(clone.command('create'))
    .description('make a pair of two volumes of equal size and block; it begins fractured')
    .argument('<pair>', 'letters, digits, dots, dashes, underscores')
    .requiredOption('--source <volume>', 'what hosts use')
    .option('--clone <volume>', 'its copy, a volume; or outside, as an NBD URI, only read')
    .option('--clone-file <file>', 'its copy, a raw file of that size outside, which is only read')
    .option('--extent <size>', 'the unit of the maps and of copying, a power of two', parseSize, 65_536)
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox clone create mirror --source vol --clone vol-clone -j DIR\n' +
        '  blockbox clone create golden --source vol --clone-file golden.img -j DIR\n' +
        "  blockbox clone create store --source vol --clone 'nbd+unix:///vol?socket=store.sock' -j DIR\n" +
        '\nThe full path of a file is put on record: later commands open it there, or where --clone-file says.\n',
    )
    .action((name: string, options: CreateOptions) => create(name, options))
  for (const verb of ['sync', 'fracture'] as const) {
    const [description, route] = verbs[verb]
    const command = controlOption(clone.command(verb))
      .description(description)
      .argument('<pair>', 'the name of the pair')
    if (verb === 'sync')
      command.option('--rate <n>', 'copy at most so many extents a second', wholeNumber(1), 0)
    const limited = verb === 'sync' ? '  blockbox clone sync mirror --rate 100 -j DIR\n' : ''
    command
      .addHelpText('after', `\nExample:\n  blockbox clone ${verb} mirror -j DIR\n${limited}`)
      .action((name: string, { rate, ...options }: ControlOptions & { readonly rate?: number }) => {
        const input = { pair: name, wait: true, ...(rate !== undefined && { rate }) }
        return control(options, route, input, (done) => pairSaid(done, name))
      })
  }
  controlOption(clone.command('rm'))
    .description('give a pair up; both volumes stay as they are')
    .argument('<pair>', 'the name of the pair')
    .addHelpText('after', '\nExample:\n  blockbox clone rm mirror -j DIR\n')
    .action((name: string, options: ControlOptions) =>
      control(options, deleteClone, { pair: name }, () => `pair ${name}: given up`),
    )
  journalOption(clone.command('verify'))
    .description('read all that was copied from a clone outside again: is it what it was?')
    .argument('<pair>', 'the name of the pair')
    .option('--clone-file <file>', 'where it is now: a file, or an NBD URI')
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox clone verify golden -j DIR\n\nExit code 12 when it is another.\n',
    )
    .action(verify)
  addList(clone, 'pairs', 'list the pairs')
}

async function create(name: string, options: CreateOptions): Promise<void> {
  const { source, extent } = options
  const input = { name, source, extent, ...(await otherSide(options)) }
  await control(options, createClone, input, (done) => pairSaid(done, name))
}

/** The clone of a new pair: a volume, or a file with its digest. Throws USAGE. */
async function otherSide({ clone, cloneFile }: CreateOptions) {
  if ((clone === undefined) === (cloneFile === undefined)) {
    throw new BlockboxError('USAGE', 'which clone? Name a volume with --clone or a file with --clone-file')
  }
  if (clone !== undefined && !isNbdUri(clone)) return { clone }
  const path = recordedName(clone ?? cloneFile!)
  if (isNbdUri(path)) return { clone_file: { path, sha256: '' } }
  await (await openExternal(path)).close()
  const { sha256 } = await fileDigest(path)
  return { clone_file: { path, sha256 } }
}

async function verify(name: string, options: VerifyOptions): Promise<void> {
  const file = options.cloneFile === undefined ? undefined : recordedName(options.cloneFile)
  const { extents, bytes, findings } = await withReading(
    options,
    async ({ journal }) => {
      const world = await worldAt(journal, journal.bounds().last, interrupt)
      const pair = [...pairsOf(world).byTag.values()].find((one) => one.name === name)
      const path = file ?? pair?.external?.path
      if (pair === undefined || path === undefined || pair.external === null) {
        throw new BlockboxError('USAGE', `there is no pair "${name}" with a clone outside`)
      }
      const image = await openExternal(path)
      try {
        return await cloneUnchanged(journal, pair.tag, image)
      } finally {
        await image.close()
      }
    },
    async (remote) => {
      const asked = { pair: name, ...(file !== undefined && { clone_file: file }) }
      return (await remote.read(verifyClone, asked)) as unknown as CloneVerdict
    },
  )
  if (findings.length > 0) process.exitCode = exitCodes.verification
  if (options.json === true) return print(JSON.stringify({ version: 1, extents, bytes, findings }))
  const read = `${extents} extents of ${bytes} bytes in all were copied from it`
  if (findings.length === 0) return print(`the clone of pair ${name} is what it was: ${read}`)
  await print(
    [`the clone of pair ${name} is another: ${read}`, ...findings.map(findingLine)].map(escaped).join('\n'),
  )
}
