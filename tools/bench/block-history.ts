/**
 * What a block's history costs: an index made over a long journal, then blocks asked for in turn, each answer with its
 * journal open and the index opened anew, as a command does it; beside a scan of all frames that decodes every row.
 */

import { join } from 'node:path'
import { answerBlock } from '../../src/block-index/block-answer.ts'
import { BlockIndex } from '../../src/block-index/block-index.ts'
import { Prng } from '../../src/core/prng.ts'
import { type OpenFolder, openToRead } from '../../src/engine/open-folder.ts'
import { Columns } from '../../src/events/columns.ts'
import { showProgress } from '../remark.ts'
import { withFolder } from './folder.ts'
import type { Line } from './line.ts'
import { record } from './recorded.ts'
import { median, microseconds } from './rounds.ts'
import { blocksOfVolumes } from './traffic.ts'

export interface BlockHistoryOptions {
  readonly events: number
  /** How many blocks are asked for. */
  readonly questions: number
}

/** A block must be answered for within this, the start of the command apart. */
const targetMs = 50

/** The lines: making the index, one answer (median and 99th of a hundred), the scan. Throws when an answer and the scan differ. */
export function blockHistoryLines(options: BlockHistoryOptions): Promise<Line[]> {
  return withFolder(async (folder) => {
    const path = join(folder, 'journal')
    await record(path, join(folder, 'few'), { events: options.events, perFrame: 256, onePerKey: 1 })
    const open = await openToRead(path)
    try {
      return await measure(open, join(folder, 'index'), options)
    } finally {
      await open.journal.close()
    }
  })
}

async function measure(
  open: OpenFolder,
  folder: string,
  { events, questions }: BlockHistoryOptions,
): Promise<Line[]> {
  const { journal } = open
  const onProgress = (seq: number) => showProgress(() => `indexing, event ${seq} of ${events}`)
  const made = await microseconds(() => BlockIndex.open(journal, { folder, onProgress }))
  const random = new Prng(7)
  const took: number[] = []
  for (let k = 0; k < questions; k++) {
    const volume = 1 + random.below(blocksOfVolumes.length)
    const hot = k % 2 === 0 ? 2 ** 16 : blocksOfVolumes[volume - 1]!
    const asked = { volume, block: random.below(hot) }
    const us = await microseconds(async () => {
      const index = await BlockIndex.open(journal, { folder })
      await answerBlock(index, open, asked)
    })
    took.push(us / 1000)
  }
  const asked = { volume: 1, block: 4711 }
  const index = await BlockIndex.open(journal, { folder })
  const { records } = await answerBlock(index, open, { ...asked, limit: 100_000 })
  const writes = records.filter(({ kind }) => kind === 'io.write').length
  let found = 0
  const scan = await microseconds(async () => {
    found = await scanned(open, asked)
  })
  if (found !== writes)
    throw new Error(`${JSON.stringify(asked)}: ${writes} writes answered, ${found} recorded`)
  const group = `block history ${(events / 1e6).toPrecision(2)} M`
  const sorted = [...took].sort((a, b) => a - b)
  const answers = {
    'answer, median': median(took),
    'answer, 99 of 100': sorted[Math.ceil(sorted.length * 0.99) - 1]!,
  }
  const target = { valueBelow: targetMs }
  return [
    { group, name: 'scan of all frames', value: scan / 1000, unit: 'ms', ratio: 1 },
    ...Object.entries(answers).map(([name, value]): Line => {
      return { group, name, value, unit: 'ms', ratio: scan / 1000 / value, target }
    }),
    { group, name: 'index made', value: (made * 1000) / events, unit: 'ns/event' },
  ]
}

/** How many writes took effect on a block as they came, by looking at every row. */
async function scanned(
  { journal }: OpenFolder,
  { volume, block }: { volume: number; block: number },
): Promise<number> {
  const columns = new Columns()
  let found = 0
  for await (const frames of journal.batches(1)) {
    for (const frame of frames) {
      const row = frame.open(columns)
      for (row.index = 0; row.index < frame.count; row.index++) {
        const isIt =
          row.volume === volume && row.offset <= block * 4096 && block * 4096 < row.offset + row.length
        if (isIt && row.kind === 'io.write' && row.fate === 'passed') found++
      }
    }
  }
  return found
}
