/**
 * `blockbox fence raise|write|restore|lower|abort|force|takeover|ls`: metadata is overwritten while its owner works on
 * the data, and comes back when the owner is done.
 *
 *     raise ─▶ fenced ── write, restore ──▶ ready ── lower ──▶ down        stuck: again, or force
 *                └────────── abort: nothing changed ──────────▲
 */

import type { Command } from 'commander'
import { fenceVerbs, raiseFence, restoreFence } from '../../src/control/fence-routes.ts'
import { defaultOwner } from '../../src/control/schema.ts'
import { recordedName } from '../../src/images/open-external.ts'
import type { FenceContents } from '../../src/inspect/contents.ts'
import { gathered } from '../control.ts'
import { controlOption } from '../control-option.ts'
import { exitCodes } from '../exit-code.ts'
import { type FenceAnswer, type FenceOptions, type FenceUse, fenceControl } from '../fence-control.ts'
import { writeBehind } from '../fence-write.ts'
import { journalOption } from '../journal-option.ts'
import { addList } from '../list-command.ts'
import { wholeNumber } from '../number.ts'
import { remark } from '../remark.ts'
import { formatSize, parseSize } from '../size.ts'

interface RaiseOptions extends FenceOptions {
  readonly layout?: string
  readonly path?: readonly string[]
  readonly ranges?: string
  readonly covered?: string
  readonly last?: number
  readonly volume: string
  readonly advisory?: boolean
  readonly metaFirst?: string
  readonly deadlineMs: number
}

const verbs = {
  lower: 'write valid metadata back and let hosts in',
  abort: 'give up a fence behind which nothing changed',
  force: 'lower a fence that is stuck, although what lies behind it may be no whole',
  takeover: 'become the owner of a fence whose owner is gone',
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
    .description('restore an image behind a fence; its metadata waits beside the volume')
    .argument('<fence>', 'the name of the fence')
    .requiredOption('--from <image>', 'a raw file or an NBD URI, at most as long as the volume')
    .option('--lower', 'lower the fence when all is there')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox fence restore guard --from backup.img --lower -j DIR\n' +
        "  blockbox fence restore guard --from 'nbd://store/backup' -j DIR\n",
    )
    .action((name: string, options: FenceOptions & { readonly from: string; readonly lower?: boolean }) =>
      fenceControl(name, options, async (use) => {
        const restored = await restore(use, name, options.from)
        if (restored.answer.code !== 'ok' || options.lower !== true) return restored
        return { ...restored, ...(await use.ask(fenceVerbs.lower, { fence: name })) }
      }),
    )
  for (const verb of ['lower', 'abort', 'force', 'takeover'] as const) {
    owned(fence.command(verb))
      .description(verbs[verb])
      .argument('<fence>', 'the name of the fence')
      .addHelpText('after', `\nExample:\n  blockbox fence ${verb} guard -j DIR\n`)
      .action((name: string, options: FenceOptions) =>
        fenceControl(name, options, ({ once }) => once(fenceVerbs[verb], { fence: name })),
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
  const { volume, layout, path, ranges, covered, last, advisory = false, metaFirst, deadlineMs } = options
  const raised = await use.once(raiseFence, {
    ...{ name, volume, advisory, meta_first: metaFirst !== undefined, deadline_ms: deadlineMs },
    ...(layout !== undefined && { layout }),
    ...(path !== undefined && { paths: [...path] }),
    ...(ranges !== undefined && { ranges }),
    ...(covered !== undefined && { covered }),
    ...(last !== undefined && { last }),
  })
  const { answer } = raised
  if (answer.code !== 'ok' || metaFirst === undefined || answer.repeats !== undefined) return raised
  return restore(use, name, metaFirst)
}

async function restore(use: FenceUse, name: string, image: string): Promise<FenceAnswer> {
  const {
    command,
    answer,
    about = {},
  } = await use.ask(restoreFence, { fence: name, image: recordedName(image) })
  const { data_bytes, control_bytes } = about
  const phase = (about.fence as FenceContents | null)?.phase
  if (answer.code === 'ok' && phase !== 'ready') {
    process.exitCode = exitCodes.error
    remark(`the image did not all arrive, and the fence is ${phase}: restore it again`)
  } else if (answer.code === 'ok') {
    const moved = formatSize(Number(data_bytes))
    remark(`${moved} went over the data network, ${control_bytes} bytes over the control network`)
  }
  return { command, answer, told: { data_bytes, control_bytes } }
}
