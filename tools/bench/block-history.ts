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

/** The lines: making the index, one answer (median and worst), the scan. Throws when an answer and the scan differ. */
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

async function measure(open: OpenFolder, folder: string, { events, questions }: BlockHistoryOptions) {
  const { journal } = open
  const onProgress = (seq: number) => showProgress(() => `indexing, event ${seq} of ${events}`)
  const made = await microseconds(() => BlockIndex.open(journal, { folder, onProgress }))
  const random = new Prng(7)
  const took: number[] = []
  let touched = 0
  let asked = { volume: 1, block: 0 }
  let writes = 0
  for (let k = 0; k < questions; k++) {
    const volume = 1 + random.below(blocksOfVolumes.length)
    const hot = k % 2 === 0 ? 2 ** 16 : blocksOfVolumes[volume - 1]!
    asked = { volume, block: random.below(hot) }
    const us = await microseconds(async () => {
      const index = await BlockIndex.open(journal, { folder })
      const { records, steps } = await answerBlock(index, open, asked)
      touched += steps
      writes = records.filter(({ kind }) => kind === 'io.write').length
    })
    took.push(us / 1000)
  }
  let found = 0
  const scan = await microseconds(async () => {
    found = await scanned(open, asked)
  })
  if (found !== writes)
    throw new Error(`${JSON.stringify(asked)}: ${writes} writes answered, ${found} recorded`)
  const group = `block history ${(events / 1e6).toPrecision(2)} M`
  const middle = median(took)
  const ratio = (ms: number) => scan / 1000 / ms
  const remark = `${(touched / questions).toFixed(1)} steps an answer`
  return [
    { group, name: 'scan of all frames', value: scan / 1000, unit: 'ms', ratio: 1 },
    {
      group,
      name: 'answer, median',
      value: middle,
      unit: 'ms',
      ratio: ratio(middle),
      target: { valueBelow: targetMs },
      remark,
    },
    {
      group,
      name: 'answer, slowest',
      value: Math.max(...took),
      unit: 'ms',
      ratio: ratio(Math.max(...took)),
      target: { valueBelow: targetMs },
    },
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
