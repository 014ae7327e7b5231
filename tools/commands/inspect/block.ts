/**
 * `blockbox inspect block VOL:BLOCK`: every event that changed a block or read it, answered from the block index. What
 * is not in the index yet is put in first.
 */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { answerBlock } from '../../../src/block-index/block-answer.ts'
import { BlockIndex } from '../../../src/block-index/block-index.ts'
import { SegmentDamaged } from '../../../src/block-index/segment.ts'
import { BlockboxError } from '../../../src/core/errors.ts'
import type { OpenFolder } from '../../../src/engine/open-folder.ts'
import type { BlockRecord, HeldRecord } from '../../../src/inspect/block-report.ts'
import type { Roster, VolumeEntry } from '../../../src/inspect/roster.ts'
import { whyReadOnly } from '../../../src/journal/read-only-place.ts'
import { parsePoint } from '../../../src/replay/point.ts'
import { type FilterOptions, filterOptions, scopeOf } from '../../filter-option.ts'
import { interrupt } from '../../interrupt.ts'
import { type JournalOption, journalDir, journalOption } from '../../journal-option.ts'
import { withJournal } from '../../journal-use.ts'
import { wholeNumber } from '../../number.ts'
import { escaped, print, table } from '../../output.ts'
import { remarkOutside } from '../../outside-time.ts'
import { remark, showProgress } from '../../remark.ts'

interface BlockOptions extends JournalOption, Omit<FilterOptions, 'volume'> {
  readonly at?: string
  readonly changes?: boolean
  readonly limit: number
  readonly index?: string
  readonly json?: boolean
}

export function addBlock(inspect: Command): void {
  const command = journalOption(inspect.command('block'))
    .description('who wrote a block, when, what it held before and after, and who read it')
    .argument('<block>', 'VOL:BLOCK, or VOL:+BYTES for the block that holds that byte')
    .option('--at <point>', 'the same as --to, or source:K')
  filterOptions(command, { hasVolume: false, host: 'only what this host wrote or read' })
    .option('--changes', 'leave out what hosts read')
    .option('--limit <count>', 'at most so many, the newest', wholeNumber(1, 1_000_000), 50)
    .option(
      '--index <dir>',
      'where the index is kept (default: index/ in the journal, in memory where that is read-only); it may be deleted',
    )
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox inspect block disk0:4711 -j nightly.journal\n' +
        '  blockbox inspect block disk0:+1048576 --at mark:before-restore --changes -j nightly.journal\n',
    )
    .action(act)
}

async function act(address: string, options: BlockOptions): Promise<void> {
  const asked = parseBlock(address)
  const said = await withJournal(options, async (open) => {
    try {
      return await answer(open, asked, options)
    } catch (error) {
      if (!(error instanceof SegmentDamaged)) throw error
      remark(`the index is damaged (${error.message}): it is made again`)
      if (!isKept(options)) return await answer(open, asked, options, '')
      rmSync(indexFolder(options), { recursive: true, force: true })
      return await answer(open, asked, options)
    }
  })
  await print(options.json === true ? JSON.stringify(said) : blockText(said))
}

interface Asked {
  readonly volume: string
  /** A block, or the byte it holds. */
  readonly by: 'block' | 'byte'
  readonly number: number
}

/** `VOL:BLOCK` or `VOL:+BYTES`. Throws USAGE. */
function parseBlock(address: string): Asked {
  const form = /^(.+):(\+?)(\d{1,16})$/.exec(address)
  const number = Number(form?.[3])
  if (form === null || !Number.isSafeInteger(number)) {
    throw new BlockboxError('USAGE', `"${address}" is no block: write VOL:BLOCK, or VOL:+BYTES`)
  }
  return { volume: form[1]!, by: form[2] === '+' ? 'byte' : 'block', number }
}

function indexFolder(options: BlockOptions): string {
  return options.index ?? join(journalDir(options), 'index')
}

/** False for an index that belongs into a journal that is not to be written. */
function isKept(options: BlockOptions): boolean {
  return options.index !== undefined || whyReadOnly(journalDir(options)) === undefined
}

/** @param folder where the index is; none when it is empty. */
async function answer(
  open: OpenFolder,
  address: Asked,
  options: BlockOptions,
  folder = indexFolder(options),
) {
  const { journal } = open
  const total = journal.bounds().last
  const keep = isKept(options)
  const index = await BlockIndex.open(journal, {
    folder,
    keep,
    onProgress: (seq) => showProgress(() => `indexing, event ${seq} of ${total}`),
    signal: interrupt,
  })
  if (index.added > 1_000_000) {
    const end = keep ? 'which is kept' : 'which cannot be kept here: name a folder for it with --index'
    remark(`${index.added} events were added to the index, ${end}`)
  }
  const { id, name, size, block: bytes } = volumeOf(index.roster, address.volume)
  const block = address.by === 'byte' ? Math.floor(address.number / bytes) : address.number
  if (block >= size / bytes) {
    throw new BlockboxError('USAGE', `volume ${name} ends with block ${Math.ceil(size / bytes) - 1}`)
  }
  const point = options.at === undefined ? undefined : parsePoint(options.at)
  await remarkOutside(journal, point)
  const at = point === undefined ? undefined : await index.seqOf(journal, point, id, interrupt)
  const scope = await scopeOf(open, options, index.roster)
  const to = Math.min(scope.to, at ?? Number.MAX_SAFE_INTEGER)
  if (scope.from > Math.min(to, total)) {
    const what = to > total ? `the end of the journal, event ${total}` : `--at ${to}`
    throw new BlockboxError('USAGE', `--from ${scope.from} is after ${what}`)
  }
  const { changes: changesOnly = false, limit, host, kind } = options
  const asked = { volume: id, block, from: scope.from, to, limit, changesOnly }
  const of = host === undefined && kind === undefined ? {} : { of: scope }
  const found = await answerBlock(index, open, { ...asked, ...of })
  const filtered = host !== undefined || kind !== undefined || changesOnly
  const span = { from: Math.max(scope.from, journal.bounds().first), to: Math.min(to, total) }
  return {
    version: 1,
    volume: name,
    block,
    offset: block * bytes,
    length: bytes,
    ...span,
    filtered,
    ...found,
  }
}

function volumeOf(roster: Roster, name: string): VolumeEntry {
  const volume = roster.volumeNamed(name)
  if (volume !== undefined) return volume
  const message = `there is no volume "${name}": \`blockbox volume ls\` lists them`
  throw new BlockboxError('NO_SUCH_VOLUME', message)
}

function blockText(said: Awaited<ReturnType<typeof answer>>): string {
  const { volume, block, offset, length, from, to, records, steps, reads, held } = said
  const head = `block ${block} of ${volume}: ${length} bytes at offset ${offset}`
  if (steps === 0) {
    const nothing = said.filtered ? 'Nothing of what was asked for' : 'Nothing'
    return escaped(`${head}. ${nothing} touched it between events ${from} and ${to}: ${heldText(held)}`)
  }
  const left = steps - records.length
  const count = `${steps - reads} events that set it, ${reads} reads of it${left > 0 ? `; the ${left} oldest are not shown (--limit)` : ''}`
  const rows = records.map((record) => rowOf(record).map(escaped))
  const titles = ['event', 'instant', '', 'before', 'after', 'answered by', 'cause']
  return [escaped(head), count, '', table([titles, ...rows], [0])].join('\n')
}

/** What the block holds at the end of the events that were asked for. */
function heldText({ digest }: HeldRecord): string {
  if (digest === 'zeros') return 'it holds zeros'
  if (digest === 'no volume') return 'by then there was no volume'
  return `it holds what is ${/^[0-9a-f]{16}$/.test(digest) ? `digest ${digest}` : digest}`
}

const words: Readonly<Record<BlockRecord['what'], string>> = {
  there: 'there',
  changed: 'write',
  copied: 'copied',
  shown: 'shown',
  reverted: 'revert',
  based: 'base',
  gone: 'gone',
  read: 'read',
}

function rowOf({ seq, instant = '', what, by, request, before, after, differs }: BlockRecord): string[] {
  const cause = request === undefined ? by : `${by} (request ${request})`
  const was = what === 'read' || what === 'there' ? '' : before.digest
  const is = what === 'read' || differs || what === 'there' ? after.digest : 'the same'
  return [String(seq), instant, words[what], was, is, imageText(after), cause]
}

function imageText({ image, of }: HeldRecord): string {
  if (image === 'own') return of ?? 'itself'
  if (image === 'none') return '-'
  return of === undefined ? image : `${image} ${of}`
}
