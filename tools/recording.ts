/**
 * The recording half of `blockbox import`: a trace into a volume of a journal, and what is said of it.
 *
 *     trace read for its shape ─▶ journal opened ─▶ every event a request ─▶ closed ─▶ report
 *                                                        └── Ctrl-C: closed, what was answered stays
 */

import type { EngineOptions } from '../src/engine/engine.ts'
import { advice, type Code } from '../src/events/code.ts'
import { type ImportAsk, type ImportReport, importShape, nameOf, recordTrace } from '../src/run/import-run.ts'
import { exitCodes } from './exit-code.ts'
import { interrupt } from './interrupt.ts'
import type { JournalOption } from './journal-option.ts'
import { withEngine } from './journal-use.ts'
import { escaped, print } from './output.ts'
import { remark, showProgress } from './remark.ts'
import { formatSize } from './size.ts'

export interface RecordingOptions extends JournalOption {
  readonly ack: NonNullable<EngineOptions['ack']>
  /** Every read notes the digest of what it returns. */
  readonly readDigests: boolean
  readonly json: boolean
}

/** Records and reports; exit code 1 when requests were refused. */
export async function record(ask: ImportAsk, options: RecordingOptions): Promise<void> {
  const shape = await importShape({ ...ask, signal: interrupt })
  const { ack, readDigests } = options
  const how = { ack, ...(readDigests && { readDigests: 'always' as const }) }
  let seen = 0
  const report = await withEngine(options, how, (engine) =>
    recordTrace(engine, {
      ...ask,
      shape,
      signal: interrupt,
      onProgress: (events, of) => {
        seen = events
        showProgress(() => `recorded ${events} of ${of} events`)
      },
    }),
  ).catch((error: unknown) => {
    const stopped = `stopped after ${seen} of ${shape.events} events: volume ${ask.volume} holds what was recorded`
    if (interrupt.aborted && seen > 0) remark(stopped)
    throw error
  })
  if (report.remark !== undefined) remark(`${nameOf(ask)}: ${report.remark}`)
  await print(options.json ? reportJson(report) : reportText(report, ask.block !== undefined))
  for (const [code, count] of Object.entries(report.refused)) {
    process.exitCode = exitCodes.error
    remark(`${count} requests were refused: ${code}: ${advice[code as Code]}`)
  }
}

function reportJson({ events, volume, size, block, refused }: ImportReport): string {
  return JSON.stringify({ version: 1, events, volume, size, block, refused })
}

/** @param told whether the user said how long a block is. */
function reportText({ events, volume, size, block }: ImportReport, told: boolean): string {
  const why = size % 4096 === 0 ? 'the trace has requests not aligned to 4K' : 'the size is no multiple of 4K'
  const odd = block === 512 && !told
  const blocks = odd ? `blocks of 512 bytes, since ${why}` : `blocks of ${formatSize(block)}`
  return escaped(`recorded ${events} events into volume ${volume}: ${formatSize(size)} in ${blocks}`)
}
