/**
 * `blockbox fence raise|write|restore|lower|abort|force|takeover|ls`: metadata is overwritten while its owner works on
 * the data, and comes back when the owner is done.
 *
 *     raise ─▶ fenced ── write, restore ──▶ ready ── lower ──▶ down        stuck: again, or force
 *                └────────── abort: nothing changed ──────────▲
 */

import type { Command } from 'commander'
import type { CommandAsk } from '../../src/engine/ask.ts'
import type { Detail } from '../../src/events/detail.ts'
import { commandKeysOf } from '../../src/layers/command-key.ts'
import { fenceNamed, fencesOf } from '../../src/layers/fence-state.ts'
import { raiseDetail } from '../../src/layout/layout.ts'
import { volumeNamed } from '../../src/replay/volume-at.ts'
import { gathered, newName } from '../control.ts'
import { controlOption } from '../control-option.ts'
import { exitCodes } from '../exit-code.ts'
import { type FenceAnswer, type FenceOptions, type FenceUse, fenceControl } from '../fence-control.ts'
import { moveBehind } from '../fence-image.ts'
import { fencingFor, type LayoutOptions } from '../fence-layout.ts'
import { writeBehind } from '../fence-write.ts'
import { journalOption } from '../journal-option.ts'
import { addList } from '../list-command.ts'
import { wholeNumber } from '../number.ts'
import { defaultOwner } from '../owner.ts'
import { remark } from '../remark.ts'
import { formatSize, parseSize } from '../size.ts'

interface RaiseOptions extends FenceOptions, LayoutOptions {
  readonly volume: string
  readonly advisory?: boolean
  readonly metaFirst?: string
  readonly deadlineMs: number
}

const verbs = {
  lower: ['write valid metadata back and let hosts in', 'fence.lower'],
  abort: ['give up a fence behind which nothing changed', 'fence.abort'],
  force: ['lower a fence that is stuck, although what lies behind it may be no whole', 'fence.force'],
  takeover: ['become the owner of a fence whose owner is gone', 'fence.takeover'],
} as const

export function add(program: Command): void {
  const fence = program.command('fence').description('keep hosts away from data while it is worked on')
  addRaise(fence)
  ofOwner(fence.command('write'))
    .description('write bytes behind a fence: metadata waits beside the volume, data goes to it')
    .argument('<fence>', 'the name of the fence')
    .requiredOption('--from <file>', 'the bytes, whole blocks')
    .requiredOption('--at <offset>', 'where they go', parseSize)
    .addHelpText('after', '\nExample:\n  blockbox fence write guard --from block.bin --at 4096 -j DIR\n')
    .action((name: string, options: FenceOptions & { readonly from: string; readonly at: number }) =>
      fenceControl(name, options, (use) => writeBehind(use, name, options.from, options.at)),
    )
  ofOwner(fence.command('restore'))
    .description('restore a raw image behind a fence; its metadata waits beside the volume')
    .argument('<fence>', 'the name of the fence')
    .requiredOption('--from <image>', 'the image, at most as long as the volume')
    .option('--lower', 'lower the fence when all is there')
    .addHelpText('after', '\nExample:\n  blockbox fence restore guard --from backup.img --lower -j DIR\n')
    .action((name: string, options: FenceOptions & { readonly from: string; readonly lower?: boolean }) =>
      fenceControl(name, options, async (use) => {
        const restored = await restore(use, name, options.from)
        if (restored.answer.code !== 'ok' || options.lower !== true) return restored
        const answer = await use.ask({ kind: 'fence.lower', detail: { name } })
        return { ...restored, command: 'fence.lower', answer }
      }),
    )
  for (const verb of ['lower', 'abort', 'force', 'takeover'] as const) {
    const [description, kind] = verbs[verb]
    owned(fence.command(verb))
      .description(description)
      .argument('<fence>', 'the name of the fence')
      .addHelpText('after', `\nExample:\n  blockbox fence ${verb} guard -j DIR\n`)
      .action((name: string, options: FenceOptions) =>
        fenceControl(name, options, async ({ ask }) => ({
          command: kind,
          answer: await ask(keyed({ kind, detail: { name } }, options)),
        })),
      )
  }
  addList(fence, 'fences', 'list the fences that stand')
}

/** Of what is done in several commands, and so has no key. */
function ofOwner(command: Command): Command {
  return journalOption(command)
    .option('--owner <name>', 'who owns the fence', defaultOwner)
    .option('--json', 'as one JSON object')
}

function owned(command: Command): Command {
  return controlOption(command).option('--owner <name>', 'who owns the fence, or is to own it', defaultOwner)
}

function addRaise(fence: Command): void {
  owned(fence.command('raise'))
    .description('overwrite metadata so that hosts find no data')
    .argument('<fence>', 'letters, digits, dots, dashes, underscores')
    .requiredOption('--volume <name>', 'the volume')
    .option('--layout <name>', 'find the metadata of a file system: ext4')
    .option('--path <file>', 'with a layout: only this file; may be given several times', gathered)
    .option('--ranges <list>', 'the metadata as OFFSET+LENGTH,... in bytes')
    .option('--covered <list>', 'with ranges: the data they lead to; all of the volume when left out')
    .option('--last <offset>', 'with ranges: the block that is written back last', parseSize)
    .option('--advisory', 'record what others do there in place of refusing it')
    .option('--meta-first <image>', "restore this image, its metadata first as the fence's claims have it")
    .option(
      '--deadline-ms <n>',
      'how long to wait for requests on their way; 0 for the default',
      wholeNumber(0),
      0,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox fence raise guard --volume disk0 --layout ext4 -j DIR\n' +
        '  blockbox fence raise guard --volume disk0 --layout ext4 --path /var/db/accounts -j DIR\n' +
        '  blockbox fence raise guard --volume disk0 --ranges 0+4096,1048576+65536 --advisory -j DIR\n',
    )
    .action((name: string, options: RaiseOptions) =>
      fenceControl(name, options, (use) => raise(use, name, options)),
    )
}

async function raise(use: FenceUse, name: string, options: RaiseOptions): Promise<FenceAnswer> {
  const { engine, open, ask } = use
  const { advisory = false, metaFirst, deadlineMs } = options
  const volume = volumeNamed(engine.world, options.volume)
  const how = { advisory, metaFirst: metaFirst !== undefined, deadlineMs }
  const before = await askedBefore(use, options, { name, volume: volume.id })
  const detail =
    before === undefined
      ? raiseDetail(newName(name), fencingFor(options, engine.world, volume, open), how)
      : { ...before, ...how }
  const answer = await ask(keyed({ kind: 'fence.raise', volume: volume.id, detail }, options))
  if (answer.code !== 'ok' || metaFirst === undefined || answer.repeats !== undefined) {
    return { command: 'fence.raise', answer }
  }
  return restore(use, name, metaFirst)
}

/**
 * What was asked for with the same key before: the layout that it was made from is under the fence now, and cannot be
 * read again.
 */
async function askedBefore(
  { engine, open: { journal } }: FenceUse,
  { key }: RaiseOptions,
  { name, volume }: { readonly name: string; readonly volume: number },
): Promise<Detail | undefined> {
  const first = key === undefined ? undefined : commandKeysOf(engine.world).byKey.get(key)
  if (first === undefined || first.seq < journal.bounds().first) return undefined
  for await (const frame of journal.read(first.seq, first.seq)) {
    const row = frame.open()
    row.index = first.seq - frame.first
    if (row.kind !== 'fence.raise' || row.volume !== volume || row.detail.name !== name) return undefined
    const { key: _, ...detail } = row.detail
    return detail
  }
  return undefined
}

async function restore({ engine, session }: FenceUse, name: string, image: string): Promise<FenceAnswer> {
  const { code, dataBytes, controlBytes } = await moveBehind(engine, name, session, image)
  const told = { data_bytes: dataBytes, control_bytes: controlBytes }
  const answer = { code, seq: engine.world.seq, made: 0 }
  const phase = fenceNamed(fencesOf(engine.world), name)?.phase
  if (code === 'ok' && phase !== 'ready') {
    process.exitCode = exitCodes.error
    remark(`the image did not all arrive, and the fence is ${phase}: restore it again`)
  } else if (code === 'ok') {
    remark(
      `${formatSize(dataBytes)} went over the data network, ${controlBytes} bytes over the control network`,
    )
  }
  return { command: 'mover.request', answer, told }
}

function keyed(asked: CommandAsk, { key }: FenceOptions): CommandAsk {
  return key === undefined ? asked : { ...asked, key }
}
