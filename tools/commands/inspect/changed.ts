/** `blockbox inspect changed VOL --from A --to B`: what differs between two points, by content. */

import { setImmediate } from 'node:timers/promises'
import type { Command } from 'commander'
import { sameBytes } from '../../../src/core/digest.ts'
import { BlockboxError } from '../../../src/core/errors.ts'
import type { OpenFolder } from '../../../src/engine/open-folder.ts'
import { changedBlocks } from '../../../src/inspect/changed.ts'
import type { Volume } from '../../../src/layers/layer.ts'
import type { PayloadStore } from '../../../src/payload/payload.ts'
import { type Point, parsePoint } from '../../../src/replay/point.ts'
import { volumeAt } from '../../../src/replay/volume-at.ts'
import { interrupt } from '../../interrupt.ts'
import { type JournalOption, journalOption } from '../../journal-option.ts'
import { withJournal } from '../../journal-use.ts'
import { escaped, print, table } from '../../output.ts'
import { remarkOutside } from '../../outside-time.ts'
import { showProgress } from '../../remark.ts'
import { roughSize } from '../../rough-size.ts'
import { formatSize, parseSize } from '../../size.ts'

interface ChangedOptions extends JournalOption {
  readonly from: string
  readonly to?: string
  readonly extents?: number
  readonly json?: boolean
}

export function addChanged(inspect: Command): void {
  journalOption(inspect.command('changed'))
    .description(
      'the bytes of a volume that differ between two points; what was written with the same bytes does not',
    )
    .argument('<volume>', 'the name of the volume')
    .requiredOption('--from <point>', 'seq:N, time:ISO, mark:LABEL, backup:ID or source:K')
    .option('--to <point>', 'the same; the end of the journal when left out')
    .option('--extents <size>', 'whole extents of this size, in place of blocks', parseSize)
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox inspect changed vol --from backup:nightly --to mark:before-restore --extents 64K -j DIR\n',
    )
    .action(act)
}

interface Range {
  readonly offset: number
  readonly length: number
}

async function act(name: string, options: ChangedOptions): Promise<void> {
  const from = parsePoint(options.from)
  const to: Point = options.to === undefined ? { by: 'last' } : parsePoint(options.to)
  const said = await withJournal(options, (open) => compare(open, name, from, to, options.extents))
  await print(options.json === true ? JSON.stringify(said) : textOf(said, options.extents))
}

async function compare(
  { journal, payload }: OpenFolder,
  name: string,
  from: Point,
  to: Point,
  extent: number | undefined,
) {
  await remarkOutside(journal, from, to)
  const before = await volumeAt(journal, name, from, interrupt)
  const after = await volumeAt(journal, name, to, interrupt)
  const { block } = after.volume
  const power = extent === undefined || (Number.isInteger(Math.log2(extent)) && extent >= block)
  if (!power) throw new BlockboxError('USAGE', `--extents ${extent} is no power of two of ${block} or more`)
  const size = Math.max(before.volume.size, after.volume.size)
  const ranges: { offset: number; length: number }[] = []
  let changed = 0
  let rewritten = 0
  for (const { first, count } of changedBlocks(before.volume.map, after.volume.map)) {
    for (let at = first; at < first + count; at++) {
      if (isSame(payload, before.volume, after.volume, at)) {
        rewritten += block
        continue
      }
      changed += block
      join(ranges, { offset: at * block, length: block }, extent ?? block, size)
    }
    showProgress(() => `${formatSize(first * block)} of ${formatSize(size)}`)
    interrupt.throwIfAborted()
    await setImmediate()
  }
  const total = ranges.reduce((sum, { length }) => sum + length, 0)
  return {
    version: 1,
    volume: name,
    from: before.seq,
    to: after.seq,
    block,
    ...(extent !== undefined && { extent, extents: total === 0 ? 0 : countOf(ranges, extent) }),
    changed_bytes: changed,
    rewritten_same_bytes: rewritten,
    covered_bytes: total,
    size_before: before.volume.size,
    size_after: after.volume.size,
    ranges,
  }
}

/** True when a block at another place holds the same bytes. What cannot be read is taken to differ. */
function isSame(payload: PayloadStore, before: Volume, after: Volume, at: number): boolean {
  const zeros = new Uint8Array(after.block)
  const read = ({ map }: Volume) => {
    const place = map.get(at)
    return place === 0 ? zeros : payload.read(place, after.block).slice()
  }
  try {
    return sameBytes(read(before), read(after))
  } catch (error) {
    if (error instanceof BlockboxError && error.code === 'PAYLOAD_CORRUPT') return false
    throw error
  }
}

/** Adds a range in whole units, joined with the last one where they meet. */
function join(ranges: { offset: number; length: number }[], range: Range, unit: number, size: number): void {
  const offset = Math.floor(range.offset / unit) * unit
  const end = Math.min(size, Math.ceil((range.offset + range.length) / unit) * unit)
  const last = ranges.at(-1)
  if (last !== undefined && last.offset + last.length >= offset)
    last.length = Math.max(last.length, end - last.offset)
  else ranges.push({ offset, length: end - offset })
}

function countOf(ranges: readonly Range[], extent: number): number {
  return ranges.reduce((sum, { length }) => sum + Math.ceil(length / extent), 0)
}

function textOf(said: Awaited<ReturnType<typeof compare>>, extent: number | undefined): string {
  const { volume, from, to, changed_bytes, rewritten_same_bytes, ranges, covered_bytes } = said
  const head = `${volume} from event ${from} to ${to}: ${roughSize(changed_bytes)} differ (${changed_bytes} bytes)`
  const facts = [head]
  if (rewritten_same_bytes > 0)
    facts.push(`${roughSize(rewritten_same_bytes)} more were written with the same bytes`)
  if (said.size_before !== said.size_after) {
    facts.push(`the volume had ${formatSize(said.size_before)}, then ${formatSize(said.size_after)}`)
  }
  if (extent !== undefined)
    facts.push(`${said.extents} extents of ${formatSize(extent)}, ${roughSize(covered_bytes)}`)
  if (ranges.length === 0) return facts.map(escaped).join('\n')
  const rows = ranges.map(({ offset, length }) => [String(offset), String(length), formatSize(length)])
  return `${facts.map(escaped).join('\n')}\n\n${table([['offset', 'bytes', ''], ...rows], [0, 1, 2])}`
}
